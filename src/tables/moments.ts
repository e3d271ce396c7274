/** When a connection was seen. */
import type { Case, Context } from '../model/case.ts';
import type { CommonTime } from '../model/time.ts';

export interface Moment {
  at: CommonTime;
  source: number;
}

/**
 * First and last packet and change of state of a connection in each source, where these have times that can be compared: where
 * they cannot, those of its sockets, else of the first that has any.
 */
export function momentsOf(c: Case, { timeline }: Context): Moment[] {
  const moments: Moment[] = [];
  const add = (at: CommonTime | null, source: number) => {
    if (at !== null) moments.push({ at, source });
  };
  for (const w of c.wires) {
    add(timeline.at(w.source, w.start), w.source);
    add(timeline.at(w.source, w.end), w.source);
  }
  for (const l of c.lives) {
    if (!l) continue;
    add(timeline.ofTransition(l, 0), l.source);
    add(timeline.ofTransition(l, l.transitions.length - 1), l.source);
  }
  const [one] = moments.filter((m) => c.lives.some((l) => l?.source === m.source));
  const { source } = one ?? moments[0] ?? {};
  return source === undefined ? [] : moments.filter((m) => timeline.comparable(m.source, source));
}

/** Of all else that was seen of it: drops, calls, rows of tables, events of the kernel. */
export function eventMomentsOf(c: Case, { timeline }: Context): Moment[] {
  const moments: Moment[] = [];
  for (const list of [c.drops, c.icmp, c.calls, c.rows, c.kernel]) {
    for (const e of list) {
      const at = timeline.at(e.source, e.time);
      if (at !== null) moments.push({ at, source: e.source });
    }
  }
  return moments;
}
