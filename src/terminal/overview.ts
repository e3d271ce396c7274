/** The first screen in a terminal. */
import type { Incident } from '../model/incident.ts';
import { briefLadder } from '../view/ladder-text.ts';
import type { IncidentView, Overview } from '../view/overview.ts';
import { stripText } from '../view/strip.ts';
import { counted, SEVERITY_SIGNS } from '../view/words.ts';
import { Page, type Terminal } from './sheet.ts';

export const STYLES = { error: 'red', warning: 'yellow', info: 'cyan' } as const;
const LABEL = 11;

interface Detail {
  /** Incidents with everything, and in short. */
  whole: number;
  short: number;
  /** Lines of one picture. */
  picture: number;
  /** Servers with healthy connections. */
  healthy: number;
}

const ALL: Detail = { whole: 3, short: 8, picture: 99, healthy: 5 };
/** The first that fits is taken. */
const DETAILS: readonly Detail[] = [
  ALL,
  ...[3, 2].map((whole) => ({ whole, short: 8, picture: 16, healthy: 2 })),
  // that there is another problem matters more than every step of one
  ...[8, 4, 3, 2, 1].flatMap((short) => [16, 9].map((picture) => ({ whole: 1, short, picture, healthy: 1 }))),
  ...[16, 12, 8, 4, 0].map((picture) => ({ whole: 1, short: 0, picture, healthy: 1 })),
];

/** The whole of it, or as much as fits into so many lines. */
export function overviewLines(
  overview: Overview,
  terminal: Terminal,
  room = Number.POSITIVE_INFINITY,
): string[] {
  let lines: string[] = [];
  for (const detail of DETAILS) {
    lines = linesOf(overview, terminal, detail);
    if (lines.length <= room) break;
  }
  return lines;
}

function linesOf(overview: Overview, terminal: Terminal, detail: Detail): string[] {
  const { incidents, others, more, healthy, looked, incomplete, triggered } = overview;
  const page = new Page(terminal);
  if (triggered !== '') page.text(triggered, 0);
  if (incidents.length === 0)
    page.text(
      overview.headline,
      0,
      overview.isFine ? page.paint('✓ ', 'green') : '',
      overview.isFine ? 2 : 0,
    );
  else if (incidents.length > 1) page.lines([page.paint(overview.headline, 'bold')]);
  for (const view of incidents.slice(0, detail.whole)) whole(page, view, detail);
  const rest = [...incidents.slice(detail.whole).map((v) => v.incident), ...others];
  for (const incident of rest.slice(0, detail.short)) short(page, incident);
  const left = rest.length + more - Math.min(rest.length, detail.short);
  if (left > 0) page.text(`${counted(left, 'more problem')}: add -v.`, 0);
  page.blank();
  for (const line of healthy(detail.healthy)) field(page, 'Healthy', line, 0);
  field(page, 'Looked at', looked, 0);
  if (incomplete !== '') page.text(incomplete, 0);
  return page.all;
}

function field(page: Page, label: string, text: string, indent = 2): void {
  page.text(text, indent, page.paint(label.padEnd(LABEL), label === 'Do this' ? 'bold' : 'dim'), LABEL);
}

function short(page: Page, { headline, severity, action }: Incident): void {
  page.text(headline, 0, page.paint(`${SEVERITY_SIGNS[severity]} `, STYLES[severity]), 2);
  if (action !== '') field(page, 'Do this', action);
}

function whole(page: Page, { incident, facts, strip, ladder }: IncidentView, { picture }: Detail): void {
  const { severity } = incident;
  page.text(incident.headline, 0, page.paint(`${SEVERITY_SIGNS[severity]} `, STYLES[severity]), 2);
  for (const { label, text } of facts) field(page, label, text);
  const drawn = strip ? stripText(strip, page.width - 2) : [];
  const steps = ladder ? briefLadder(ladder, page.width - 2) : [];
  page.lines(cut([...drawn, ...steps], picture).map((line) => `  ${line}`));
}

/** So many lines: what is left out is in the middle, for begin and end tell most. */
function cut(lines: readonly string[], most: number): readonly string[] {
  if (lines.length <= most || most === 0) return lines.slice(0, most);
  const head = most >> 1;
  const tail = most - 1 - head;
  const more = `… ${counted(lines.length - head - tail, 'more line')}`;
  return [...lines.slice(0, head), more, ...lines.slice(lines.length - tail)];
}
