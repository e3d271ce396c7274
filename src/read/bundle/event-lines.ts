/** The events of a bundle as JSON objects: one a line, numbered as the report cites them. */
import type { Diagnostics } from '../../model/diagnostic.ts';
import type { Files } from '../../platform/types.ts';
import { type EventKeys, EventText } from './event-text.ts';
import { locate } from './is-bundle.ts';
import { readJsonLines } from './lines.ts';
import { readRecorder } from './recorder.ts';

/** Calls `take` with the text of each; of events.jsonl, lines that are no event are empty, so that the numbers stay. */
export async function eventLines(
  folder: string,
  files: Files,
  diagnostics: Diagnostics,
  take: (line: string) => void,
): Promise<void> {
  const recorder = await readRecorder(folder, files, diagnostics);
  if (recorder) {
    const { records } = recorder;
    for (let n = 0; n < records.count; n++) take(asJson(records.at(n)));
    return;
  }
  let next = 1;
  const path = await locate(folder, 'events.jsonl', files);
  await readJsonLines(path, files, diagnostics, (value, line) => {
    for (; next < line; next++) take('');
    next = line + 1;
    take(value.type === 'printf' && typeof value.data === 'string' ? asJson(new EventText(value.data)) : '');
  });
}

/** Numbers of 64 bits are text: a double does not hold them. */
function asJson(keys: EventKeys): string {
  return JSON.stringify({ kind: keys.kind, ...Object.fromEntries(keys.entries()) });
}
