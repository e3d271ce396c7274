/**
 * Text input: bytes to lines, and lines to the sections of the tools that printed them. A file may hold the output
 * of one tool, a pasted terminal log of many, or an article with such logs in it.
 */
import { lineFormats } from './formats.ts';
import type { LineFormat, ReadContext } from './importer.ts';
import { Sections } from './lines/shared/sections.ts';
import { isWholeLine } from './lines/shared/whole-line.ts';
import { Unwrapper } from './lines/shared/wrapped.ts';

/** Longer lines are counted as unknown and not kept: no tool here writes them. */
const MAX_LINE = 65_536;

const ESC = '\u{1B}';
/** CSI and OSC sequences and single-character escapes of terminals (ECMA-48), bounded so that no line is rescanned. */
const ESCAPES = new RegExp(
  `${ESC}(?:\\[[0-?]{0,32}[ -/]{0,4}[@-~]|\\][^\\u{7}${ESC}]{0,256}(?:\\u{7}|${ESC}\\\\)|[ -/]{0,2}[0-Z\\\\^-~])`,
  'gu',
);

export class TextReader {
  readonly #sections: Sections;
  readonly #lines: Unwrapper;
  #decoder: TextDecoder | null = null;
  /** The beginning of a line whose end has not come yet. */
  #pending = '';
  #overlong = false;
  #number = 0;

  constructor(name: string, context: ReadContext, formats: readonly LineFormat[] = lineFormats) {
    this.#sections = new Sections(name, context, formats);
    this.#lines = new Unwrapper({
      isLine: (text) => isWholeLine(text, formats),
      line: (text, number) => this.#sections.line(text, number),
      joined: (width, first) =>
        context.diagnostics.add({
          code: 'lines-joined',
          severity: 'info',
          source: name,
          locator: `line ${first}`,
          message: `lines that a terminal or mail wrapped at ${width} columns, joined again`,
        }),
    });
  }

  /** The next bytes of the file, in blocks of any size. */
  push(bytes: Uint8Array): void {
    this.#decoder ??= new TextDecoder(encodingOf(bytes));
    this.#split(this.#decoder.decode(bytes, { stream: true }));
  }

  end(): void {
    this.#split(this.#decoder?.decode() ?? '');
    if (this.#pending !== '' || this.#overlong) this.#line(this.#pending);
    this.#lines.end();
    this.#sections.end();
  }

  #split(text: string): void {
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const rest = text.slice(start, end);
      this.#line(this.#pending === '' ? rest : this.#pending + rest);
      this.#pending = '';
      start = end + 1;
    }
    if (this.#pending.length + text.length - start > MAX_LINE) {
      if (!this.#overlong) this.#pending += text.slice(start, start + MAX_LINE);
      this.#overlong = true;
    } else if (!this.#overlong) {
      this.#pending += text.slice(start);
    }
  }

  #line(raw: string): void {
    this.#number++;
    if (this.#overlong || raw.length > MAX_LINE) {
      this.#overlong = false;
      this.#lines.end();
      this.#sections.tooLong(raw.slice(0, 256), this.#number);
    } else {
      this.#lines.line(clean(raw), this.#number);
    }
  }
}

/** Blanks that do not break, as web pages have them between columns. */
const NBSP = /\u00a0/g;

/** Without line end, terminal escapes, what a carriage return overwrote, and the echo of an interrupt. */
function clean(raw: string): string {
  let line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
  if (line.includes(ESC)) line = line.replace(ESCAPES, '');
  if (line.includes('\r')) line = line.slice(line.lastIndexOf('\r') + 1);
  if (line.includes('&') || line.includes('<')) line = withoutMarkup(line);
  if (line.includes('\u00a0')) line = line.replace(NBSP, ' ');
  if (TABLE_ROW.test(line)) line = cellsOf(line);
  return line.startsWith('^C') ? line.replace(/^(?:\^C)+/, '') : line;
}

/** A row of a table in Markdown or a wiki: `| CLOSE-WAIT | 1 | 0 |`, `||State||Recv-Q||`; histograms have one bar in two of them. */
const TABLE_ROW = /^\s*\|(?:[^|]*\|){3,40}\s*$/;

/** Its cells as a tool prints columns; '' for the line below the header. */
function cellsOf(row: string): string {
  if (/^[\s|:-]+$/.test(row)) return '';
  const cells = row.split('|').map((cell) => cell.trim());
  return cells.filter((cell) => cell !== '').join('  ');
}

/** Tags of blocks of code and of tables, not what stands for a masked name (`<client>`) or a list (`<mss 1460>`). */
const TAGS = /<\/?(?:pre|code|samp|kbd|p|br|div|span|table|tbody|tr|td)(?:\s[^<>]{0,200})?\/?>/gi;
const ENTITIES: Readonly<Record<string, string>> = {
  gt: '>',
  lt: '<',
  amp: '&',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  rarr: '→',
};

/** As a web page holds it, and a tool never prints it. */
function withoutMarkup(line: string): string {
  return line
    .replace(TAGS, '')
    .replace(/&(?:([a-z]{2,4})|#(\d{1,5})|#x([\da-f]{1,4}));/gi, (all, name, decimal, hex) => {
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? all;
      const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
      return code >= 32 ? String.fromCharCode(code) : all;
    });
}

function encodingOf(head: Uint8Array): string {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/**
 * True for what a text file begins with: no NUL and next to no control characters, or a byte order mark. A log that a
 * crash or a terminal left bytes in is text all the same when one of its lines is of a known format.
 */
export function looksLikeText(head: Uint8Array): boolean {
  if (encodingOf(head) !== 'utf-8') return true;
  let controls = 0;
  let nuls = 0;
  for (const byte of head) {
    if (byte === 0) nuls++;
    // BEL, BS, TAB, LF, VT, FF, CR and ESC stand in terminal logs
    else if (byte < 32 && !(byte >= 7 && byte <= 13) && byte !== 27) controls++;
  }
  return (nuls === 0 && controls * 50 <= head.length) || hasKnownLine(head);
}

/** True when one of the lines is of a known format. */
export function hasKnownLine(head: Uint8Array): boolean {
  const lines = new TextDecoder().decode(head).split(/\r?\n/);
  return lines.some((line) => line.length < 1024 && lineFormats.some((f) => f.recognises(line)));
}
