/** Rows of the timeline before their place in the order is known, and that order. */
import type { Case, Context } from '../model/case.ts';
import { ownText } from '../model/own-text.ts';
import type { CommonTime } from '../model/time.ts';
import type { TimelineItem, TimelineKind } from './result.ts';

/** An item before its place in the order is known. `line` orders items of one source that have no time. */
export interface Draft {
  item: TimelineItem;
  from: number;
  line: number;
}

/** By time; an item without one stays behind its predecessor in the same source. */
export function inOrder(drafts: Draft[]): Draft[] {
  drafts.sort((a, b) => a.from - b.from || a.line - b.line);
  const last = new Map<number, number>();
  const keyed = drafts.map((draft) => {
    const effective = draft.item.at ?? last.get(draft.from) ?? Number.NEGATIVE_INFINITY;
    last.set(draft.from, effective);
    return { draft, effective };
  });
  keyed.sort((a, b) => (a.effective === b.effective ? 0 : a.effective - b.effective));
  return keyed.map((k) => k.draft);
}

export interface Base {
  at: CommonTime | null;
  from: number;
  line: number;
  locator: string;
}

export function draft(
  kind: TimelineKind,
  { at, from, line, locator }: Base,
  c: Case | null,
  { sources, timeline }: Context,
  rest: Partial<TimelineItem> & { what: string },
): Draft {
  const source = sources[from]!.name;
  const clock = at === null ? 'order' : timeline.label(from);
  const item = {
    number: 0,
    at,
    time: ownText(timeline.format(at, clock)),
    clock,
    timeSource: source,
    connection: c?.id ?? '',
    kind,
    side: '' as const,
    segment: null,
    reason: '',
    stateBefore: '',
    stateAfter: '',
    pid: null,
    comm: '',
    source,
    locator,
    ...rest,
    // of pieces that are joined when they are read, each would stay by itself
    what: ownText(rest.what),
  };
  return { item, from, line };
}
