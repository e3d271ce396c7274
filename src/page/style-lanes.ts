/** The part of the style sheet that draws lanes, and the controls that the script adds. */
import { STATE_COLORS } from '../charts/palette.ts';
import { PLOT, ZOOMS } from './labels.ts';

/** States whose colour is dark enough for light letters. */
const LIGHT_LETTERS = ['SYN_RECV', 'NEW_SYN_RECV', 'CLOSING'];

function states(): string {
  const fill = ([state, color]: readonly [string, string]) =>
    `.s-${state} rect { fill: ${color}; } .swatch.s-${state} { background: ${color}; }`;
  const letters = LIGHT_LETTERS.map((state) => `.bar.s-${state} text.state`).join(', ');
  return `${STATE_COLORS.map(fill).join('\n')}\n${letters} { fill: #fff; }`;
}

/** A picture is wider at each zoom, and shows the labels that have room there. */
function zooms(): string {
  return ZOOMS.map((zoom) => {
    const at = `.lanes:has(input[value="${zoom}"]:checked)`;
    const later = ZOOMS.filter((z) => z > zoom).map((z) => `${at} .plot .z${z}`);
    const wide = `${at} .plot { width: ${zoom * 100}%; min-width: ${zoom * PLOT}px; }`;
    return later.length === 0 ? wide : `${wide}\n${later.join(', ')} { display: none; }`;
  }).join('\n');
}

export const LANES_STYLE = `
.heads { position: absolute; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; margin: .5rem 0; font-size: .875rem; }
.swatch { display: inline-block; width: 1.25em; height: .8em; margin-right: .35em; outline: 1px solid var(--soft); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.lanes { margin: .25rem 0 1rem; }
.lanes-box { display: flex; }
.lanes-box .scroll { flex: 1; min-width: 0; margin: 0; }
.lanes svg { display: block; font-size: 11px; overflow: visible; flex: none; }
.lanes .names { width: 150px; }
.lanes svg text { fill: currentColor; }
.lanes .name { font-weight: 600; font-size: 12px; }
.lanes .middle { text-anchor: middle; } .lanes .end { text-anchor: end; } .lanes .begin { text-anchor: start; }
.lanes .span { font-style: italic; }
.lane { stroke: var(--line); stroke-width: 20; }
.tick { stroke: var(--line); } .scale { stroke: var(--soft); }
.bar rect { stroke: #24292f; stroke-width: .5; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.bar.open rect { opacity: .55; stroke-dasharray: 4 3; }
.bar.implied rect { opacity: .35; stroke-dasharray: 2 2; }
.lanes .bar text.state { fill: #14181d; font-weight: 600; pointer-events: none; }
.arrow line { stroke: var(--ink); stroke-width: 1.4; }
.arrow line.hit { stroke: transparent; stroke-width: 9; }
.lanes .label text, .lanes .mark text { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; }
#head path { fill: var(--ink); } #head-bad path { fill: var(--error); }
.bad line:not(.hit) { stroke: var(--error); stroke-width: 2; } .lanes .bad text { fill: var(--error); font-weight: 600; }
.glyph { font-size: 13px; }
.break rect { fill: var(--paper); } .tear { stroke: var(--soft); stroke-dasharray: 4 3; }
.zoom { border: 0; padding: 0; margin: 0 0 .25rem; display: flex; flex-wrap: wrap; gap: .75rem; font-size: .875rem; color: var(--soft); }
.zoom legend { float: left; padding: 0; margin-right: .75rem; }
.zoom label { cursor: pointer; white-space: nowrap; }
.lanes [data-step].chosen line:not(.hit) { stroke-width: 4; }
.lanes [data-step].chosen rect { stroke-width: 3; stroke: var(--ink); }
.lanes [data-step].chosen text { font-weight: 700; }
.enhanced .lanes [data-step] { cursor: pointer; }
tr.chosen > * { background: var(--chosen); }
${states()}
.lanes .bar.implied text.state { fill: currentColor; }
.bar.s-other rect { fill: #999; }
${zooms()}
.enhanced .plain-only { display: none; }
.show { margin-top: .5rem; cursor: pointer; }
.controls { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin: .5rem 0; font-size: .875rem; }
.controls label { display: grid; gap: .125rem; color: var(--soft); }
.controls input, .controls select, .controls button, .show {
  font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--soft); border-radius: 6px; padding: .3rem .6rem;
}
.controls p { margin: 0; padding: .3rem 0; }
.controls input { width: min(22rem, 80vw); }
.controls button:disabled { color: var(--soft); border-color: var(--line); }
.controls .pages[hidden] { display: none; }
.controls .pages { display: flex; gap: .5rem; align-items: center; margin-left: auto; }
th > button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; white-space: nowrap; }
th > button::after { content: " ↕"; opacity: .5; }
th[aria-sort=ascending] > button::after { content: " ↑"; opacity: 1; }
th[aria-sort=descending] > button::after { content: " ↓"; opacity: 1; }
@media (max-width: 40rem) {
  .lanes .names { width: 3.25rem; overflow: hidden; }
  .lanes .names text:not(.name) { display: none; }
  #connection-table table, #connection-table thead, #connection-table tbody { display: block; }
  #connection-table tr { display: flex; flex-wrap: wrap; gap: 0 .75rem; border-bottom: 1px solid var(--line); padding: .25rem 0; }
  #connection-table :is(th, td) { border: 0; padding: .1rem 0; }
  #connection-table td:empty { display: none; }
}
@media print {
  .zoom, .controls, .show { display: none !important; }
  th > button::after { content: none !important; }
  table { font-size: 8pt; }
  th, td { padding: .15rem .3rem; }
  table :is(.nowrap, .plain, .num, th, th > button) { white-space: normal; }
  table :is(a, code, .nowrap, .place) { overflow-wrap: anywhere; }
  .ends, td.wire, td.end-c, td.end-s { min-width: 0; }
  #connection-table td:nth-child(-n+3) { min-width: 6.5rem; }
  .lanes svg.plot { width: 100% !important; min-width: 0 !important; } }
`;
