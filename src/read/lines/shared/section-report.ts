/** What the lines of a text were that no reader took, in words. */
import type { NewDiagnostic } from '../../../model/diagnostic.ts';
import type { NotRead } from './not-read.ts';
import { quote } from './quote.ts';

/** A log of so many runs was made to hurt: what the runs beyond print is counted and not read. */
export const MAX_SECTIONS = 10_000;

/** Lines of one kind: how many, and the first of them. */
export class Lines {
  count = 0;
  line = 0;
  text = '';

  add(text: string, line: number): void {
    if (this.count++ > 0) return;
    this.line = line;
    this.text = quote(text);
  }

  get locator(): string {
    return this.count > 0 ? `line ${this.line}` : '';
  }
}

export const linesUnread = (
  source: string,
  format: string,
  lines: Lines,
  looks: NotRead | null,
): NewDiagnostic => ({
  code: 'unknown-line',
  severity: 'data-loss',
  source,
  locator: lines.locator,
  count: lines.count,
  message: `lines in ${format} output that could not be read; the first is "${lines.text}"${looksLike(looks)}`,
});

export const tooManySections = (source: string, lines: Lines): NewDiagnostic => ({
  code: 'too-many-sections',
  severity: 'data-loss',
  source,
  locator: lines.locator,
  count: lines.count,
  message: `lines that begin the output of a tool after that of the first ${MAX_SECTIONS}, which is all that is read`,
});

export const textOutside = (source: string, lines: Lines, looks: NotRead | null): NewDiagnostic => ({
  code: 'text-outside',
  severity: 'info',
  source,
  locator: lines.locator,
  count: lines.count,
  message: `lines between the outputs of tools, not read; the first is "${lines.text}"${looksLike(looks)}`,
});

export const prefixRemoved = (source: string, lines: Lines): NewDiagnostic => ({
  code: 'prefix-removed',
  severity: 'info',
  source,
  locator: lines.locator,
  count: lines.count,
  message: `lines read without what mail, ts, journalctl or a container put before them; the first is "${lines.text}". A time in it is when the line was passed on, and not used`,
});

/** `first`: lines that are not blank; `blocks`: those of code, between fences. */
export function unknownFormat(
  source: string,
  first: Lines,
  blocks: number,
  looks: NotRead | null,
): NewDiagnostic {
  const what =
    blocks > 0
      ? `holds ${blocks} ${blocks === 1 ? 'block' : 'blocks'} of code, but no line that a known tool has printed (see \`tcpautopsy formats\`): a program is not yet its output`
      : 'unrecognised format, ignored (see `tcpautopsy formats`)';
  return {
    code: 'unknown-format',
    severity: 'error',
    source,
    locator: first.locator,
    message: first.count > 0 ? `${what}; it begins "${first.text}"${looksLike(looks)}` : 'is empty',
  };
}

const looksLike = (looks: NotRead | null) =>
  looks ? `. It looks like ${looks.what}: what can be read is ${looks.way}` : '';
