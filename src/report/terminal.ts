/** What the command line prints. Text from outside is made visible; colour only where asked for. */

import type { Rule } from '../explain/rule.ts';
import type { Finding, Severity } from '../model/finding.ts';
import type { CauseGroup, Result } from '../model/result.ts';
import type { FormatInfo } from '../read/importer.ts';
import { visible } from './escape.ts';
import { bySeverity, type Focus, focusOf } from './focus.ts';
import { ladderOf, placeOf } from './ladder.ts';
import { ladderText, type Paint, plain, wrap } from './ladder-text.ts';
import { shortNames } from './short-names.ts';
import { CONFIDENCE_WORDS, confidenceCounts, counted, distinctMissing, someOf } from './words.ts';

export interface Terminal {
  /** Columns. */
  width: number;
  color: boolean;
}

/** Wider text is harder to read, not easier. */
const MAX_WIDTH = 110;
const LADDERS = 3;
const LADDER_STEPS = 40;

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };
const colored: Paint = (text, style) => `\x1b[${CODES[style]}m${text}\x1b[0m`;

const SIGNS: Record<Severity, string> = { error: '✗', warning: '!', info: 'i' };
const STYLES = { error: 'red', warning: 'yellow', info: 'cyan' } as const;

/** Collects lines of one page. */
class Page {
  readonly width: number;
  readonly paint: Paint;
  readonly #lines: string[] = [];

  constructor({ width, color }: Terminal) {
    this.width = Math.max(40, Math.min(MAX_WIDTH, width));
    this.paint = color ? colored : plain;
  }

  heading(text: string): void {
    if (this.#lines.length > 0) this.#lines.push('');
    this.#lines.push(this.paint(text.toUpperCase(), 'bold'));
  }

  /** A wrapped paragraph; `first` (already painted, `firstWidth` columns) stands before its first line. */
  text(text: string, indent = 2, first = '', firstWidth = first.length): void {
    const pad = ' '.repeat(indent + firstWidth);
    const lines = wrap(visible(text), Math.max(20, this.width - indent - firstWidth));
    for (const [i, line] of lines.entries())
      this.#lines.push(i === 0 ? ' '.repeat(indent) + first + line : pad + line);
  }

  item(label: string, text: string, indent = 4): void {
    this.text(text, indent, this.paint(`${label} `, 'dim'), label.length + 1);
  }

  lines(lines: readonly string[]): void {
    this.#lines.push(...lines);
  }

  blank(): void {
    this.#lines.push('');
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

/** Everything worth telling, for `tcpautopsy explain`. */
export function renderExplain(full: Result, terminal: Terminal): string {
  const { result, folder } = shortNames(full);
  const page = new Page(terminal);
  const focus = focusOf(result);
  page.heading('What happened');
  for (const sentence of result.story) page.text(sentence);
  if (result.causes.length > 0) page.heading('Causes');
  for (const [i, cause] of bySeverity(result.causes).entries()) {
    if (i > 0) page.blank();
    causeBlock(page, cause, focus);
  }
  ladders(page, focus);
  if (result.answers.length > 0) page.heading('Questions answered');
  for (const { question, answer } of result.answers) {
    page.item('Q', question, 2);
    page.item('A', answer, 2);
  }
  if (result.counters.length > 0) page.heading('Counters');
  const hosts = new Set(result.counters.map((c) => c.host)).size;
  for (const c of result.counters) {
    const of = hosts > 1 && c.host !== '' ? `(${c.host}) ` : '';
    page.item(visible(c.counter), of + c.text, 2);
  }
  if (result.diagnostics.length > 0) page.heading('What was lost or skipped');
  for (const d of result.diagnostics) {
    const place = [d.source, d.locator].filter(Boolean).join(', ');
    page.text(`${place}: ${d.message}${d.count > 1 ? ` (${d.count} times)` : ''}`, 2, `${d.severity} `);
  }
  if (folder !== '') {
    page.blank();
    page.text(`Sources are named from ${folder} on.`, 0);
  }
  return page.toString();
}

function causeLine(page: Page, cause: CauseGroup, result: Result): void {
  const sure = confidenceCounts(cause, result);
  const how = sure.length === 1 ? sure[0]![0] : sure.map(([c, n]) => `${n} ${c}`).join(', ');
  const sign = page.paint(`${SIGNS[cause.severity]} `, STYLES[cause.severity]);
  page.text(`${cause.title} (${counted(cause.connections.length, 'connection')}, ${how})`, 0, sign, 2);
}

function causeBlock(page: Page, cause: CauseGroup, { result, findings, title }: Focus): void {
  causeLine(page, cause, result);
  page.text(cause.summary);
  page.item('rule:', `${cause.rule} (${someOf(cause.connections)})`, 2);
  page.item('sure:', `${cause.confidence}: ${CONFIDENCE_WORDS[cause.confidence]}`, 2);
  const group = cause.connections.flatMap((id) =>
    (findings.get(id) ?? []).filter((f) => f.rule === cause.rule),
  );
  const shown = group[0];
  if (shown) evidence(page, shown, group.length);
  if (cause.remedy) page.item('remedy:', cause.remedy, 2);
  for (const m of distinctMissing(group.map((f) => f.missing)).slice(0, 5)) {
    page.item('missing:', `${m.what}. To record it: ${m.how}`, 2);
  }
  const others = [...new Set(group.flatMap((f) => f.alternatives))];
  if (others.length > 0) page.item('or else:', others.map((id) => `${title(id)} (${id})`).join('; '), 2);
}

function evidence(page: Page, f: Finding, of: number): void {
  page.item('evidence', of > 1 ? `(${f.connection}; the others alike):` : `(${f.connection}):`, 2);
  for (const e of f.evidence) {
    const place = placeOf(e);
    page.item('-', place ? `${e.fact}  [${place}]` : e.fact, 4);
  }
}

function ladders(page: Page, focus: Focus): void {
  const ids = focus.telling.length > 0 ? focus.telling : focus.result.connections.map((r) => r.id);
  const shown = ids.filter((id) => (focus.timeline.get(id)?.length ?? 0) > 1).slice(0, LADDERS);
  if (shown.length === 0) return;
  page.heading(
    shown.length < ids.length
      ? `The ${shown.length} most telling of ${ids.length} connections`
      : 'Step by step',
  );
  for (const [i, id] of shown.entries()) {
    if (i > 0) page.blank();
    page.lines(ladderText(ladderOf(focus, id, LADDER_STEPS), page.width, page.paint));
  }
}

/** After `analyze`: what was found, and where to read on. */
export function renderSummary(result: Result, dir: string, terminal: Terminal, html = true): string {
  const page = new Page(terminal);
  for (const sentence of result.story) page.text(sentence, 0);
  if (result.causes.length > 0) page.blank();
  for (const cause of bySeverity(result.causes)) causeLine(page, cause, result);
  page.blank();
  const damaged = result.diagnostics.filter((d) => d.severity !== 'info').length;
  if (damaged > 0)
    page.text(`Incomplete input: ${counted(damaged, 'kind')} of loss, see diagnostics.csv.`, 0);
  page.text(`Written to ${dir}; start with ${html ? 'report.html, or ' : ''}report.md.`, 0);
  return page.toString();
}

/** `full`: all that is known of each rule; else one line a rule. */
export function renderRules(rules: readonly Rule[], terminal: Terminal, full: boolean): string {
  const page = new Page(terminal);
  const widest = rules.reduce((n, r) => Math.max(n, r.id.length), 0);
  let group = '';
  for (const rule of rules) {
    if (full) {
      page.lines([`${page.paint(rule.id, 'bold')}  ${rule.title}`, '']);
      page.item('group:', rule.group, 2);
      page.item('severity:', rule.severity, 2);
      page.item('condition:', rule.condition, 2);
      page.item('needs:', rule.needs.join(' or '), 2);
      page.item('reference:', rule.reference, 2);
      continue;
    }
    if (rule.group !== group) page.heading(rule.group);
    group = rule.group;
    page.text(rule.title, 2, page.paint(rule.id.padEnd(widest + 2), 'cyan'), widest + 2);
  }
  return page.toString();
}

export function renderFormats(formats: readonly FormatInfo[], terminal: Terminal): string {
  const page = new Page(terminal);
  for (const [i, f] of formats.entries()) {
    if (i > 0) page.blank();
    page.lines([`${page.paint(f.id, 'bold')}  ${f.title}`]);
    page.item('clock:', f.clock, 2);
    page.item('proves:', f.proves, 2);
    page.item('cannot:', f.cannotProve, 2);
    page.item('looks like:', f.example, 2);
  }
  return page.toString();
}
