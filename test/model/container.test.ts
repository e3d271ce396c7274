import { describe, expect, it } from 'vitest';
import { parseNames, placeIn } from '../../src/model/container.ts';

const ID = 'ab'.padEnd(64, '0');
const UID = '3f1c9d4e-12ab-4cde-8f00-0123456789ab';
const POD = `kubepods-burstable-pod${UID.replaceAll('-', '_')}.slice`;

describe('the container of a cgroup', () => {
  it.each([
    [`/kubepods.slice/kubepods-burstable.slice/${POD}/cri-containerd-${ID}.scope`, ID, UID],
    [`/kubepods.slice/kubepods-burstable.slice/${POD}/crio-${ID}.scope/container`, ID, UID],
    [`/kubepods/besteffort/pod${UID}/${ID}`, ID, UID],
    [`/kubepods.slice/kubepods-burstable.slice/${POD}`, '', UID],
    [`/system.slice/docker-${ID}.scope`, ID, ''],
    [`/docker/${ID}`, ID, ''],
    [`/machine.slice/libpod-${ID}.scope/container`, ID, ''],
  ])('%s', (path, container, pod) => {
    expect(placeIn(path)).toEqual({ container, pod });
  });

  it.each(['/', '/system.slice/nginx.service', '/user.slice/user-1000.slice', `/docker/${ID}ff`, '/podium'])(
    'none: %s',
    (path) => {
      expect(placeIn(path)).toBeNull();
    },
  );

  it('names by id, whole or short; what is no id names nothing', () => {
    const names = parseNames(
      `${ID} web\n# ${UID} no\n${UID.toUpperCase()}  shop/web-0 \nabc short\nnginx web\n`,
    );
    expect([...names]).toEqual([
      [ID, 'web'],
      [UID, 'shop/web-0'],
    ]);
  });
});
