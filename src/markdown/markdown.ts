/** report.md: the story to paste into a ticket. Text from outside is escaped, or stands in code. */
import { formatEndpoint } from '../model/address.ts';
import type { CauseGroup } from '../model/result.ts';
import type { Result } from '../tables/result.ts';
import {
  markdownCode as code,
  markdownBlock,
  markdown as md,
  markdownProse as prose,
} from '../view/escape.ts';
import { bySeverity, type Focus, findingsOf, focusOf } from '../view/focus.ts';
import { ladderOf, placeOf } from '../view/ladder.ts';
import { ladderText } from '../view/ladder-text.ts';
import { type IncidentView, type Overview, overviewOf } from '../view/overview.ts';
import { inputLines, shortNames } from '../view/short-names.ts';
import { stripText } from '../view/strip.ts';
import {
  allOf,
  CONFIDENCE_NAMES,
  CONFIDENCE_WORDS,
  counted,
  missingWords,
  number,
  sharing,
  someOf,
} from '../view/words.ts';
import { mermaid } from './mermaid.ts';
import { tableLines } from './table.ts';

const LADDERS = 3;
/** Steps of a diagram. */
const DRAWN = 20;
const LADDER_WIDTH = 100;
/** Rows of tables that grow with the input. */
const ROWS = 40;
/** Jira takes 32,767 characters in a description or comment, GitHub 65,536. */
const LIMIT = 31_000;

/** What is told when the whole is too long for a ticket: each step leaves out more. */
interface Detail {
  /** Pieces of evidence of each cause. */
  evidence: number;
  /** Steps of each ladder. */
  steps: number;
  answers: boolean;
  /** Causes that are normal have a section of their own. */
  info: boolean;
  /** Most causes with a section. */
  causes: number;
}

const DETAILS: readonly Detail[] = [
  { evidence: 6, steps: 30, answers: true, info: true, causes: 100 },
  { evidence: 6, steps: 30, answers: true, info: false, causes: 100 },
  { evidence: 6, steps: 30, answers: false, info: false, causes: 100 },
  { evidence: 3, steps: 24, answers: false, info: false, causes: 12 },
  { evidence: 2, steps: 18, answers: false, info: false, causes: 12 },
  { evidence: 1, steps: 14, answers: false, info: false, causes: 6 },
];

/** The whole file, ending in a line feed; short enough for a ticket. */
export function renderMarkdown(full: Result): string {
  const { result, folder } = shortNames(full);
  const focus = focusOf(result);
  let text = '';
  for (const detail of DETAILS) {
    text = textOf(focus, folder, detail);
    if (text.length <= LIMIT) break;
  }
  return text;
}

function textOf(focus: Focus, folder: string, detail: Detail): string {
  const { result } = focus;
  const overview = overviewOf(focus);
  // those that closed normally are rows of connections.csv, and no findings
  const causes = bySeverity(result.causes).filter((c) => c.connections.length > 0);
  const told = causes.filter((c) => detail.info || c.severity !== 'info').slice(0, detail.causes);
  const left = [
    ...(told.length < causes.length ? [counted(causes.length - told.length, 'cause')] : []),
    ...(!detail.answers && result.answers.length > 0 ? ['questions answered'] : []),
  ];
  const sections = [
    firstScreen(overview, result),
    folded(
      'What happened, in order',
      result.story.length > 2 ? result.story.map((s) => `- ${prose(s)}`) : [],
    ),
    folded(
      `Evidence: ${counted(told.length, 'cause')}`,
      told.flatMap((c) => causeSection(c, focus, detail)),
    ),
    folded('Connections without a cause', withoutCause(result)),
    left.length > 0 ? [`To fit a ticket this leaves out ${left.join(' and ')}: see report.html.`, ''] : [],
    folded('Step by step', ladders(focus, detail)),
    folded('Settings', settings(result)),
    folded('Questions', detail.answers ? answers(result) : []),
    folded('Counters', counters(result)),
    folded('Data quality', quality(result)),
    folded('How to reproduce', reproduce(result, folder)),
  ];
  return `${sections.flat().join('\n').trimEnd()}\n`;
}

/** The first rows, and where the others are. */
/** `counted`: how many more there are that are not in `rows`. */
function cut(rows: string[][], file: string, counted = 0): { rows: string[][]; more: string[] } {
  const left = Math.max(0, rows.length - ROWS) + counted;
  return { rows: rows.slice(0, ROWS), more: left > 0 ? [`${number(left)} more are in ${file}.`, ''] : [] };
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [...tableLines(head, rows), ''];
}

/** Blank lines around it: what is inside is Markdown again. */
function folded(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return ['<details>', `<summary>${title}</summary>`, '', ...lines, '', '</details>', ''];
}

/** Three lines for each of the gravest, its causes over time, and a line for each other. */
function firstScreen(overview: Overview, result: Result): string[] {
  const { incidents, others, more, healthy, looked, incomplete, triggered } = overview;
  const many = incidents.length === 1 ? [] : [`**${prose(overview.headline)}**`, ''];
  const rest = [
    ...others.map(
      (i) => `- ${prose(i.headline)}${i.action === '' ? '' : ` **Do this:** ${prose(i.action)}`}`,
    ),
    ...(more > 0 ? [`- ${counted(more, 'more problem')}: see report.html.`] : []),
  ];
  return [
    ...many,
    ...(triggered === '' ? [] : [md(triggered), '']),
    ...incidents.flatMap(incidentLines),
    ...(rest.length > 0 ? [...rest, ''] : []),
    ...healthy().map((line) => `Healthy: ${md(line)}  `),
    `Looked at: ${md(looked)}${incomplete === '' ? '' : `. ${md(incomplete)}`}`,
    '',
    ...(result.redaction === undefined ? [] : [`> ${md(result.redaction)}`, '']),
  ];
}

function incidentLines({ incident, facts, strip, ladder }: IncidentView): string[] {
  const text = (label: string) => facts.find((f) => f.label === label)?.text ?? '';
  const second = [text('When'), text('Who'), text('Affected'), text('Confidence'), text('Recorded')].filter(
    (t) => t !== '',
  );
  return [
    `**${prose(incident.headline)}**  `,
    `${second.map(prose).join(' · ')}  `,
    ...(incident.action === '' ? [] : [`**Do this:** ${prose(incident.action)}`]),
    '',
    ...(strip ? [markdownBlock(stripText(strip, LADDER_WIDTH)), ''] : []),
    ...(ladder ? [...mermaid(ladder), ''] : []),
  ];
}

/** Connections that no cause speaks of: what the files show of them. Those that closed normally are counted by their cause. */
function withoutCause({ connections, causes, unlisted }: Result): string[] {
  const spoken = new Set(causes.flatMap((c) => c.connections));
  const rest = connections.filter((c) => !spoken.has(c.id) && c.closeRule === '');
  if (rest.length === 0) return [];
  const counted = (unlisted?.groups ?? []).filter((g) => g.rules.length === 0);
  const { rows, more } = cut(
    rest.map((c) => [
      c.id,
      code(formatEndpoint(c.client)),
      code(formatEndpoint(c.server)),
      c.closeKind,
      c.startTime,
      md(c.sources.join('; ')),
    ]),
    'connections.csv',
    counted.reduce((sum, g) => sum + g.connections, 0),
  );
  const head = ['connection', 'client', 'server', 'ends', 'first seen', 'sources'];
  return [...table(head, rows), ...more];
}

function causeSection(cause: CauseGroup, { result, findings, title }: Focus, { evidence }: Detail): string[] {
  const group = findingsOf(cause, findings);
  const lines = [`### ${md(cause.title)}`, '', prose(cause.summary), ''];
  if (sharing(cause) > 0) lines.push(`- **Connections:** ${code(someOf(cause.connections, sharing(cause)))}`);
  lines.push(
    `- **Confidence:** ${CONFIDENCE_NAMES[cause.confidence]}: ${CONFIDENCE_WORDS[cause.confidence]}`,
  );
  const first = group[0];
  if (first) {
    const which = [
      ...(first.connection === '' ? [] : [code(first.connection)]),
      ...(group.length > 1 ? ['the others alike, in findings.csv'] : []),
    ];
    lines.push(`- **Evidence**${which.length > 0 ? ` (${which.join('; ')})` : ''}:`);
    for (const e of first.evidence.slice(0, evidence)) {
      const place = placeOf(e, result);
      lines.push(`  - ${prose(e.fact)}${place ? ` (${code(toMilliseconds(place))})` : ''}`);
    }
    if (first.evidence.length > evidence)
      lines.push(`  - and ${first.evidence.length - evidence} more, in findings.csv`);
  }
  if (cause.remedy) lines.push(`- **Fix:** ${prose(cause.remedy)}`);
  for (const text of cause.settled ?? []) lines.push(`- ${prose(text)}`);
  for (const m of missingWords(group.map((f) => f.missing)).slice(0, evidence))
    lines.push(`- **Missing evidence:** ${prose(m)}`);
  const others = [...new Set(group.flatMap((f) => f.alternatives))];
  if (others.length > 0) {
    lines.push(`- **Could also be:** ${others.map((id) => `${md(title(id))} (${code(id)})`).join('; ')}`);
  }
  return [...lines, `- **Id:** ${code(cause.rule)}`, ''];
}

function ladders(focus: Focus, { steps }: Detail): string[] {
  const ids = focus.telling.filter((id) => (focus.timeline.get(id)?.length ?? 0) > 1).slice(0, LADDERS);
  if (ids.length === 0) return [];
  const blocks = ids.flatMap((id) => [
    markdownBlock(ladderText(ladderOf(focus, id, steps), LADDER_WIDTH)),
    '',
  ]);
  return [
    ...mermaid(ladderOf(focus, ids[0]!, DRAWN)),
    '',
    'C client, S server. The number in brackets is the source below each ladder.',
    '',
    ...blocks,
  ];
}

/** Finer digits of a time are in the CSV files. */
function toMilliseconds(text: string): string {
  return text.replace(/(:\d\d\.\d{3})\d+/g, '$1');
}

function settings(result: Result): string[] {
  if (result.settings.length === 0) return [];
  const rows = result.settings.map((s) => [code(s.name), md(s.value), prose(s.meaning)]);
  return table(['setting', 'value', 'what it means here'], rows);
}

function answers(result: Result): string[] {
  return result.answers.flatMap((a) => [`**${md(a.question)}**`, '', prose(a.answer), '']);
}

function counters(result: Result): string[] {
  if (result.counters.length === 0) return [];
  const value = (n: number | null) => (n === null ? '' : number(n));
  const rows = result.counters.map((c) => [
    code(c.counter),
    md(c.host),
    value(c.from),
    value(c.to),
    prose(c.text),
  ]);
  const { rows: shown, more } = cut(rows, 'result.json');
  return [...table(['counter', 'host', 'from', 'to', 'explained by'], shown), ...more];
}

function quality(result: Result): string[] {
  const clocks = result.clocks.slice(0, ROWS).map((c) => `- ${md(c.message)}`);
  const rows = result.diagnostics.map((d) => [
    d.severity,
    code([d.source, d.locator].filter(Boolean).join(', ') || 'all inputs'),
    number(d.count),
    prose(d.message),
  ]);
  const { rows: shown, more } = cut(rows, 'diagnostics.csv');
  const lost =
    rows.length > 0
      ? [...table(['severity', 'where', 'times', 'what'], shown), ...more]
      : ['Nothing was lost, skipped or ambiguous.', ''];
  const aggregated = (result.aggregated ?? []).flatMap((a) => [prose(a.text), '']);
  return [...lost, ...aggregated, ...(clocks.length > 0 ? ['Clocks:', '', ...clocks, ''] : [])];
}

function reproduce(result: Result, folder: string): string[] {
  const inputs = inputLines(result);
  const rows = inputs.map((i) => [
    code(i.name),
    code(i.format),
    i.host ? md(i.host) : '',
    md(i.clock),
    i.records === null ? '' : number(i.records),
    i.sha256 ? code(i.sha256) : '',
  ]);
  const { rows: shown, more } = cut(rows, 'result.json');
  const hashed = inputs.some((i) => i.sha256);
  const head = ['input', 'format', 'host', 'clock', 'records', 'SHA-256'];
  const command = result.command ? [markdownBlock([result.command]), ''] : [];
  return [
    `tcpautopsy ${code(result.tool.version)}, ${counted(allOf(result), 'connection')}.`,
    '',
    ...command,
    ...(folder === '' ? [] : [`Sources are named from ${code(folder)} on.`, '']),
    ...table(hashed ? head : head.slice(0, -1), hashed ? shown : shown.map((r) => r.slice(0, -1))),
    ...more,
  ];
}
