/** events.bin of a bundle: its records, and what its head and signs of life say of the recording, as a manifest does. */
import type { Diagnostics } from '../../model/diagnostic.ts';
import type { Files } from '../../platform/types.ts';
import { readEventBlocks } from './event-blocks.ts';
import { EventRecords, type RecorderStatus } from './event-records.ts';
import { locate, sizeOf } from './is-bundle.ts';
import { type Manifest, parseManifest, type Reasons } from './manifest.ts';

export interface Recorder {
  path: string;
  records: EventRecords;
}

/** null: the bundle has no events.bin. */
export async function readRecorder(
  folder: string,
  files: Files,
  diagnostics: Diagnostics,
): Promise<Recorder | null> {
  const path = await locate(folder, 'events.bin', files);
  if ((await sizeOf(path, files)) === null) return null;
  const records = new EventRecords();
  await readEventBlocks(path, files, diagnostics, (block, little) => {
    try {
      records.take(block, little);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const locator = `byte ${block.at}`;
      const message = `is no block of a recorder: ${error.message}`;
      diagnostics.add({ code: 'bundle-block', severity: 'data-loss', source: path, locator, message });
    }
  });
  return { path, records };
}

/** What it says stands for what a manifest.json of another tracer would; null when its head is lost. */
export function recorderManifest(
  { records: { head, statuses } }: Recorder,
  file: Manifest | null,
): Manifest | null {
  if (!head) return file;
  const [first, last] = [statuses.at(0), statuses.at(-1)];
  const risen = (of: (status: RecorderStatus) => number) =>
    (last ? of(last) : 0) - (first?.status === 'start' ? of(first) : 0);
  // a segment of a flight recorder ends while it goes on
  const emitted = last?.status === 'end' && !last.ended ? risen((s) => s.written + s.lost) : last?.emitted;
  const own = parseManifest(
    JSON.stringify({
      ...file,
      schema: 'tcpautopsy-capture/1',
      host: head.host,
      netns: head.netns,
      kernel: head.kernel,
      clock: {
        anchors: statuses.flatMap(({ status, anchor, before }) =>
          [...(before ? [before] : []), anchor].map((a) => ({ when: status, method: 'recorder', ...a })),
        ),
      },
      probes: head.probes,
      events: {
        emitted,
        lost: risen((s) => s.lost),
        recursion_misses: last && { total: risen((s) => s.recursion_misses.total) },
        misses_of_tracepoints_counted: head.misses_of_tracepoints_counted,
      },
      problems: [...(file?.problems ?? []), ...(last?.problems ?? [])],
      ended: file ? file.ended : last?.ended,
    }),
  );
  return typeof own === 'string' ? file : own;
}

/** Numbers to names as the kernel that was recorded has them. */
export function recorderReasons({ records: { head } }: Recorder): Reasons | null {
  if (!head) return null;
  const table = (names: Record<string, string>) =>
    new Map(Object.entries(names).map(([code, name]) => [Number(code), name]));
  return { drop: table(head.reasons.drop.names), reset: table(head.reasons.reset.names) };
}
