/**
 * report.html: one file without any request, for a tired reader first and a sceptic after that. All of it is there
 * without a script; the one script makes it easier to search. Parts that have nothing to say are left out.
 */

import type { Result } from '../tables/result.ts';
import { focusOf } from '../view/focus.ts';
import { overviewOf } from '../view/overview.ts';
import { shortNames } from '../view/short-names.ts';
import { allOf, counted } from '../view/words.ts';
import { causeCards } from './causes.ts';
import { connectionsSection } from './connections.ts';
import { type DrawnChart, documentOf, figure } from './document.ts';
import { ladderSections } from './ladders.ts';
import { html, type Markup, prose } from './markup.ts';
import { overviewSection } from './overview.ts';
import { type Page, pageOf } from './page.ts';
import {
  answersSection,
  clocksSection,
  countersSection,
  diagnosticsSection,
  inputsSection,
  settingsSection,
} from './quality.ts';
import { SCRIPT } from './script.ts';

interface Section {
  id: string;
  title: string;
  /** Empty: not shown. */
  body: Markup | null;
  /** Line to unfold it with; '' for a part that is open. */
  folded: string;
}

export function renderHtml(full: Result, charts: readonly DrawnChart[]): string {
  const { result, folder } = shortNames(full);
  const shown = pageOf(focusOf(result));
  const sections = sectionsOf(shown, charts, folder).filter(
    (s): s is Section & { body: Markup } => s.body !== null,
  );
  const body = html`<a class="skip" href="#causes">Skip to the causes</a>
<header class="top">
<p>TCP post-mortem by tcpautopsy ${result.tool.version} · ${scope(result)}</p>
</header>
<nav class="contents" aria-label="Contents"><ul><li><a href="#top">Top</a></li>${sections.map((s) => html`<li><a href="#${s.id}">${s.title}</a></li>`)}</ul></nav>
<main id="top">
${overviewSection(overviewOf(shown), new Set(result.causes.map((c) => c.rule)), result.redaction)}
${sections.map(sectionOf)}
</main>
<footer><p>Made by tcpautopsy ${result.tool.version} from the files named above, and from nothing else.</p></footer>
`;
  return documentOf(pageTitle(result), result.tool.version, body, SCRIPT);
}

function pageTitle(result: Result): string {
  const [worst] = result.incidents;
  return `${worst ? worst.cause.title : 'No problems found'} – TCP post-mortem`;
}

function scope(result: Result): string {
  const { inputs, hosts } = result;
  const parts = [counted(allOf(result), 'connection'), counted(inputs.length, 'source')];
  if (hosts.length > 0) parts.push(counted(hosts.length, 'host'));
  return parts.join(', ');
}

/** The sentences of the story in order, each with the files it rests on. */
function storyList({ story, inputs }: Result): Markup {
  const files = new Set(inputs.map((i) => i.name.slice(i.name.lastIndexOf('/') + 1)));
  return html`<ol class="story">${story.map((s) => html`<li>${sentence(s, files)}</li>\n`)}</ol>`;
}

/** The files that a sentence rests on, in brackets at its end, stand back behind what it says. */
function sentence(text: string, files: ReadonlySet<string>): Markup {
  const [, said, cited] = /^(.*) (\([^()]+\))\.$/s.exec(text) ?? [];
  const first = cited?.slice(1, -1).split(/, | and /, 1)[0];
  if (said === undefined || first === undefined || !files.has(first)) return prose(text);
  return html`${prose(said)}. <span class="place">${cited}</span>`;
}

/** What matters is open, what is to be looked up is folded. */
function sectionsOf(shown: Page, charts: readonly DrawnChart[], folder: string): Section[] {
  const { result } = shown;
  const { causes, answers, settings, counters, clocks, diagnostics } = result;
  const part = (id: string, title: string, has: boolean, body: () => Markup, folded = ''): Section => ({
    id,
    title,
    body: has ? body() : null,
    folded,
  });
  const listed = (id: string, title: string, n: number, noun: string, body: () => Markup) =>
    part(id, title, n > 0, body, counted(n, noun));
  const all = counted(allOf(result), 'connection');
  const nothingLost = diagnostics.length === 0 ? 'nothing lost' : counted(diagnostics.length, 'note');
  return [
    part('story', 'In order', result.story.length > 2, () => storyList(result)),
    part('causes', 'Causes', causes.length > 0, () => causeCards(shown)),
    part('charts', 'Charts', charts.length > 0, () => chartFigures(charts)),
    part('steps', 'Step by step', shown.ladders.length > 0, () => ladderSections(shown)),
    part('connections', 'Connections', result.connections.length > 0, () => connectionsSection(shown), all),
    listed('settings', 'Settings', settings.length, 'setting', () => settingsSection(result)),
    part('answers', 'Questions', answers.length > 0, () => answersSection(result)),
    listed('counters', 'Counters', counters.length, 'counter', () => countersSection(result)),
    listed('clocks', 'Clocks', clocks.length, 'source', () => clocksSection(result)),
    part('quality', 'Data quality', true, () => diagnosticsSection(result), nothingLost),
    listed('reproduce', 'Inputs', result.inputs.length, 'input', () => inputsSection(result, folder)),
  ];
}

function sectionOf({ id, title, body, folded }: Section): Markup {
  const inside =
    folded === '' ? body : html`<details class="part"><summary>${folded}</summary>\n${body}\n</details>`;
  return html`<section aria-labelledby="${id}">\n<h2 id="${id}">${title}</h2>\n${inside}\n</section>\n`;
}

/** Charts that a first reading needs; the others are unfolded by those who want them. */
const OPEN_CHARTS = new Set(['over-time', 'accept-queues', 'servers']);

function chartFigures(charts: readonly DrawnChart[]): Markup {
  const isOpen = ({ chart }: DrawnChart) => OPEN_CHARTS.has(chart.id);
  const folded = charts.filter((c) => !isOpen(c));
  return html`${charts.filter(isOpen).map(figure)}${folded.map((c) => html`<details class="part"><summary>${c.chart.title}</summary>\n${figure(c)}</details>\n`)}`;
}
