// A batch whose OUT fails at any of its calls, from then on: as killed there. The next one goes on, and nothing shows it.
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { Store } from '../../src/platform/store.ts';
import { batch, folder, put, sample, treeOf } from './archives.ts';

const life = vi.hoisted(() => ({ calls: 0, dies: Number.POSITIVE_INFINITY }));

/** Every call counts; from the one at which it dies on, none is made. */
function mortal(store: Store): Store {
  return new Proxy(store, {
    get(target, name: keyof Store) {
      const value = target[name];
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (++life.calls >= life.dies) throw new Error('dead');
        return (value as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

vi.mock('../../src/archive/places.ts', async (original) => {
  const places = await original<typeof import('../../src/archive/places.ts')>();
  return { ...places, storeAt: async (out: string) => mortal(await places.storeAt(out)) };
});

it('leaves OUT so that it becomes what it would have been', { timeout: 1_800_000 }, async () => {
  const [root, whole] = [folder(), join(folder(), 'OUT')];
  put(join(root, 'a.pcap'), sample('live/unread-data/6.18/packets.pcap'));
  put(join(root, 'broken.pcap'), sample('field/resets/burst.pcap').subarray(0, 24));
  life.calls = 0;
  await batch([root], whole);
  const { calls } = life;
  expect(calls).toBeGreaterThan(30);
  const expected = treeOf(whole);
  for (let n = 1; n <= calls; n++) {
    const out = join(folder(), 'OUT');
    Object.assign(life, { calls: 0, dies: n });
    await expect(batch([root], out), `call ${n}`).rejects.toThrow('dead');
    life.dies = Number.POSITIVE_INFINITY;
    await batch([root], out);
    expect(treeOf(out), `call ${n}`).toEqual(expected);
  }
});
