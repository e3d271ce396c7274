/** The style of the first screen and of sequence diagrams; part of the style sheet in style.ts. */
export const OVERVIEW_STYLE = `
.incident { border-left: 6px solid var(--line); padding: .25rem 0 .25rem 1rem; margin: 0 0 1.25rem; max-width: 70rem; }
.incident.error { border-left-color: var(--error); }
.incident.warning { border-left-color: var(--warning); }
.incident > h2 { border: 0; margin: 0; padding: 0; font-size: 1.125rem; }
.incident dl.about, main > dl.about { grid-template-columns: 6rem 1fr; }
dl.about .do { background: var(--chosen); font-weight: 600; padding: .375rem .5rem; }
dl.about dt.do { color: var(--ink); padding-left: .5rem; margin-left: -.5rem; }
.others { padding-left: 1.25rem; }
.strip { max-width: 66rem; }
.strip th[scope=row] { font-weight: 400; width: 31rem; }
.strip :is(th, td).num { width: 7rem; }
${[1, 2, 3, 4, 5].map((n) => `.strip .depth-${n} { padding-left: ${n * 1.1}rem; }`).join('\n')}
.strip [class^=depth-]:not(.depth-0)::before { content: "\\2514  "; color: var(--soft); }
.strip td.plot { min-width: 8rem; }
.bars { display: block; width: 100%; height: 1.375rem; }
.bars rect { fill: var(--error); }
.incident.warning .bars rect { fill: var(--warning); }
.bars.level rect { fill: var(--info); }
.bars line { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 4 3; vector-effect: non-scaling-stroke; }
.strip .axis td { border: 0; color: var(--soft); font-size: .8125rem; }
.ends-of-axis { display: flex; justify-content: space-between; gap: 1rem; }
.sequence { margin: .75rem 0; }
.sequence text { fill: var(--ink); font-size: 12.5px; }
.sequence .end { text-anchor: middle; font-weight: 600; }
.sequence .life { stroke: var(--line); stroke-width: 2; }
.sequence .step line { stroke: var(--soft); stroke-width: 1.5; }
.sequence .step :is(path, circle) { fill: var(--soft); }
.sequence .bad line { stroke: var(--error); }
.sequence .bad :is(path, circle) { fill: var(--error); }
.sequence .lost { stroke: var(--error); stroke-width: 2; }
.sequence .bad text:not(.when) { fill: var(--error); font-weight: 600; }
.sequence .when { fill: var(--soft); text-anchor: end; }
.sequence .on { text-anchor: middle; }
details.part > summary { color: var(--soft); }
`;
