/** A ladder in characters, for terminals and code blocks. Every text in it is made visible. */

import { visible } from '../model/visible.ts';
import { columns, type Paint, plain, wrap } from './columns.ts';
import { shortened } from './escape.ts';
import { dividersOf, type Ladder, type Lane, type Step, strayWords, titleOf } from './ladder.ts';

/** Two ends and what goes between them: 9 columns. */
const RUNGS: Record<Lane, string> = {
  client: '●       │',
  server: '│       ●',
  'from-client': '├──────▶│',
  'from-server': '│◀──────┤',
  listener: '│       ◇',
};
const BLANK = '│       │';
const ALARMING: Partial<Record<Lane, string>> = { client: '✗       │', server: '│       ✗' };
const LOST: Partial<Record<Lane, string>> = { 'from-client': '├───▶✗  │', 'from-server': '│  ✗◀───┤' };

const WHEN = 12;

/** Lines no wider than `width` (at least 60). */
export function ladderText(ladder: Ladder, width: number, paint: Paint = plain): string[] {
  const lines = [paint(titleOf(ladder.row), 'bold')];
  const begins = ladder.begins ? ` (0 is ${ladder.begins})` : '';
  lines.push(paint(`${'when'.padStart(WHEN)}  C       S`, 'dim') + paint(begins, 'dim'));
  const room = Math.max(width, 60) - WHEN - 2 - 9 - 2;
  for (const [i, step] of ladder.steps.entries()) {
    for (const text of dividersOf(ladder, i, ', in timeline.csv of `analyze`'))
      lines.push(`${' '.repeat(WHEN)}  ${paint(text, 'dim')}`);
    lines.push(...stepLines(step, room, paint));
  }
  const strays = strayWords(ladder);
  const below = [
    ...(strays === '' ? [] : [strays]),
    ...ladder.sources.map((source, i) => `[${i + 1}] ${visible(source)}`),
  ];
  for (const text of below.flatMap((t) => wrap(t, Math.max(width, 60) - WHEN - 2)))
    lines.push(paint(`${' '.repeat(WHEN)}  ${text}`, 'dim'));
  return lines;
}

function rungOf({ lane, alarming, lost }: Step): string {
  return (lost && LOST[lane]) || (alarming && ALARMING[lane]) || RUNGS[lane];
}

function stepLines(step: Step, room: number, paint: Paint): string[] {
  const rung = rungOf(step);
  const place = step.places
    .map((p) => `[${p.source + 1}${p.locator ? `, ${visible(p.locator)}` : ''}]`)
    .join(' ');
  const who = step.who ? `  ${visible(step.who)}` : '';
  const wrapped = wrap(`${visible(step.what)}${who}`, room);
  const last = wrapped.at(-1)!;
  if (columns(last) + 2 + columns(place) <= room) wrapped[wrapped.length - 1] = `${last}  ${place}`;
  else wrapped.push(...wrap(place, room));
  const rest = `${' '.repeat(WHEN)}  ${BLANK}  `;
  return wrapped.map((text, i) => {
    const head = i === 0 ? `${visible(step.when).padStart(WHEN)}  ${rung}  ` : rest;
    return paint(head, step.alarming ? 'red' : 'dim') + (step.alarming ? paint(text, 'red') : text);
  });
}

/** A line a step, without numbers of sequence and places: for a first look. */
export function briefLadder(ladder: Ladder, width: number): string[] {
  return ladder.steps.flatMap((step, i) => {
    const above = dividersOf(ladder, i).map((text) => `${' '.repeat(WHEN)}  ${text}`);
    return [...above, shortened(`${step.when.padStart(WHEN)}  ${rungOf(step)}  ${briefOf(step)}`, width)];
  });
}

/** `SYN`, `PSH|ACK, 300 bytes`, `CLOSE → SYN_SENT client[21712]`. */
export function briefOf({ what, who }: Step): string {
  const short = what.replace(/, (?:seq|ack|win) \d+/g, '');
  return visible(who === '' || who.startsWith('during') ? short : `${short} ${who}`);
}
