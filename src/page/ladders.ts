/** For each connection of interest its lanes, and a ladder that says every step in words. */
import type { Focus } from '../view/focus.ts';
import { dividersOf, ladderOf, type Step, strayWords, tupleOf } from '../view/ladder.ts';
import { counted, endingOf, number } from '../view/words.ts';
import { lanesFigure, lanesLegend } from './lanes.ts';
import { html, type Markup, NOTHING } from './markup.ts';
import type { Page } from './page.ts';
import { sequence } from './sequence.ts';

/** Ladders that are open from the start. */
const OPEN = 1;
/** Ladders in sight: the others are folded together. */
const SHOWN = 3;
const STEPS = 80;
/** Of them in the sequence diagram. */
const DRAWN = 24;

export function ladderSections(page: Page): Markup {
  const ids = page.ladders;
  const of = page.telling.length;
  const note =
    of > ids.length
      ? html`<p class="notice">${number(ids.length)} examples of ${number(of)} problem connections. ${page.result.aggregated ? NOTHING : 'All are in timeline.csv.'}</p>`
      : NOTHING;
  const ladders = ids.map((id, i) => section(id, page, i < OPEN));
  const rest = ladders.slice(SHOWN);
  return html`${note}${lanesLegend()}${ladders.slice(0, SHOWN)}${rest.length > 0 && html`<details class="part"><summary>${counted(rest.length, 'more example')}</summary>\n${rest}</details>`}`;
}

function section(id: string, focus: Focus, open: boolean): Markup {
  const [ladder, short] = [ladderOf(focus, id, STEPS), ladderOf(focus, id, DRAWN)];
  const { row } = ladder;
  const titles = (focus.findings.get(row.id) ?? [])
    .filter((f) => f.role === 'verdict')
    .map((f) => focus.title(f.rule));
  const zone = row.clock === 'wall' ? ', the local time of day' : '';
  const begins = ladder.begins ? html`0 is ${ladder.begins}${zone}. ` : NOTHING;
  return html`<details class="life"${open && html` open`}>
<summary><strong>${row.id}</strong> ${tupleOf(row)} · ${endingOf(row)}${titles.length > 0 && html`<br><span class="facts">${[...new Set(titles)].join(' · ')}</span>`}</summary>
<p class="facts" id="${row.id}">${begins}</p>
${focus.telling.length > 1 && sequence(short)}${lanesFigure(ladder, ladder.steps)}<details class="part"><summary>${counted(ladder.steps.length, 'step')} in a table</summary><div class="scroll ladder" role="region" aria-label="What happened on ${row.id}" tabindex="0"><table>
<thead><tr><th scope="col" class="num">when</th><th scope="col">client</th><th scope="col" class="wire">between</th><th scope="col">server</th><th scope="col">where</th></tr></thead>
<tbody>
${ladder.steps.map((s, i) => html`${dividersOf(ladder, i, ', in timeline.csv').map((text) => html`<tr><td colspan="5" class="divider">${text}</td></tr>\n`)}${stepRow(s, i)}`)}</tbody></table></div></details>
<p class="place">${strayWords(ladder) !== '' && html`${strayWords(ladder)}<br>`}${ladder.sources.map((s, i) => html`${i > 0 && ' · '}[${i + 1}] ${s}`)}</p>
</details>
`;
}

function stepRow(step: Step, index: number): Markup {
  const text = html`<span${step.alarming && html` class="alarm"`}>${step.what}</span>${step.who && html` <span class="who">${step.who}</span>`}`;
  const places = step.places.map((p, i) => html`${i > 0 && html`<br>`}[${p.source + 1}] ${p.locator}`);
  const at = (lane: Step['lane']) => (step.lane === lane ? text : NOTHING);
  const between =
    step.lane === 'from-client'
      ? html`${text} <b>⟶</b>`
      : step.lane === 'from-server'
        ? html`<b>⟵</b> ${text}`
        : NOTHING;
  return html`<tr data-step="${index}"${step.alarming && html` class="bad"`}><th scope="row" class="num when">${step.when}</th><td class="end-c">${at('client')}</td><td class="wire">${between}</td><td class="end-s">${at('server')}${at('listener')}</td><td class="place nowrap">${places}</td></tr>
`;
}
