/**
 * The causes of an incident as a tree, with bars on one axis of time for those that met connections at several moments: text
 * draws each bar as a character, the page as a rectangle.
 */
import { formatSpan } from '../align/format-time.ts';
import { moment } from '../explain/words.ts';
import type { Incident, IncidentCause, Picture } from '../model/incident.ts';
import { visible } from '../model/visible.ts';
import { wrap } from './columns.ts';
import { shortened } from './escape.ts';
import { CONFIDENCE_NAMES, counted, number } from './words.ts';

export interface StripRow {
  label: string;
  /** Rule id; '' where it is no cause of a connection. */
  rule: string;
  depth: number;
  /** At the end of the row: `40 likely`, `4 likely, 2 possible`, `at most 6`. */
  note: string;
  /** Share of the tallest bar, 0 to 1; null where nothing is known. Empty without times. */
  bars: (number | null)[];
  /** The accept queue: a level, not a count; its limit as a share, where it is known. */
  queue: { limit: number | null } | null;
}

export interface Strip {
  rows: StripRow[];
  /** Null where there are no bars. */
  axis: { from: string; to: string; scale: string } | null;
}

export function stripOf({ cause, picture }: Incident): Strip {
  const counts = new Map(picture?.causes.map((c) => [c.rule, c.counts]));
  const most = [...counts.values()].reduce((n, own) => own.reduce((m, v) => Math.max(m, v), n), 1);
  const axis = picture && axisOf(picture);
  const rows = causesOf(cause).map(({ cause: c, depth }): StripRow => {
    const bars = (axis && counts.get(c.rule)?.map((n) => n / most)) ?? [];
    return { label: c.title, rule: c.rule, depth, note: noteOf(c), bars, queue: null };
  });
  if (!picture || !axis) return { rows, axis: null };
  const { queue, step } = picture;
  const scale = `Tallest bar: ${counted(most, 'connection')} in ${formatSpan(step * 1e9)}.`;
  return {
    rows: queue ? [...rows, queueRow(queue)] : rows,
    axis: { ...axis, scale },
  };
}

/** Null where both ends read the same: so short a time is one moment. */
function axisOf({ from, to }: Picture): { from: string; to: string } | null {
  if (moment(from) === moment(to)) return null;
  return {
    from: moment(from, from.slice(0, 10) !== to.slice(0, 10)).replace(/ UTC$/, ''),
    to: moment(to, false),
  };
}

/** Top to bottom, each with how deep it stands. */
export function causesOf(cause: IncidentCause, depth = 0): { cause: IncidentCause; depth: number }[] {
  return [{ cause, depth }, ...cause.children.flatMap((child) => causesOf(child, depth + 1))];
}

/** `40 likely`, `4 likely, 2 possible`. */
function noteOf({ confidences }: IncidentCause): string {
  return (['proved', 'inferred', 'possible'] as const)
    .flatMap((c) =>
      confidences[c] === undefined ? [] : [`${number(confidences[c])} ${CONFIDENCE_NAMES[c]}`],
    )
    .join(', ');
}

function queueRow({ limit, held }: NonNullable<Picture['queue']>): StripRow {
  const most = held.reduce<number>((m, v) => Math.max(m, v ?? 0), 0);
  const top = Math.max(1, most, limit ?? 0);
  return {
    label: limit === null ? 'In the accept queue' : `In the accept queue (limit ${number(limit)})`,
    rule: '',
    depth: 0,
    note: `at most ${number(most)}`,
    bars: held.map((v) => (v === null ? null : v / top)),
    queue: { limit: limit === null ? null : limit / top },
  };
}

const BLOCKS = '▁▂▃▄▅▆▇█';
/** Columns of the bars, beside labels that need most of the room: of 80 columns the smaller part. */
const barsIn = (width: number) => (width < 90 ? 16 : 30);

/** Lines no wider than `width`. */
export function stripText({ rows, axis }: Strip, width: number): string[] {
  const notes = rows.reduce((n, r) => Math.max(n, r.note.length), 0);
  if (axis === null) return rows.map((row) => line(row, width - notes - 1, [], notes));
  const steps = rows.reduce((n, r) => Math.max(n, r.bars.length), 0);
  const per = Math.ceil(steps / barsIn(width));
  const columns = Math.ceil(steps / per);
  const label = width - columns - notes - 2;
  const gap = ' '.repeat(Math.max(1, columns - axis.from.length - axis.to.length));
  const times = `${axis.from}${gap}${axis.to}`;
  const below = wrap(axis.scale, width);
  return [
    ...rows.map((row) => {
      const isBare = row.bars.length === 0 && row.note === '';
      return isBare ? line(row, width, [], 0) : line(row, label, merged(row.bars, per, columns), notes);
    }),
    ...(times.length <= columns + notes + 1 ? [`${' '.repeat(label + 1)}${times}`] : [times.padStart(width)]),
    ...below.map((text) => text.padStart(width)),
  ];
}

function line(
  { label, depth, note }: StripRow,
  room: number,
  bars: readonly string[],
  notes: number,
): string {
  const indent = depth === 0 ? '' : `${'  '.repeat(depth - 1)}└ `;
  const text = `${indent}${shortened(visible(label), Math.max(8, room - indent.length))}`;
  const drawn = bars.length > 0 ? `${bars.join('')} ` : '';
  return `${text.padEnd(room)} ${drawn}${note.padStart(notes)}`.trimEnd();
}

/** A character for so many bars each. */
function merged(bars: readonly (number | null)[], per: number, columns: number): string[] {
  if (bars.length === 0) return new Array<string>(columns).fill(' ');
  return Array.from({ length: columns }, (_, i) => block(bars.slice(i * per, (i + 1) * per)));
}

function block(bars: readonly (number | null)[]): string {
  const known = bars.filter((b) => b !== null);
  if (known.length === 0) return ' ';
  const most = known.reduce((a, b) => Math.max(a, b), 0);
  return most === 0 ? '·' : BLOCKS[Math.min(7, Math.ceil(most * 8) - 1)]!;
}
