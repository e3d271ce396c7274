/** The thread of beside.ts: unpacks a file, and keeps a few blocks ahead of who works on them. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { Diagnostics } from '../model/diagnostic.ts';
import type { Said } from './beside.ts';
import { openBytes } from './bytes.ts';

const AHEAD = 8;

const { path, name } = workerData as { path: string; name: string };
const port = parentPort!;
let onTheWay = 0;
port.on('message', () => onTheWay--);

const met = new Diagnostics();
const source = await openBytes(path, name, met);
for await (const block of source?.blocks() ?? []) {
  while (onTheWay >= AHEAD) await once(port, 'message');
  const copy = block.slice();
  port.postMessage({ block: copy, consumed: source!.consumed } satisfies Said, [copy.buffer]);
  onTheWay++;
}
port.postMessage({ met: met.list() } satisfies Said);
port.removeAllListeners('message');
port.close();
