/** What the explanation rests on: counters, clocks, losses, inputs. */
import { formatSpan } from '../align/format-time.ts';
import type { ClockFit } from '../model/case.ts';
import type { Result } from '../tables/result.ts';
import { inputLines } from '../view/short-names.ts';
import { number } from '../view/words.ts';
import { dataTable, html, type Markup, prose } from './markup.ts';

const orNothing = (n: number | null) => (n === null ? '' : number(n));

export function answersSection({ answers }: Result): Markup {
  return html`${answers.map((a) => html`<details><summary>${a.question}</summary><p>${prose(a.answer)}</p></details>\n`)}`;
}

/** Those that decided something here, and what their values mean. */
export function settingsSection({ settings }: Result): Markup {
  const head = [{ text: 'setting' }, { text: 'value', numeric: true }, { text: 'what it means here' }];
  const rows = settings.map((s) => [html`<code>${s.name}</code>`, s.value, prose(s.meaning)]);
  return dataTable('Settings', head, rows, 'stack');
}

export function countersSection({ counters }: Result): Markup {
  const head = [
    { text: 'counter' },
    { text: 'host' },
    { text: 'from', numeric: true },
    { text: 'to', numeric: true },
    { text: 'rise', numeric: true },
    { text: 'explained', numeric: true },
    { text: 'in words' },
    { text: 'source' },
  ];
  const rows = counters.map((c) => [
    html`<code>${c.counter}</code>`,
    c.host,
    orNothing(c.from),
    number(c.to),
    orNothing(c.delta),
    orNothing(c.explained),
    prose(c.text),
    html`<span class="place">${c.source}</span>`,
  ]);
  return dataTable('Counters and what explains them', head, rows, 'stack');
}

const METHODS: Record<ClockFit['method'], string> = {
  anchored: 'the same clock, or anchors',
  estimated: 'estimated from moments both saw',
  none: 'not possible',
};

export function clocksSection({ clocks }: Result): Markup {
  const span = (ns: number | null) => (ns === null ? '' : formatSpan(ns));
  const head = [
    { text: 'source' },
    { text: 'brought to' },
    { text: 'how' },
    { text: 'pairs', numeric: true },
    { text: 'residual', numeric: true },
    { text: 'worst', numeric: true },
    { text: 'drift', numeric: true },
    { text: 'in words' },
  ];
  const rows = clocks.map((c) => [
    c.source,
    c.reference,
    METHODS[c.method],
    number(c.pairs),
    span(c.residual),
    span(c.worst),
    c.drift === 0 ? '' : `${c.drift.toPrecision(2)} ppm`,
    c.message,
  ]);
  return html`<p>How the clock of each source was brought to that of another. The residual is the median distance of the pairs from the fit: no two moments of different sources are known to be closer than that.</p>
${dataTable('Clock alignment', head, rows, 'stack')}`;
}

export function diagnosticsSection({ diagnostics, aggregated = [] }: Result): Markup {
  const said = aggregated.map((a) => html`<p>${prose(a.text)}</p>`);
  if (diagnostics.length === 0) {
    return html`<p>Nothing was lost, skipped, truncated or ambiguous.</p>${said}`;
  }
  const head = [
    { text: 'what' },
    { text: 'severity' },
    { text: 'where' },
    { text: 'times', numeric: true },
    { text: 'code' },
  ];
  const rows = diagnostics.map((d) => [
    prose(d.message),
    html`<span class="${d.severity === 'error' ? 'error-text' : d.severity === 'data-loss' ? 'warning-text' : 'info-text'}">${d.severity}</span>`,
    html`<span class="place">${[d.source, d.locator].filter(Boolean).join(', ')}</span>`,
    number(d.count),
    html`<code>${d.code}</code>`,
  ]);
  return html`${dataTable('Data quality', head, rows, 'stack')}${said}`;
}

/** `folder`: what is left out of the names of all sources. */
export function inputsSection(result: Result, folder: string): Markup {
  const inputs = inputLines(result);
  const head = [
    { text: 'input' },
    { text: 'format' },
    { text: 'host' },
    { text: 'clock' },
    { text: 'records', numeric: true },
    ...(inputs.some((i) => i.sha256) ? [{ text: 'SHA-256' }] : []),
  ];
  const rows = inputs.map((i) => [
    i.name,
    html`<code>${i.format}</code>`,
    i.host,
    i.clock,
    i.records === null ? '' : number(i.records),
    ...(i.sha256 ? [html`<span class="place mono">${i.sha256}</span>`] : []),
  ]);
  return html`<p>tcpautopsy ${result.tool.version}${result.command !== '' && ', run as'}</p>
${result.command !== '' && html`<pre>${result.command}</pre>`}
${folder !== '' && html`<p>Sources are named from <code>${folder}</code> on.</p>`}
${dataTable('Inputs', head, rows, 'stack')}
${result.hosts.length > 0 && html`<p>Hosts: ${result.hosts.map((h, i) => html`${i > 0 && '; '}<strong>${h.name}</strong>${h.addresses.length > 0 && ` (${h.addresses.slice(0, 20).join(', ')})`}`)}</p>`}
<p>Beside this page: connections.csv, findings.csv, timeline.csv and diagnostics.csv (every row of what is shortened here), charts/ (Vega-Lite specifications and SVG), result.json (all of it).</p>`;
}
