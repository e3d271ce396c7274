/** Processes that die over a group. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { Crew, defaultLimits } from '../../src/archive/crew.ts';
import type { Group } from '../../src/archive/plan.ts';
import { FolderStore } from '../../src/platform/store.ts';
import { folder, put } from './archives.ts';

const DIES =
  "process.on('message', ({ groups }) => groups && process.send({ begin: groups[0].key }, () => process.exit(1)))";

it('a group that took a process with it three times is given up, in each run of a crew', async () => {
  const program = join(folder(), 'dies.mjs');
  put(program, DIES);
  const out = folder();
  const group: Group = {
    ...{ key: 'a'.repeat(64), place: 'x.pcap', reason: 'alone', why: '', bytes: 1, copies: [] },
    members: [{ file: 'x.pcap', inside: [], size: 1, hash: 'h', kind: 'capture' }],
  };
  const told: string[] = [];
  const events = { begin: () => void told.push('begin'), end: () => void told.push('end') };
  const options = { html: 'never', connections: 'problems' } as const;
  const here = () => Promise.reject(new Error('in a process'));
  const crew = new Crew(
    1,
    { out, options },
    new FolderStore(out),
    defaultLimits(1),
    events,
    here,
    pathToFileURL(program),
  );
  await crew.run([group]);
  await crew.run([group]);
  crew.close();
  expect(told.join(' ')).toBe('begin begin begin end begin begin begin end');
});
