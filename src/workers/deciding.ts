/**
 * Connections of one capture decided by several threads, a stretch each: every one of them has all records, and joins them
 * for itself, for what other connections of a server show may decide. The last stretches are those of the others.
 */

import type { Readings } from '../align/counters.ts';
import { join, type Read } from '../align/join.ts';
import { trackerOf } from '../connect/capture.ts';
import { buffersOf, type TrackerState } from '../connect/tracker-state.ts';
import { beginExplaining, type Decided, type Explaining, type ExplainOptions } from '../explain/explain.ts';
import type { Context } from '../model/case.ts';
import { type Diagnostic, Diagnostics } from '../model/diagnostic.ts';
import type { KernelEvent } from '../model/event.ts';
import type { Finding } from '../model/finding.ts';
import type { Source } from '../model/source.ts';
import { type TableParts, TableSpool } from '../tables/assemble.ts';
import { ConnectionFacts } from '../tables/connection-facts.ts';
import { type ConnectionRow, connectionRow } from '../tables/connections.ts';
import type { Pool } from './pool.ts';

/** Events are copied for each thread: of more than these a thread would cost more than it brings. */
const FEW_EVENTS = 10_000;
/** Each thread has a copy of the records, and a heap of its own: of more connections that is more than there may be. */
const MOST = 200_000;

/** What a thread is given. */
export interface Stretch {
  sources: Source[];
  zeekTimers: boolean;
  readings: Readings | undefined;
  events: ReadonlyMap<number, KernelEvent[]>;
  capture: { source: Source; encapsulations: readonly string[]; tracker: TrackerState };
  /** Which of how many. */
  number: number;
  of: number;
  /** Rows are wanted as well. */
  hasTables: boolean;
}

/** What it answers. */
export interface DecidedStretch {
  decided: Decided;
  tables: TableParts | null;
  /** Rules that failed. */
  diagnostics: Diagnostic[];
}

/** First connection of a stretch. */
function beginOf(number: number, of: number, count: number): number {
  return Math.floor((count * number) / of);
}

/** The stage that makes rows of what it decides. */
export function explainingInto(
  tables: TableSpool | null,
  context: Context,
  diagnostics: Diagnostics,
  options: Omit<ExplainOptions, 'onDecided'> = {},
  onConnection?: (row: ConnectionRow, findings: readonly Finding[]) => void,
): Explaining {
  return beginExplaining(context, diagnostics, {
    ...options,
    ...(tables && {
      onDecided: (n, findings, verdicts) => {
        const connection = new ConnectionFacts(n, verdicts, context);
        tables.add(connection, findings);
        onConnection?.(connectionRow(connection), findings);
      },
    }),
  });
}

/** The task of a thread. */
export function decideStretch(stretch: Stretch): DecidedStretch {
  const { sources, zeekTimers, readings, events, capture, number, of, hasTables } = stretch;
  const tracker = trackerOf(capture.source, zeekTimers, capture.encapsulations).adopt(capture.tracker);
  const read: Read = { trackers: new Map([[capture.source.id, tracker]]), events, lives: new Map() };
  // what joining has to say the main thread says
  const context = join(sources, read, new Diagnostics(), readings);
  const diagnostics = new Diagnostics();
  const tables = hasTables ? new TableSpool(false) : null;
  const explaining = explainingInto(tables, context, diagnostics);
  const { count } = context.cases;
  const [from, to] = [beginOf(number, of, count), beginOf(number + 1, of, count)];
  explaining.decide(from, to);
  return {
    decided: explaining.decided(from, to),
    tables: tables?.parts() ?? null,
    diagnostics: diagnostics.list(),
  };
}

/** What of it goes to the main thread without being copied. */
export function buffersOfStretch({ decided, tables }: DecidedStretch): ArrayBuffer[] {
  const parts = tables ? [...tables.connections, ...tables.findings] : [];
  const arrays = [...Object.values(decided.verdicts), decided.kept] as { buffer: ArrayBuffer }[];
  return [
    ...arrays.map(({ buffer }) => buffer),
    ...parts.flatMap(({ bytes }) => (bytes ? [bytes.buffer] : [])),
  ];
}

/** Other threads at work on connections that this one has read, of which it decides the first stretch. */
export class DecidingBeside {
  readonly #pool: Pool | undefined;
  readonly #others: Promise<DecidedStretch | null>[] = [];

  /** To be called before `read` is joined. Without threads, or where they do not pay, nothing is left to others. */
  constructor(
    pool: Pool | undefined,
    { trackers, events, lives }: Read,
    around: Pick<Stretch, 'sources' | 'zeekTimers' | 'readings' | 'hasTables'>,
  ) {
    this.#pool = pool;
    const [only, ...more] = [...trackers].filter(([, { count }]) => count > 0);
    const isFew = [...events.values()].reduce((sum, { length }) => sum + length, 0) <= FEW_EVENTS;
    if (!pool?.parallel || !only || more.length > 0 || lives.size > 0 || !isFew) return;
    const [id, tracker] = only;
    if (tracker.count < pool.least.connections || tracker.count > MOST) return;
    const { encapsulations } = tracker;
    const of = pool.threads + 1;
    for (let number = 1; number < of; number++) {
      const state = tracker.copy();
      const capture = { source: around.sources[id]!, encapsulations, tracker: state };
      const asked = pool.run('decide', { ...around, events, capture, number, of }, buffersOf(state));
      this.#others.push(asked.catch(() => null));
    }
  }

  /** So many connections are this thread's own. */
  own(count: number): number {
    return beginOf(1, this.#others.length + 1, count);
  }

  /** Takes what the others have decided, in the order of connections; what one could not is decided here. */
  async rest(
    explaining: Explaining,
    tables: TableSpool | null,
    diagnostics: Diagnostics,
    count: number,
    busy: <T>(stage: () => T) => T,
  ): Promise<void> {
    const of = this.#others.length + 1;
    for (const [i, other] of this.#others.entries()) {
      const [from, to] = [beginOf(i + 1, of, count), beginOf(i + 2, of, count)];
      const stretch = await other;
      if (!stretch) busy(() => explaining.decide(from, to));
      else {
        explaining.take(from, stretch.decided);
        if (stretch.tables) tables?.take(stretch.tables);
        for (const d of stretch.diagnostics) diagnostics.add(d);
      }
    }
    // what they hold is as much as what is to be put together now
    if (of > 1) await this.#pool?.trim();
  }
}
