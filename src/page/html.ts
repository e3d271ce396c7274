/**
 * report.html: one file without any request, for a tired reader first and a sceptic after that. All of it is there
 * without a script; the one script makes it easier to search. Parts that have nothing to say are left out.
 */

import type { Chart } from '../charts/chart.ts';
import { inlineSvg } from '../charts/render.ts';
import type { Result } from '../model/result.ts';
import { sha256OfText } from '../platform/hash.ts';
import { focusOf } from '../view/focus.ts';
import { shortNames } from '../view/short-names.ts';
import { allOf, counted } from '../view/words.ts';
import { causeCards, causesTable } from './causes.ts';
import { connectionsSection } from './connections.ts';
import { ladderSections } from './ladders.ts';
import { html, Markup } from './markup.ts';
import { type Page, pageOf } from './page.ts';
import {
  answersSection,
  clocksSection,
  countersSection,
  diagnosticsSection,
  inputsSection,
} from './quality.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

export interface DrawnChart {
  chart: Chart;
  /** A whole SVG document. */
  svg: string;
}

interface Section {
  id: string;
  title: string;
  /** Empty: not shown. */
  body: Markup | null;
}

const sha256 = (text: string) => `'sha256-${sha256OfText(text)}'`;

const POLICY = [
  "default-src 'none'",
  `style-src ${sha256(STYLE)}`,
  `script-src ${sha256(SCRIPT)}`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

export function renderHtml(full: Result, charts: readonly DrawnChart[]): string {
  const { result, folder } = shortNames(full);
  const shown = pageOf(focusOf(result));
  const sections = sectionsOf(shown, charts, folder).filter(
    (s): s is Section & { body: Markup } => s.body !== null,
  );
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="tcpautopsy ${result.tool.version}">
<title>${pageTitle(result)}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<a class="skip" href="#causes">Skip to the causes</a>
<header class="top">
<p>TCP post-mortem by tcpautopsy ${result.tool.version} · ${scope(result)}</p>
</header>
<main>
${overview(shown, sections)}
${sections.map((s) => html`<section aria-labelledby="${s.id}">\n<h2 id="${s.id}">${s.title}</h2>\n${s.body}\n</section>\n`)}
</main>
<footer><p>Made by tcpautopsy ${result.tool.version} from the files named above, and from nothing else.</p></footer>
<script>${new Markup(SCRIPT)}</script>
</body>
</html>
`;
  return page.text;
}

function pageTitle(result: Result): string {
  const { causes } = result;
  const worst =
    causes.find((c) => c.severity === 'error') ?? causes.find((c) => c.severity === 'warning') ?? causes[0];
  return `${worst ? worst.title : counted(allOf(result), 'connection')} – TCP post-mortem`;
}

function scope(result: Result): string {
  const { inputs, hosts } = result;
  const parts = [counted(allOf(result), 'connection'), counted(inputs.length, 'source')];
  if (hosts.length > 0) parts.push(counted(hosts.length, 'host'));
  return parts.join(', ');
}

/** The first screen: the story, what is damaged, the causes in a table. */
function overview(shown: Page, sections: readonly Section[]): Markup {
  const { story, inputs, diagnostics, redaction } = shown.result;
  const lost = diagnostics.filter((d) => d.severity !== 'info');
  const warning =
    lost.length > 0 &&
    html`<p class="notice"><strong>Incomplete input.</strong> ${counted(lost.length, 'kind')} of loss or damage: <a href="#quality">see data quality</a>.</p>`;
  const files = new Set(inputs.map((i) => i.name.slice(i.name.lastIndexOf('/') + 1)));
  const sentences = story.map((s) => html`<li>${sentence(s, files)}</li>\n`);
  return html`<h1>What happened</h1>
<ul class="story${story.length < 2 && ' one'}">
${sentences}</ul>
${warning}
${redaction !== undefined && html`<p class="notice">${redaction}</p>`}
${causesTable(shown)}
<nav class="contents" aria-label="Contents"><ul>${sections.map((s) => html`<li><a href="#${s.id}">${s.title}</a></li>`)}</ul></nav>`;
}

/** The files that a sentence rests on, in brackets at its end, stand back behind what it says. */
function sentence(text: string, files: ReadonlySet<string>): Markup {
  const [, said, cited] = /^(.*) (\([^()]+\))\.$/s.exec(text) ?? [];
  const first = cited?.slice(1, -1).split(/, | and /, 1)[0];
  if (said === undefined || first === undefined || !files.has(first)) return html`${text}`;
  return html`${said}. <span class="place">${cited}</span>`;
}

function sectionsOf(shown: Page, charts: readonly DrawnChart[], folder: string): Section[] {
  const { result } = shown;
  const when = (condition: boolean, body: () => Markup) => (condition ? body() : null);
  return [
    { id: 'causes', title: 'Causes', body: when(result.causes.length > 0, () => causeCards(shown)) },
    {
      id: 'answers',
      title: 'Questions answered',
      body: when(result.answers.length > 0, () => answersSection(result)),
    },
    { id: 'charts', title: 'Charts', body: when(charts.length > 0, () => html`${charts.map(figure)}`) },
    {
      id: 'connections',
      title: 'Connections',
      body: when(result.connections.length > 0, () => connectionsSection(shown)),
    },
    {
      id: 'steps',
      title: 'Step by step',
      body: when(shown.ladders.length > 0, () => ladderSections(shown)),
    },
    {
      id: 'counters',
      title: 'Counters',
      body: when(result.counters.length > 0, () => countersSection(result)),
    },
    { id: 'clocks', title: 'Clocks', body: when(result.clocks.length > 0, () => clocksSection(result)) },
    { id: 'quality', title: 'Data quality', body: diagnosticsSection(result) },
    { id: 'reproduce', title: 'Inputs, and how to reproduce this', body: inputsSection(result, folder) },
  ];
}

function figure({ chart, svg }: DrawnChart): Markup {
  return html`<figure role="group" aria-labelledby="chart-${chart.id}">
<div class="scroll" role="region" aria-label="${chart.title}" tabindex="0">${new Markup(inlineSvg(svg))}</div>
<figcaption id="chart-${chart.id}">${chart.description}</figcaption>
</figure>
`;
}
