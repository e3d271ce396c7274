/** What the keeper lists besides the tables of start and stop; a word stands for a second. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { has, linesOf, ROOT, temporary } from './kit.ts';

it.skipIf(!has('ss'))('every ten seconds the sockets that wait for a close(), and those alone', async () => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  const [[served]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  served.resume();
  client.end();
  await once(served, 'end');
  const dir = temporary();
  const words = ['start', ...Array(9).fill('tick'), 'stop'].join('\\n');
  const keeper = `printf '${words}\\n' | awk -v every=0 -v filter='sport = :${port} or dport = :${port}' -f "$0"`;
  await promisify(execFile)('sh', ['-c', keeper, join(ROOT, 'capture/keeper.awk')], {
    env: { ...process.env, BUNDLE: dir, TRIGGERS: '' },
  });
  const lines = linesOf(join(dir, 'sockets.jsonl'));
  const heads = lines.filter((line) => 'when' in line);
  expect(heads.map(({ when, rows }) => [when, rows])).toEqual([
    ['start', 3],
    ['waiting', 1],
    ['stop', 3],
  ]);
  const filter = `sport = :${port} or dport = :${port}`;
  expect(heads[1].filter).toBe(`state close-wait state syn-recv ( ${filter} )`);
  expect(lines.filter((line) => line.snapshot === 2 && 'line' in line)[1].line).toMatch(/^CLOSE-WAIT/);
  served.destroy();
  client.destroy();
  server.close();
});
