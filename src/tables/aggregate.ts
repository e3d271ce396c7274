/** Rows of timeline.csv that stand for connections counted instead of listed. */

import { count as counted, number } from '../explain/words.ts';
import { type Context, numberOf } from '../model/case.ts';
import type { CauseGroup } from '../model/result.ts';
import type { CommonTime } from '../model/time.ts';
import { eventMomentsOf, type Moment, momentsOf } from './moments.ts';

/** What the rows of some connections would have said, in one. */
export interface Aggregate {
  /** Source of the earliest, whose clock times it. */
  from: number;
  at: CommonTime | null;
  what: string;
}

/** Kinds of rows, in the order in which they are told of. */
const KINDS = ['packet', 'state', 'drop', 'icmp', 'call', 'socket', 'kernel'] as const;

/** `ids`: of connections, one at least. */
export function aggregateOf(cause: CauseGroup, ids: readonly string[], context: Context): Aggregate {
  const rows = { packet: 0, state: 0, drop: 0, icmp: 0, call: 0, socket: 0, kernel: 0 };
  const span: { first: Moment | null; last: Moment | null } = { first: null, last: null };
  for (const id of ids) {
    const c = context.cases.at(numberOf({ id }));
    for (const w of c.wires) rows.packet += w.keyPackets.length;
    for (const l of c.lives) rows.state += l?.transitions.length ?? 0;
    rows.drop += c.drops.length;
    rows.icmp += c.icmp.length;
    rows.call += c.calls.length;
    rows.socket += c.rows.length;
    rows.kernel += c.kernel.length;
    for (const moment of [...momentsOf(c, context), ...eventMomentsOf(c, context)]) {
      if (span.first === null || moment.at < span.first.at) span.first = moment;
      if (span.last === null || moment.at > span.last.at) span.last = moment;
    }
  }
  const said = KINDS.filter((k) => rows[k] > 0).map((k) => `${k} ${number(rows[k])}`);
  const total = KINDS.reduce((sum, k) => sum + rows[k], 0);
  const { first, last } = span;
  const until = last
    ? `, the last at ${context.timeline.format(last.at, context.timeline.label(last.source))}`
    : '';
  return {
    from: first?.source ?? context.cases.at(numberOf({ id: ids[0]! })).wires[0]?.source ?? 0,
    at: first?.at ?? null,
    what: `${counted(ids.length, 'more connection')} with ${cause.rule}: ${counted(total, 'row')} not listed (${said.join(', ')})${until}`,
  };
}
