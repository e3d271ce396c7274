/**
 * Snapshots of a table, one a run: which run a row belongs to, and the event that says the table was looked at even
 * when it was empty.
 */
import type { SnapshotEvent, SocketEvent } from '../../../model/table-event.ts';
import { FILTER_UNKNOWN } from './table-command.ts';
import type { TableSource } from './table-source.ts';

/** What a table shows of a socket; what only some tools print is null where it is left out. */
export type Shown = Omit<SocketEvent, keyof typeof NOT_SHOWN | keyof SnapshotEvent> &
  Partial<typeof NOT_SHOWN>;
const NOT_SHOWN: Pick<SocketEvent, 'acceptLimit' | 'timer'> = { acceptLimit: null, timer: null };

export class Snapshots {
  readonly #source: TableSource;
  /** Number of the current snapshot, from 1; 0 before the first. */
  number = 0;
  #line = 0;
  #filter: string | null = null;
  #rows = 0;
  /** A prompt shows that the tool ran: an empty table is then evidence. */
  #ran = false;
  #whole = true;

  constructor(source: TableSource) {
    this.#source = source;
  }

  begin(line: number, filter: string | null, ran: boolean): void {
    this.finish();
    this.#source.begin();
    this.number++;
    this.#line = line;
    this.#filter = filter;
    this.#rows = 0;
    this.#ran = ran;
    this.#whole = true;
  }

  /** Says what the table leaves out, where a title tells what no command line did. */
  narrow(filter: string | null): void {
    if (this.#filter === null || this.#filter === FILTER_UNKNOWN) this.#filter = filter;
  }

  get rows(): number {
    return this.#rows;
  }

  row(): void {
    if (this.#rows === 0) this.#source.first();
    this.#rows++;
  }

  /** A row of the current one. */
  socket(line: number, shown: Shown): SocketEvent {
    const { id } = this.#source.open();
    const where = { source: id, line, time: this.#source.time, snapshot: this.number };
    return { kind: 'socket', ...where, ...NOT_SHOWN, ...shown };
  }

  /** The same, told at once. */
  tell(line: number, shown: Shown): void {
    const event = this.socket(line, shown);
    this.#source.event(this.#source.open(), event);
  }

  /** A line was not understood: the table may hold more than its rows, so its emptiness proves nothing. */
  spoil(): void {
    this.#whole = false;
  }

  /** Rows come first, then the snapshot they make up. */
  finish(): void {
    if (this.number === 0 || !this.#whole || (this.#rows === 0 && !this.#ran)) return;
    const source = this.#source.open();
    const event: SnapshotEvent = {
      kind: 'snapshot',
      source: source.id,
      line: this.#line,
      time: this.#source.time,
      snapshot: this.number,
      filter: this.#filter,
      rows: this.#rows,
    };
    this.#source.event(source, event);
    this.#whole = false;
  }
}
