/** report.md: the story to paste into a ticket. Text from outside is escaped, or stands in code. */
import { formatEndpoint } from '../model/address.ts';
import type { CauseGroup, Result } from '../model/result.ts';
import {
  markdownCode as code,
  markdownBlock,
  markdown as md,
  markdownProse as prose,
} from '../view/escape.ts';
import { bySeverity, type Focus, findingsOf, focusOf } from '../view/focus.ts';
import { ladderOf, placeOf } from '../view/ladder.ts';
import { ladderText } from '../view/ladder-text.ts';
import { inputLines, shortNames } from '../view/short-names.ts';
import {
  allOf,
  CONFIDENCE_NAMES,
  CONFIDENCE_WORDS,
  counted,
  missingWords,
  number,
  sharing,
  someOf,
  sureness,
} from '../view/words.ts';

const LADDERS = 3;
const LADDER_WIDTH = 100;
/** Rows of tables that grow with the input. */
const ROWS = 40;
/** Jira takes 32,767 characters in a description or comment, GitHub 65,536. */
const LIMIT = 32_000;

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
  { evidence: 2, steps: 18, answers: false, info: false, causes: 6 },
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
  // those that closed normally are rows of connections.csv, and no findings
  const causes = bySeverity(result.causes).filter((c) => c.connections.length > 0);
  const told = causes.filter((c) => detail.info || c.severity !== 'info').slice(0, detail.causes);
  const left = [
    ...(told.length < causes.length ? [counted(causes.length - told.length, 'cause')] : []),
    ...(!detail.answers && result.answers.length > 0 ? ['questions answered'] : []),
  ];
  const sections = [
    ['# What happened', '', ...result.story.map((s) => `- ${prose(s)}`), ''],
    result.redaction === undefined ? [] : [`> ${md(result.redaction)}`, ''],
    causesTable(result),
    ...told.map((c) => causeSection(c, focus, detail)),
    withoutCause(result),
    left.length > 0 ? [`To fit a ticket this leaves out ${left.join(' and ')}: see report.html.`, ''] : [],
    ladders(focus, detail),
    detail.answers ? answers(result) : [],
    counters(result),
    quality(result),
    reproduce(result, folder),
  ];
  return `${sections.flat().join('\n').trimEnd()}\n`;
}

/** The first rows, and where the others are. */
function cut(rows: string[][], file: string): { rows: string[][]; more: string[] } {
  const left = rows.length - ROWS;
  return { rows: rows.slice(0, ROWS), more: left > 0 ? [`${number(left)} more are in ${file}.`, ''] : [] };
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line), ''];
}

function causesTable(result: Result): string[] {
  if (result.causes.length === 0) return ['No cause was found.', ''];
  const rows = bySeverity(result.causes).map((c) => [
    md(c.title),
    sharing(c) === 0 ? '' : number(sharing(c)),
    sureness(c, result),
    c.severity,
    code(c.rule),
  ]);
  return ['## Causes', '', ...table(['cause', 'connections', 'how sure', 'severity', 'rule'], rows)];
}

/** Connections that no cause speaks of: what the files show of them. Those that closed normally are counted by their cause. */
function withoutCause({ connections, causes }: Result): string[] {
  const spoken = new Set(causes.flatMap((c) => c.connections));
  const rest = connections.filter((c) => !spoken.has(c.id) && c.closeRule === '');
  if (rest.length === 0) return [];
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
  );
  const head = ['connection', 'client', 'server', 'ends', 'first seen', 'sources'];
  return ['## Connections without a cause', '', ...table(head, rows), ...more];
}

function causeSection(cause: CauseGroup, { result, findings, title }: Focus, { evidence }: Detail): string[] {
  const group = findingsOf(cause, findings);
  const lines = [`### ${md(cause.title)}`, '', prose(cause.summary), ''];
  if (sharing(cause) > 0) lines.push(`- **Connections:** ${code(someOf(cause.connections, sharing(cause)))}`);
  lines.push(`- **How sure:** ${CONFIDENCE_NAMES[cause.confidence]}: ${CONFIDENCE_WORDS[cause.confidence]}`);
  const first = group[0];
  if (first) {
    const which = [
      ...(first.connection === '' ? [] : [code(first.connection)]),
      ...(group.length > 1 ? ['the others alike, in findings.csv'] : []),
    ];
    lines.push(`- **Evidence**${which.length > 0 ? ` (${which.join('; ')})` : ''}:`);
    for (const e of first.evidence.slice(0, evidence)) {
      const place = placeOf(e, result);
      lines.push(`  - ${prose(e.fact)}${place ? ` (${code(place)})` : ''}`);
    }
    if (first.evidence.length > evidence)
      lines.push(`  - and ${first.evidence.length - evidence} more, in findings.csv`);
  }
  if (cause.remedy) lines.push(`- **Remedy:** ${prose(cause.remedy)}`);
  for (const m of missingWords(group.map((f) => f.missing)).slice(0, evidence))
    lines.push(`- **Missing:** ${prose(m)}`);
  const others = [...new Set(group.flatMap((f) => f.alternatives))];
  if (others.length > 0) {
    lines.push(
      `- **Fits as well, likeliest first:** ${others.map((id) => `${md(title(id))} (${code(id)})`).join('; ')}`,
    );
  }
  return [...lines, ''];
}

function ladders(focus: Focus, { steps }: Detail): string[] {
  const ids = focus.telling.filter((id) => (focus.timeline.get(id)?.length ?? 0) > 1).slice(0, LADDERS);
  if (ids.length === 0) return [];
  const blocks = ids.flatMap((id) => [
    markdownBlock(ladderText(ladderOf(focus, id, steps), LADDER_WIDTH)),
    '',
  ]);
  const title =
    ids.length === 1 ? '## Step by step' : `## Step by step: the ${ids.length} most telling connections`;
  return [
    title,
    '',
    'C client, S server. The number in brackets is the source below each ladder.',
    '',
    ...blocks,
  ];
}

function answers(result: Result): string[] {
  if (result.answers.length === 0) return [];
  const blocks = result.answers.flatMap((a) => [`**${md(a.question)}**`, '', prose(a.answer), '']);
  return ['## Questions answered', '', ...blocks];
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
  return ['## Counters', '', ...table(['counter', 'host', 'from', 'to', 'explained by'], shown), ...more];
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
  return [
    '## Data quality',
    '',
    ...lost,
    ...aggregated,
    ...(clocks.length > 0 ? ['Clocks:', '', ...clocks, ''] : []),
  ];
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
    '## How to reproduce',
    '',
    `tcpautopsy ${code(result.tool.version)}, ${counted(allOf(result), 'connection')}.`,
    '',
    ...command,
    ...(folder === '' ? [] : [`Sources are named from ${code(folder)} on.`, '']),
    ...table(hashed ? head : head.slice(0, -1), hashed ? shown : shown.map((r) => r.slice(0, -1))),
    ...more,
  ];
}
