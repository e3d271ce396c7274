/** What the page shows of a result that may be too big for it: decided once, so that links lead to what is there. */
import type { ConnectionRow } from '../tables/connections.ts';
import type { Focus } from '../view/focus.ts';

const ROWS = 200;
/** At about 250 bytes each, this keeps the page below 5 MB. */
const LISTED = 10_000;
const LADDERS = 30;

export interface Page extends Focus {
  /** Rows that the script can search and page through: all, or those with a finding above info first. */
  listed: readonly ConnectionRow[];
  /** Rows that are there without a script: the first of `listed`. */
  tableRows: readonly ConnectionRow[];
  /** Connections drawn step by step, the most telling first. */
  ladders: readonly string[];
  /** Connections that have a place on the page to link to. */
  anchors: ReadonlySet<string>;
}

export function pageOf(focus: Focus): Page {
  const { connections } = focus.result;
  const telling = new Set(focus.telling);
  const ordered =
    connections.length <= ROWS
      ? connections
      : [...connections.filter((r) => telling.has(r.id)), ...connections.filter((r) => !telling.has(r.id))];
  const listed = ordered.slice(0, LISTED);
  const tableRows = listed.slice(0, ROWS);
  // where nothing is wrong, whatever the timeline has may still be looked at
  const candidates = focus.telling.length > 0 ? focus.telling : connections.map((r) => r.id);
  const ladders = candidates.filter((id) => (focus.timeline.get(id)?.length ?? 0) > 1).slice(0, LADDERS);
  return {
    ...focus,
    listed,
    tableRows,
    ladders,
    anchors: new Set([...ladders, ...tableRows.map((r) => r.id)]),
  };
}
