/** Whether a line is one that a tool printed, and no rest of a longer one. */
import { Diagnostics } from '../../../model/diagnostic.ts';
import type { LineFormat, ReadContext } from '../../importer.ts';
import { clockLine } from './clock-line.ts';
import { splitPrefix } from './prefix.ts';
import { parsePrompt } from './prompt.ts';

/** A header, a record or a prompt, also behind what a journal puts before it. */
export function isWholeLine(text: string, formats: readonly LineFormat[]): boolean {
  const rest = splitPrefix(text)?.rest;
  const isRead = (line: string) => formats.some((f) => f.recognises(line) && readsAlone(f, line));
  return (
    isRead(text) ||
    (rest !== undefined && isRead(rest)) ||
    parsePrompt(text) !== null ||
    clockLine(text) !== null
  );
}

/** Whether a format takes a line as the first of a section. */
function readsAlone(format: LineFormat, text: string): boolean {
  const context: ReadContext = {
    sink: { frame: nothing, packet: nothing, event: nothing },
    diagnostics: new Diagnostics(),
    source: (init) => ({ ...init, id: 0, records: 0 }),
    progress: nothing,
  };
  const section = { name: '', host: null, command: null, root: null, line: 1, context, shown: null };
  return format.open(section).line(text, 1);
}

const nothing = () => undefined;
