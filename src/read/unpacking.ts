/** The thread of beside.ts: unpacks a file, and keeps a few blocks ahead of who works on them. */
import { Diagnostics } from '../model/diagnostic.ts';
import { thisThread } from '../platform/threads.ts';
import type { Said } from './beside.ts';
import { openBytes } from './bytes.ts';

const AHEAD = 8;

const thread = thisThread();
const { path, name } = thread.data as { path: string; name: string };
let onTheWay = 0;
let wake: () => void = () => undefined;
thread.listen(() => {
  onTheWay--;
  wake();
});

async function unpack(): Promise<void> {
  const met = new Diagnostics();
  const source = await openBytes(path, name, met);
  for await (const block of source?.blocks() ?? []) {
    while (onTheWay >= AHEAD) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const copy = block.slice();
    thread.post({ block: copy, consumed: source!.consumed } satisfies Said, [copy.buffer]);
    onTheWay++;
  }
  thread.post({ met: met.list() } satisfies Said);
  thread.close();
}

// not awaited here: the one executable file holds it as CommonJS
void unpack();
