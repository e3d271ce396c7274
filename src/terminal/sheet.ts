/** Pages for a terminal: text from outside is made visible, colour only where asked for. */

import { visible } from '../model/visible.ts';
import { columns, type Paint, plain, wrap } from '../view/columns.ts';

export interface Terminal {
  /** Columns. */
  width: number;
  color: boolean;
}

/** Wider text is harder to read, not easier. */
const MAX_WIDTH = 110;

/** Stand for a blank, and for a line that is no part of a paragraph, while that is wrapped. */
const [BLANK, MOVED] = ['\ue000', '\ue001'];

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };
const colored: Paint = (text, style) => `\x1b[${CODES[style]}m${text}\x1b[0m`;

/** Collects lines of one page. */
export class Page {
  readonly width: number;
  readonly paint: Paint;
  readonly #lines: string[] = [];

  constructor({ width, color }: Terminal) {
    this.width = Math.max(40, Math.min(MAX_WIDTH, width));
    this.paint = color ? colored : plain;
  }

  heading(text: string): void {
    if (this.#lines.length > 0) this.#lines.push('');
    this.#lines.push(this.paint(text.toUpperCase(), 'bold'));
  }

  /** A wrapped paragraph; `first` (already painted, `firstWidth` columns) stands before its first line. */
  text(text: string, indent = 2, first = '', firstWidth = first.length): void {
    const pad = ' '.repeat(indent + firstWidth);
    const room = Math.max(20, this.width - indent - firstWidth);
    // a command stays on one line, to be copied: one that has no room here stands further left
    const long: string[] = [];
    const outside = visible(text).replace(/[\ue000\ue001]/g, '\ufffd');
    const kept = outside.replace(/`[^`]*`[.,;:]?/g, (code) => {
      if (columns(code) <= room) return code.replaceAll(' ', BLANK);
      if (columns(code) > this.width - indent) return code;
      long.push(code);
      return MOVED.repeat(room);
    });
    for (const [i, line] of wrap(kept, room).entries())
      if (line[0] === MOVED) this.#lines.push(' '.repeat(indent) + long.shift());
      else this.#lines.push((i === 0 ? ' '.repeat(indent) + first : pad) + line.replaceAll(BLANK, ' '));
  }

  item(label: string, text: string, indent = 4): void {
    this.text(text, indent, this.paint(`${label} `, 'dim'), label.length + 1);
  }

  lines(lines: readonly string[]): void {
    this.#lines.push(...lines);
  }

  get all(): string[] {
    return this.#lines;
  }

  blank(): void {
    this.#lines.push('');
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}
