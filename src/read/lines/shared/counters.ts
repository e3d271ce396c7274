/** Readings of the kernel's SNMP counters: successive snapshots of one source, so that steps can be taken. */
import type { CounterEvent } from '../../../model/table-event.ts';
import { Interner } from './interner.ts';
import type { TableSource } from './table-source.ts';

export class Counters {
  readonly #source: TableSource;
  readonly #interner = new Interner();
  #snapshot = 0;
  #line = 0;
  #values = new Map<string, number>();
  #delta: boolean | null = false;

  constructor(source: TableSource) {
    this.#source = source;
  }

  /** `delta` null: nothing says whether the values are totals or what was added since the call before. */
  begin(line: number, delta: boolean | null): void {
    this.finish();
    this.#source.begin();
    this.#line = line;
    this.#delta = delta;
  }

  /** False when the counter already has a value in this reading: the tool ran again. */
  set(name: string, value: number): boolean {
    if (this.#values.has(name)) return false;
    if (this.#values.size === 0) this.#source.first();
    // sources are listed in the order in which they begin
    this.#source.open();
    this.#values.set(this.#interner.keep(name), value);
    return true;
  }

  get size(): number {
    return this.#values.size;
  }

  /** A reading without a value is none: a filter may have hidden every counter, and zeros are not printed. */
  finish(): void {
    if (this.#values.size === 0) return;
    const source = this.#source.open();
    const event: CounterEvent = {
      kind: 'counters',
      source: source.id,
      line: this.#line,
      time: this.#source.exactTime,
      snapshot: ++this.#snapshot,
      values: this.#values,
      delta: this.#delta ?? false,
      ...(this.#delta === null && { assumed: true as const }),
    };
    this.#source.event(source, event);
    this.#values = new Map();
  }
}

/**
 * Name of a counter in events: TcpExt without its prefix, as the kernel's own names are unique there
 * (`ListenOverflows`); all others with their group before them (`TcpOutRsts`, `IpExtInOctets`).
 */
export function counterName(group: string, name: string): string {
  return group === 'TcpExt' ? name : `${group}${name}`;
}

/** `TcpExtListenOverflows` as nstat prints it to the name in events. */
export function fromNstatName(name: string): string {
  return name.startsWith('TcpExt') ? name.slice(6) : name;
}
