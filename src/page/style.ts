/** The style sheet of report.html. Its hash stands in the page's content security policy. */
import { LANES_STYLE } from './style-lanes.ts';
import { OVERVIEW_STYLE } from './style-overview.ts';

export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --raised: #f6f8fa; --link: #0550ae;
  --error: #b3261e; --warning: #8a5300; --info: #1b5e9b; --focus: #0969da; --chosen: #fff3c4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0d1117; --ink: #e6edf3; --soft: #9da7b3; --line: #3d444d; --raised: #161b22; --link: #79b8ff;
    --error: #ff8a80; --warning: #e8b04b; --info: #79b8ff; --focus: #58a6ff; --chosen: #4a3c10;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif;
}
main, header.top, footer { max-width: 80rem; margin: 0 auto; padding: 0 1.25rem; }
.skip { position: absolute; left: -100rem; }
.skip:focus { position: static; display: inline-block; padding: .5rem; }
header.top { padding-top: 1.25rem; }
header.top p { margin: 0; color: var(--soft); font-size: .875rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .25rem 0 .75rem; max-width: 62rem; }
h2 { font-size: 1.25rem; margin: 1.5rem 0 .5rem; padding-top: .5rem; border-top: 1px solid var(--line); }
main > h1:first-child { margin-top: 1rem; }
h3 { font-size: 1.0625rem; margin: 0; }
section > h3 { margin: 1.75rem 0 .25rem; }
th code, td > code { overflow-wrap: normal; }
h4 { font-size: .9375rem; margin: 1rem 0 .25rem; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.story { max-width: 62rem; margin: 0; padding-left: 1.5rem; }
.story li { margin: .25rem 0; }
nav.contents { position: sticky; top: 0; z-index: 2; background: var(--paper); border-bottom: 1px solid var(--line); font-size: .875rem; }
nav.contents ul {
  list-style: none; display: flex; gap: .25rem 1rem; overflow-x: auto; white-space: nowrap;
  max-width: 80rem; margin: 0 auto; padding: .4rem 1.25rem;
}
:is(h1, h2, h3, p, dd, li) { overflow-wrap: anywhere; }
:is(section, article, h2, tr, p, main)[id] { scroll-margin-top: 3rem; }
.notice { border-left: 4px solid var(--warning); background: var(--raised); padding: .5rem .75rem; margin: .75rem 0; }
${OVERVIEW_STYLE}
.card {
  border: 1px solid var(--line); border-left-width: 6px; border-radius: 6px; padding: .5rem .875rem; margin: 0 0 .5rem;
  break-inside: avoid;
}
.card.error { border-left-color: var(--error); }
.card.warning { border-left-color: var(--warning); }
.card.info { border-left-color: var(--info); }
.card p { margin: .125rem 0; }
.card details { margin: .125rem 0 0; }
.card details > summary { font-size: .875rem; color: var(--soft); padding: 0; }
.facts { color: var(--soft); font-size: .875rem; }
.error-text { color: var(--error); } .warning-text { color: var(--warning); } .info-text { color: var(--info); }
.severity { font-weight: 600; white-space: nowrap; }
dl.about { display: grid; grid-template-columns: 9rem 1fr; gap: .375rem 1rem; margin: .625rem 0 0; }
dl.about dt { color: var(--soft); font-size: .875rem; padding-top: .1rem; }
dl.about dd { margin: 0; min-width: 0; }
.tight { margin: 0; padding-left: 1.125rem; }
.tight li { margin: .125rem 0; }
.missing code { user-select: all; }
.plain { list-style: none; margin: 0; padding: 0; white-space: nowrap; }
section h2, section h3 { break-after: avoid; }
.place { color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
code, .mono, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: .875em; }
code { overflow-wrap: anywhere; }
pre { background: var(--raised); padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; border-radius: 6px; margin: .5rem 0; }
.scroll { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .45rem; border-bottom: 1px solid var(--line); }
thead th { border-bottom: 2px solid var(--line); white-space: nowrap; color: var(--soft); font-weight: 600; }
tbody th { font-weight: 600; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.ends { display: inline-block; min-width: 6.5rem; }
.nowrap { white-space: nowrap; }
figure { margin: 1rem 0 2rem; }
figure svg { display: block; max-width: none; }
figcaption { color: var(--soft); font-size: .875rem; max-width: 52rem; }
details { margin: .5rem 0; }
summary { cursor: pointer; padding: .25rem 0; }
details.life p { scroll-margin-top: 5rem; margin: 0 0 .25rem; }
details.life { border-bottom: 1px solid var(--line); margin: 0; }
details.life > summary { padding: .5rem 0; }
.ladder td, .ladder th { border-bottom: 0; padding: .15rem .6rem; }
.ladder tbody tr:nth-child(odd) { background: var(--raised); }
.ladder td.end-c { border-left: 3px solid var(--line); }
.ladder td.end-s { border-right: 3px solid var(--line); border-left: 3px solid var(--line); }
.ladder th.when { font-weight: 400; }
.ladder td.divider { text-align: center; color: var(--soft); font-style: italic; }
.alarm { color: var(--error); font-weight: 600; }
.wire { text-align: center; }
td.wire { min-width: 15rem; }
td.end-c, td.end-s { min-width: 9rem; }
.who { color: var(--soft); }
footer { margin-top: 3rem; padding-bottom: 2rem; color: var(--soft); font-size: .875rem; }
${LANES_STYLE}
@media (max-width: 40rem) {
  body { font-size: 15px; }
  main, header.top, footer { padding-left: .875rem; padding-right: .875rem; }
  h1 { font-size: 1.25rem; }
  .strip :is(thead, td:empty) { display: none; }
  .strip tr { display: grid; grid-template-columns: 1fr auto; gap: 0 .5rem; padding: .15rem 0; border-bottom: 1px solid var(--line); }
  .strip :is(th, td) { border: 0; padding-block: 0; }
  .strip, .strip tbody { display: block; }
  .strip th[scope=row] { grid-column: 1 / 3; width: auto; white-space: normal; }
  .strip td.plot { min-width: 0; }
  dl.about dt.do { margin-left: 0; padding-bottom: 0; }
  dl.about dd.do { padding-top: 0; }
  .stack thead, .ladder thead { position: absolute; left: -100rem; }
  .stack tr { display: block; border-bottom: 1px solid var(--line); padding: .25rem 0; }
  .stack :is(th, td) { display: block; border: 0; padding-block: .1rem; text-align: left; white-space: normal; }
  .stack :is(th, td, code) { overflow-wrap: anywhere; }
  .stack td:empty { display: none; }
  .stack td[data-head]::before { content: attr(data-head) ": "; color: var(--soft); }
  .ladder tr { display: flex; flex-wrap: wrap; gap: 0 .5rem; padding: .15rem 0; }
  .ladder :is(td, th) { padding-block: 0; }
  .ladder td:empty { display: none; }
  .ladder th.when { min-width: 5.5rem; }
  .ladder td:is(.end-c, .end-s, .wire) { min-width: 0; flex: 1 1 12rem; border-right: 0; text-align: left; }
  .ladder td.end-c::before { content: "client "; color: var(--soft); }
  .ladder td.end-s::before { content: "server "; color: var(--soft); }
  .ladder td.place { flex-basis: 100%; padding-left: 6rem; }
  .ladder td.place br { display: none; }
  .ladder td.divider { flex-basis: 100%; }
  dl.about { display: block; }
  dl.about dt { margin-top: .5rem; }
}
@page { margin: 12mm; }
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --raised: #f4f4f4; --link: #000; color-scheme: light; }
  body { font-size: 10pt; }
  main, header.top, footer { max-width: none; padding: 0; }
  nav.contents, .skip { display: none; }
  .scroll { overflow: visible; }
  figure { break-inside: avoid; }
  figure svg { max-width: 100%; height: auto; }
  tr, .lanes, .story li { break-inside: avoid; }
  .card { break-inside: auto; }
  .card.info, h2, h3 { break-inside: avoid; }
  .card p, .card dd > :is(ul, ol) > li { break-inside: avoid; }
  .card h3, .facts { break-after: avoid; }
  details:not([open]) { display: none; }
}
`;
