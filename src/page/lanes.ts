/**
 * Lanes as SVG. Positions are shares of the width, so that a wider picture is a zoom: the style sheet makes it so
 * wide as the chosen zoom says, and shows the labels that have room then. No script is needed for it.
 */
import { formatSpan } from '../align/format-time.ts';
import type { BrokenAxis } from '../charts/broken-axis.ts';
import { STATE_COLORS } from '../charts/palette.ts';
import { formatEndpoint } from '../model/address.ts';
import { shortened } from '../view/escape.ts';
import type { Ladder, Step } from '../view/ladder.ts';
import { anchor, type LabelPlace, placeLabels, ZOOMS, zoomToFit } from './labels.ts';
import { type Arrow, type Bar, type Lanes, lanesOf, type Mark } from './lane-rows.ts';
import { html, type Markup, NOTHING } from './markup.ts';

/** Pixels from the top. */
const BREAKS = 12;
const CLIENT = 64;
const LANE = 20;
const SERVER = 182;
const LISTENER = 254;
const TEXT_ROW = 13;
/** Rows for labels of packets between the lanes, from the top and from the bottom in turn. */
const PACKET_ROWS = [0.5, 3.5, 1.5, 4.5, 2.5, 5.5].map((row) => CLIENT + LANE + 12 + row * TEXT_ROW);
const MARK_ROWS = 2;

const KNOWN = new Set(STATE_COLORS.map(([state]) => state as string));

export function lanesFigure(ladder: Ladder, steps: readonly Step[]): Markup {
  const lanes = lanesOf(ladder);
  if (lanes === null) return NOTHING;
  const { id } = lanes.row;
  const choices = ZOOMS.map(
    (z) =>
      html`<label><input type="radio" name="zoom-${id}" value="${z}"${z === 1 && html` checked`}>${z}×</label>`,
  );
  return html`<div class="lanes" data-connection="${id}">
<fieldset class="zoom"><legend>Zoom</legend>${choices}</fieldset>
<div class="lanes-box">${names(lanes)}<div class="scroll" role="region" aria-label="Lanes of ${id}" tabindex="0">${plot(lanes, steps)}</div></div>
<p class="facts">${basisWords(lanes)}</p>
</div>
`;
}

function basisWords({ basis, axis, unplaced, bars }: Lanes): string {
  const words = {
    time: 'Time since the first step.',
    own: 'Time since the first state of each socket: the log prints durations only.',
    order: 'In order; no time is known.',
  };
  const cut =
    axis.breaks.length > 0
      ? ' Idle time is cut out at the gaps marked //; each stretch has a scale of its own.'
      : '';
  const left =
    unplaced > 0 ? ` ${unplaced} steps whose place in time is not known are in the table only.` : '';
  const implied = bars.some((b) => b.implied)
    ? ' Pale states are what the packets imply: no kernel was recorded there.'
    : '';
  return `${words[basis]}${cut}${implied}${left}`;
}

function heightOf(lanes: Lanes): number {
  return (hasListener(lanes) ? LISTENER + 22 : SERVER + LANE + 42) + 46;
}

function hasListener({ marks }: Lanes): boolean {
  return marks.some((m) => m.lane === 'listener');
}

/** The names stay in sight while the picture scrolls. */
function names(lanes: Lanes): Markup {
  const { row } = lanes;
  const name = (y: number, end: string, address: string, comm: string, pid: number | null) => {
    const who = comm === '' ? '' : `${comm}${pid === null ? '' : `[${pid}]`}`;
    return html`<text x="0" y="${y}" class="name">${end}</text><text x="0" y="${y + 14}">${shortened(address, 24)}</text><text x="0" y="${y + 28}">${shortened(who, 24)}</text>`;
  };
  return html`<svg class="names" width="150" height="${heightOf(lanes)}" aria-hidden="true" focusable="false">${name(CLIENT + 8, 'client', formatEndpoint(row.client), row.clientComm, row.clientPid)}${name(SERVER - 6, 'server', formatEndpoint(row.server), row.serverComm, row.serverPid)}${hasListener(lanes) && html`<text x="0" y="${LISTENER + 4}" class="name">listener</text>`}</svg>`;
}

function plot(lanes: Lanes, steps: readonly Step[]): Markup {
  const bottom = heightOf(lanes) - 46;
  return html`<svg class="plot" height="${heightOf(lanes)}" role="img" aria-label="${spoken(lanes)}">
${ticks(lanes.axis, bottom)}${lane('client', CLIENT)}${lane('server', SERVER)}
${lanes.bars.map((b) => bar(b, lanes.axis, steps))}
${arrows(lanes.arrows, steps)}
${breaks(lanes.axis, bottom)}
${arrowLabels(lanes.arrows)}${marks(lanes.marks, steps)}</svg>`;
}

/** What the picture shows, for those who cannot see it; every step is in the table after it. */
function spoken({ row, bars, arrows, marks }: Lanes): string {
  const states = (end: Bar['end']) => bars.filter((b) => b.end === end).map((b) => b.state);
  const said = (['client', 'server'] as const).map((end) => {
    const list = states(end);
    return list.length > 0 ? `${end}: ${list.join(', ')}` : `${end}: states not recorded`;
  });
  return `Lanes of ${row.id}. ${said.join('; ')}. ${arrows.length} packets and ${marks.length} other moments, all in the table below.`;
}

/** Labels at the ends need some room beside them. */
const MARGIN = 2;

/** A position as SVG writes it. */
const pc = (x: number) => `${Number((MARGIN + (x * (100 - 2 * MARGIN)) / 100).toFixed(3))}%`;
/** A width. */
const wide = (x: number) => `${Number(((x * (100 - 2 * MARGIN)) / 100).toFixed(3))}%`;

function lane(end: string, y: number): Markup {
  return html`<line class="lane ${end}" x1="0" x2="100%" y1="${y + LANE / 2}" y2="${y + LANE / 2}"/>`;
}

function ticks({ ticks: list, stretches }: BrokenAxis, bottom: number): Markup {
  return html`${list.map((t) => html`<line class="tick" x1="${pc(t.x)}" x2="${pc(t.x)}" y1="20" y2="${bottom}"/><text class="${anchor(t.x)}" x="${pc(t.x)}" y="${bottom + 14}">${t.label}</text>`)}${stretches.map((s) => html`<line class="scale" x1="${pc(s.x)}" x2="${pc(s.x2)}" y1="${bottom + 22}" y2="${bottom + 22}"/><text class="span ${anchor((s.x + s.x2) / 2)}" x="${pc((s.x + s.x2) / 2)}" y="${bottom + 36}">${s.label}</text>`)}`;
}

/** Each break: the lanes end, torn paper, and how much is missing. */
function breaks(axis: BrokenAxis, bottom: number): Markup {
  let last = -100;
  let row = 0;
  return html`${axis.breaks.map((b) => {
    const middle = (b.x + b.x2) / 2;
    row = middle - last < 11 ? 1 - row : 0;
    last = middle;
    const edge = (x: number) => html`<line class="tear" x1="${pc(x)}" x2="${pc(x)}" y1="18" y2="${bottom}"/>`;
    return html`<g class="break"><title>${b.label} in which nothing changed are cut out</title><rect x="${pc(b.x + 0.5)}" width="${wide(b.x2 - b.x - 1)}" y="18" height="${bottom - 18}"/>${edge(b.x + 0.5)}${edge(b.x2 - 0.5)}<text class="middle span" x="${pc(middle)}" y="${BREAKS + row * TEXT_ROW}">// ${b.label}</text></g>`;
  })}`;
}

function titleOf(step: Step): string {
  return [step.when, step.what, step.who].filter(Boolean).join('  ');
}

function bar(b: Bar, axis: BrokenAxis, steps: readonly Step[]): Markup {
  const y = b.end === 'client' ? CLIENT : SERVER;
  const [x, x2] = widestPart(b, axis);
  const zoom = zoomToFit(b.state, x, x2);
  const name =
    zoom !== null &&
    html`<text class="state middle z${zoom}" x="${pc((x + x2) / 2)}" y="${y + 14}">${b.state}</text>`;
  const kind = KNOWN.has(b.state) ? b.state : 'other';
  const lasted = b.lasted === null ? '' : `, ${b.open ? 'at least ' : ''}${formatSpan(b.lasted)}`;
  return html`<g class="bar s-${kind}${b.open && ' open'}${b.implied && ' implied'}" data-step="${b.step}"><title>${b.end} in ${b.state}${lasted}${b.implied && ', as the packets imply'}
${titleOf(steps[b.step]!)}</title><rect x="${pc(b.x)}" width="${wide(Math.max(b.x2 - b.x, 0.25))}" y="${y}" height="${LANE}"/>${name}</g>
`;
}

/** Where the breaks of the axis leave most of a bar to be seen. */
function widestPart({ x, x2 }: Bar, axis: BrokenAxis): [number, number] {
  const edges = axis.breaks.filter((b) => b.x2 > x && b.x < x2).flatMap((b) => [b.x, b.x2]);
  const cuts = [x, ...edges, x2];
  let widest: [number, number] = [x, x];
  for (let i = 0; i < cuts.length; i += 2) {
    const [from, to] = [Math.max(cuts[i]!, x), Math.min(cuts[i + 1]!, x2)];
    if (to - from > widest[1] - widest[0]) widest = [from, to];
  }
  return widest;
}

function arrows(list: readonly Arrow[], steps: readonly Step[]): Markup {
  return html`${list.map((a) => {
    const [y1, y2] = yOf(a);
    const ends = html`x1="${pc(a.x)}" y1="${y1}" x2="${pc(a.x2)}" y2="${y2}"`;
    return html`<g class="arrow${a.alarming && ' bad'}" data-step="${a.step}"><title>${titleOf(steps[a.step]!)}</title><line class="hit" ${ends}/><line ${ends} marker-end="url(#${a.alarming ? 'head-bad' : 'head'})"/></g>
`;
  })}`;
}

/** Of a packet that was lost half the way. */
function yOf({ from, lost }: Arrow): [number, number] {
  const middle = (CLIENT + LANE + SERVER) / 2;
  if (lost) return from === 'client' ? [CLIENT + LANE, middle] : [SERVER, middle];
  return from === 'client' ? [CLIENT + LANE, SERVER] : [SERVER, CLIENT + LANE];
}

/** Labels of packets stand on their arrows, above the breaks. */
function arrowLabels(list: readonly Arrow[]): Markup {
  const xAt = (a: Arrow, level: number) => {
    const [y1, y2] = yOf(a);
    return a.x + ((PACKET_ROWS[level]! - 4 - y1) / (y2 - y1)) * (a.x2 - a.x);
  };
  const important = (a: Arrow) => a.alarming || /SYN|FIN/.test(a.label);
  const boxes = list.map((a) => ({
    x: (level: number) => xAt(a, level),
    text: a.label,
    important: important(a),
  }));
  const places = placeLabels(boxes, PACKET_ROWS.length);
  return html`${list.map((a, i) => {
    const place = places[i]!;
    if (place === null) return NOTHING;
    const label = textAt(a.label, xAt(a, place.level), place, (level) => PACKET_ROWS[level]!);
    return html`<g class="label${a.alarming && ' bad'}" data-step="${a.step}">${label}</g>
`;
  })}`;
}

function textAt(
  text: string,
  x: number,
  place: LabelPlace | null,
  y: (level: number) => number,
): Markup | false {
  if (place === null) return false;
  return html`<text class="${anchor(x)} z${place.zoom}" x="${pc(x)}" y="${y(place.level)}">${text}</text>`;
}

const GLYPHS: readonly (readonly [RegExp, string])[] = [
  [/^dropped/, '✗'],
  [/ in a table$/, '◆'],
  [/^queue/, '▮'],
  [/→/, '◇'],
];

/** Marks of a lane: a glyph at its edge, and words beyond it where there is room. */
function marks(list: readonly Mark[], steps: readonly Step[]): Markup {
  const lanes = ['client', 'server', 'listener'] as const;
  return html`${lanes.map((l) => {
    const mine = list.filter((m) => m.lane === l);
    const places = placeLabels(
      mine.map((m) => ({ x: () => m.x, text: m.label, important: m.alarming })),
      l === 'listener' ? 1 : MARK_ROWS,
    );
    return mine.map((m, i) => mark(m, places[i]!, steps));
  })}`;
}

function mark(m: Mark, place: LabelPlace | null, steps: readonly Step[]): Markup {
  const glyph = GLYPHS.find(([pattern]) => pattern.test(m.label))?.[1] ?? '●';
  const [y, label] = {
    client: [CLIENT - 1, (level: number) => CLIENT - 14 - level * TEXT_ROW],
    server: [SERVER + LANE + 11, (level: number) => SERVER + LANE + 24 + level * TEXT_ROW],
    listener: [LISTENER + 4, () => LISTENER + 18],
  }[m.lane] as [number, (level: number) => number];
  return html`<g class="mark${m.alarming && ' bad'}" data-step="${m.step}"><title>${titleOf(steps[m.step]!)}</title><text class="glyph middle" x="${pc(m.x)}" y="${y}">${glyph}</text>${textAt(m.label, m.x, place, label)}</g>
`;
}

/** Heads of arrows, once a page; and what the colours mean. */
export function lanesLegend(): Markup {
  const head = (id: string) =>
    html`<marker id="${id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0.5 L8,4 L0,7.5 z"/></marker>`;
  const states = STATE_COLORS.filter(([state]) => state !== 'NEW_SYN_RECV');
  return html`<svg class="heads" width="0" height="0" aria-hidden="true" focusable="false"><defs>${head('head')}${head('head-bad')}</defs></svg>
<ul class="legend" aria-label="Colours of the states">${states.map(([state]) => html`<li><span class="swatch s-${state}"></span>${state}</li>`)}</ul>
<details class="part"><summary>How to read the lanes</summary><p class="facts">Arrows are packets, slanted where two captures show when each was sent and received. ✗ dropped by a kernel · ● a call or another event · ◆ row of a socket table · ◇ ▮ listener and its accept queue. Point at anything for its time, and use the zoom (or + and − in the picture) for what lies close together. In the tables <em>during</em> names the process that the kernel interrupted for it, which need not have to do with it.</p></details>
`;
}
