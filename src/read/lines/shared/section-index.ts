/** The sections of a text, found again in constant time, however many there are. */
import type { LineFormat, LineReader } from '../../importer.ts';

/** How many of the latest sections of a format are asked whether a line apart continues them. */
const RECENT = 32;

export interface IndexedSection {
  format: LineFormat;
  reader: LineReader;
  /** Key of the terminal that printed it; null when nothing shows which. */
  terminal: string | null;
}

export class SectionIndex<S extends IndexedSection> {
  readonly all: S[] = [];
  /** First section by format and terminal, of the formats whose next run is their next snapshot. */
  readonly #reruns = new Map<string, S>();
  readonly #recent = new Map<LineFormat, S[]>();

  add(section: S): void {
    const { format, reader, terminal } = section;
    this.all.push(section);
    const recent = this.#recent.get(format) ?? [];
    this.#recent.set(format, [...recent.slice(1 - RECENT), section]);
    if (terminal === null || !reader.rerun) return;
    const key = keyOf(format, terminal);
    if (!this.#reruns.has(key)) this.#reruns.set(key, section);
  }

  /** Forgets the section that was added last. */
  removeLast(): void {
    const section = this.all.pop();
    if (!section) return;
    const { format, terminal } = section;
    this.#recent.get(format)?.pop();
    if (terminal === null) return;
    const key = keyOf(format, terminal);
    if (this.#reruns.get(key) === section) this.#reruns.delete(key);
  }

  /** The section of which another run of the tool on this terminal is the next snapshot. */
  rerunOn(format: LineFormat, terminal: string | null): S | undefined {
    return terminal === null ? undefined : this.#reruns.get(keyOf(format, terminal));
  }

  /** A section that a line, which stands apart from it, continues. */
  continuedBy(format: LineFormat, text: string): S | undefined {
    return this.#recent.get(format)?.find(({ reader }) => reader.continues?.(text));
  }
}

function keyOf(format: LineFormat, terminal: string): string {
  return `${format.id} ${terminal}`;
}
