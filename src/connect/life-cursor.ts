/** Orderly lives read from their records, without making objects of them. */
import type { Side } from '../model/connection.ts';
import type { PlainLife } from '../model/plain.ts';
import type { SourceTime } from '../model/time.ts';
import {
  LOCAL,
  NONE,
  OWN_STEPS,
  PATH,
  PATHS,
  type Path,
  PORTS,
  placeOf,
  STEP,
  STEP_WORDS,
  STEPS,
  TIME,
} from './orderly-layout.ts';
import type { Rows } from './rows.ts';

/** One after the other. */
export class LifeCursor implements PlainLife {
  readonly source: number;
  readonly #rows: Rows;
  readonly #texts: readonly string[];
  #at = 0;

  constructor(source: number, rows: Rows, texts: readonly string[]) {
    this.source = source;
    this.#rows = rows;
    this.#texts = texts;
  }

  open(index: number): this {
    this.#at = placeOf(index);
    return this;
  }

  get states(): Path {
    return PATHS[this.#rows.words[this.#at + PATH]!]!;
  }

  get side(): Side {
    return this.states[1] === 'SYN_SENT' ? 'client' : 'server';
  }

  get localAddress(): string {
    return this.#texts[this.#rows.words[this.#at + LOCAL]!]!;
  }

  get localPort(): number {
    return this.#rows.words[this.#at + PORTS]! >>> 16;
  }

  get pid(): number | null {
    const step = this.#ownStep;
    return step === 0 ? null : this.#rows.words[step + 1]!;
  }

  get comm(): string {
    const step = this.#ownStep;
    return step === 0 ? '' : this.#texts[this.#rows.words[step + 2]!]!;
  }

  line(step: number): number {
    return this.#rows.words[this.#at + STEP + step * STEP_WORDS]!;
  }

  time(step: number): SourceTime | null {
    const time = this.#rows.doubles[((this.#at + TIME) >> 1) + step]!;
    return Number.isNaN(time) ? null : (time as SourceTime);
  }

  duration(step: number): number | null {
    const duration = this.#rows.doubles[((this.#at + TIME) >> 1) + STEPS + step]!;
    if (!Number.isNaN(duration)) return duration;
    const [from, to] = step === 0 ? [null, null] : [this.time(step - 1), this.time(step)];
    return from === null || to === null ? null : Math.max(0, to - from);
  }

  /** Words of the first step that names the owner (see ownerOf); 0 for none. */
  get #ownStep(): number {
    const { words } = this.#rows;
    for (const i of OWN_STEPS[words[this.#at + PATH]!]!) {
      const step = this.#at + STEP + i * STEP_WORDS;
      if (words[step + 1]! > 0 && words[step + 2] !== NONE) return step;
    }
    return 0;
  }
}
