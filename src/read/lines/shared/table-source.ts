/** The source of tables and counters, which tell of one moment: their clock is the one that was shown beside them. */
import type { Source } from '../../../model/source.ts';
import type { Clock, SourceTime } from '../../../model/time.ts';
import type { ClockReading, Section } from '../../importer.ts';
import { NO_CLOCK, SectionSource } from './section.ts';

export class TableSource extends SectionSource {
  #taken: ClockReading | null = null;
  #isUsed = true;

  constructor(section: Section, format: string) {
    super(section, format);
    this.begin();
  }

  /** The next table begins: of what was shown before the last one nothing follows for it. */
  begin(): void {
    const { shown } = this.section;
    if (shown !== null) this.#taken = shown;
    else if (this.#isUsed) this.#taken = null;
    this.#isUsed = false;
    this.section.shown = null;
  }

  /** Its first row: a clock that stands below the command is of the same command (`date; ss -tan`). */
  first(): void {
    if (!this.#isUsed && this.section.shown !== null) this.begin();
  }

  override open(clock: Clock = this.#taken?.clock ?? NO_CLOCK): Source {
    return super.open(clock);
  }

  /** When the table was taken; null where nothing tells. */
  get time(): SourceTime | null {
    this.#isUsed = true;
    if (this.#taken === null) return null;
    const { clock: own } = this.open();
    const { clock, time } = this.#taken;
    if (clock.kind !== own.kind || (clock.uncertainty ?? 0) > (own.uncertainty ?? 0)) return null;
    return (Number(clock.base - own.base) + time) as SourceTime;
  }

  /** The same, where the table followed at once. */
  get exactTime(): SourceTime | null {
    return this.#taken?.clock.uncertainty === undefined ? this.time : null;
  }

  /** So many sockets are in a state; which, the lines do not say. */
  tellCount(state: string, count: number, line: number): void {
    const source = this.open();
    this.event(source, { kind: 'state-count', source: source.id, line, time: this.time, state, count });
  }
}
