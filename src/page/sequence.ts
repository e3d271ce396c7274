/** A connection as a vertical sequence diagram: time runs down, each packet is an arrow between its two ends. */
import { shortened } from '../view/escape.ts';
import type { Ladder, Step } from '../view/ladder.ts';
import { dividersOf, tupleOf } from '../view/ladder.ts';
import { briefOf } from '../view/ladder-text.ts';
import { html, type Markup } from './markup.ts';

const WIDTH = 660;
const ROW = 22;
const TOP = 44;
/** Where the two ends stand. */
const CLIENT = 84;
const SERVER = 374;
const WHEN = 66;
/** So far a lost packet is drawn, as a part of the way. */
const LOST = 0.9;
/** So many characters have room beside an end. */
const LETTERS = 38;

export function sequence(ladder: Ladder): Markup {
  const { row, steps } = ladder;
  const rows = steps.flatMap((step, i): (Step | string)[] => [...dividersOf(ladder, i), step]);
  const height = TOP + ROW * rows.length + 8;
  const end = (x: number, name: string) =>
    html`<text x="${x}" y="16" class="end">${name}</text><line x1="${x}" x2="${x}" y1="24" y2="${height}" class="life"/>`;
  return html`<figure class="sequence"><div class="scroll" role="region" aria-label="Sequence of ${row.id}" tabindex="0"><svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Sequence diagram of ${tupleOf(row)}">
${end(CLIENT, 'client')}${end(SERVER, 'server')}
${rows.map((r, i) => (typeof r === 'string' ? html`<text x="${CLIENT + 10}" y="${TOP + ROW * i + 6}">${r}</text>` : arrow(r, TOP + ROW * i)))}
</svg></div><figcaption>${row.id}, ${tupleOf(row)}${ladder.begins !== '' && `; 0 is ${ladder.begins}`}</figcaption></figure>`;
}

function arrow(step: Step, y: number): Markup {
  const { lane, alarming, lost, when } = step;
  const kind = alarming ? 'step bad' : 'step';
  const text = briefOf(step);
  const time = html`<text x="${WHEN}" y="${y + 4}" class="when">${when}</text>`;
  if (lane === 'from-client' || lane === 'from-server') {
    const [from, end] = lane === 'from-client' ? [CLIENT, SERVER] : [SERVER, CLIENT];
    const to = lost ? from + (end - from) * LOST : end;
    const tip = lane === 'from-client' ? -7 : 7;
    const head = lost
      ? html`<path class="lost" d="M${to - 5} ${y + 1} l10 10 m0 -10 l-10 10"/>`
      : html`<path d="M${to} ${y + 6} l${tip} -4 v8 z"/>`;
    return html`<g class="${kind}">${time}<line x1="${from}" x2="${to}" y1="${y + 6}" y2="${y + 6}"/>${head}<text x="${(CLIENT + SERVER) / 2}" y="${y + 2}" class="on">${text}</text></g>`;
  }
  const x = lane === 'client' ? CLIENT : SERVER;
  return html`<g class="${kind}">${time}<circle cx="${x}" cy="${y + 2}" r="4"/><text x="${x + 10}" y="${y + 6}">${shortened(text, LETTERS)}</text></g>`;
}
