/** rollup.html: the first screen answers which fault, since when, on which hosts, and whether it is new. No script. */
import { folderOfKey } from '../model/batch.ts';
import type { Rollup } from '../model/rollup.ts';
import { causeSentences, limits, newness, newnessHead, scopeOf, some, time } from '../view/rollup.ts';
import { CONFIDENCE_NAMES, counted, number } from '../view/words.ts';
import { type DrawnChart, documentOf, figure } from './document.ts';
import { html, type Markup } from './markup.ts';

const MOST = 200;

export function rollupPage(rollup: Rollup, charts: readonly DrawnChart[]): string {
  const notices = limits(rollup);
  const body = html`<a class="skip" href="#causes">Skip to the causes</a>
<header class="top"><p>Captures rolled up by tcpautopsy ${rollup.version}</p></header>
<main>
<h1>Which faults, since when, where</h1>
<p>${scopeOf(rollup)}</p>
<ul class="story">
${causeSentences(rollup).map((s) => html`<li>${s}</li>\n`)}</ul>
${notices.length > 0 && html`<p class="notice"><strong>Limits.</strong> ${notices.join(' ')} <a href="#unread">Details</a></p>`}
<h2 id="causes">Causes</h2>
${causesTable(rollup)}
${charts.map(figure)}
${section('where', 'Causes by listener and host', whereTable(rollup))}
${section('alike', 'Captures that look alike', alikeTable(rollup))}
${section('groups', 'Groups that show a problem', groupsTable(rollup))}
${section('unread', 'What could not be read', failuresTable(rollup))}
</main>
<footer><p>rollup.csv has the causes as a table; tables/v1 has every group, connection and finding as Parquet.</p></footer>
`;
  const title = `${rollup.causes[0]?.title ?? 'No problem found'} – captures rolled up`;
  return documentOf(title, rollup.version, body);
}

function section(id: string, title: string, body: Markup | null): Markup | null {
  return body && html`<section aria-labelledby="${id}">\n<h2 id="${id}">${title}</h2>\n${body}\n</section>`;
}

type Cell = string | number | Markup;

function table(
  heads: readonly string[],
  rows: readonly (readonly Cell[])[],
  of = rows.length,
): Markup | null {
  if (rows.length === 0) return null;
  const cell = (value: Cell) =>
    typeof value === 'number' ? html`<td class="num">${number(value)}</td>` : html`<td>${value}</td>`;
  return html`<div class="scroll" role="region" aria-label="${heads[0]!}" tabindex="0"><table>
<thead><tr>${heads.map((h) => html`<th scope="col">${h}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody></table></div>
${of > rows.length && html`<p class="facts">${number(of - rows.length)} more in the CSV files and tables.</p>`}`;
}

function causesTable(rollup: Rollup): Markup {
  const isNew = newnessHead(rollup);
  const rows = rollup.causes.map((c) => [
    html`<span class="severity ${c.severity}-text">${c.title}</span> <code>${c.rule}</code>`,
    CONFIDENCE_NAMES[c.confidence],
    time(c.first),
    time(c.last),
    some(c.hosts),
    some(c.listeners),
    c.groups,
    c.connections,
    ...(isNew ? [newness(c)] : []),
  ]);
  const heads = [
    'cause',
    'confidence',
    'first seen',
    'last seen',
    'hosts',
    'listeners',
    'groups',
    'connections',
    ...(isNew ? [isNew] : []),
  ];
  return table(heads, rows) ?? html`<p>No group shows a problem.</p>`;
}

function whereTable(rollup: Rollup): Markup | null {
  const isNew = newnessHead(rollup);
  const rows = rollup.at
    .slice(0, MOST)
    .map((r) => [
      html`<code>${r.rule}</code>`,
      html`<code>${r.listener}</code>`,
      r.host,
      CONFIDENCE_NAMES[r.confidence],
      time(r.first),
      time(r.last),
      r.groups,
      r.connections,
      ...(isNew ? [newness(r)] : []),
    ]);
  const heads = [
    'cause',
    'listener',
    'host',
    'confidence',
    'first seen',
    'last seen',
    'groups',
    'connections',
    ...(isNew ? [isNew] : []),
  ];
  return table(heads, rows, rollup.at.length);
}

function alikeTable({ alike }: Rollup): Markup | null {
  const rows = alike.map((a) => [
    a.of,
    html`<ul class="tight">${a.causes.map((c) => html`<li>${c}</li>`)}</ul>`,
    html`<ul class="tight">${a.groups.map((g) => html`<li><a href="${folderOfKey(g.key)}/report.md">${g.place}</a> ${time(g.first)}</li>`)}</ul>`,
  ]);
  return table(['groups', 'causes they share', 'among them'], rows);
}

function groupsTable({ shown, withCauses }: Rollup): Markup | null {
  const rows = shown
    .slice(0, MOST)
    .map((g) => [
      time(g.first),
      html`<a href="${folderOfKey(g.key)}/${g.html ? 'report.html' : 'report.md'}">${g.place}</a>`,
      html`${g.rules.map((r, i) => html`${i > 0 && ', '}<code>${r}</code>`)}`,
      g.connections,
    ]);
  return table(['first record', 'group', 'causes', 'connections'], rows, withCauses);
}

function failuresTable({ failures, damaged, withDamage, gone }: Rollup): Markup | null {
  const rows = [
    ...failures.map((f) => [f.place, `not read (${f.stage})`, f.at, f.message]),
    ...damaged.map((d) => [d.place, 'read despite damage', d.at, d.message]),
    ...gone.map((g) => [g.place, 'not among the inputs of this run', '', 'kept as it was analysed']),
  ];
  const shown = table(
    ['file', 'what', 'at', 'reason'],
    rows.slice(0, MOST),
    failures.length + withDamage + gone.length,
  );
  return (
    shown &&
    html`<p>${counted(failures.length, 'file or group', 'files or groups')} not read, ${number(withDamage)} damaged.</p>${shown}`
  );
}
