/** What the command line prints. Text from outside is made visible; colour only where asked for. */

import type { Finding } from '../model/finding.ts';
import type { CauseGroup } from '../model/result.ts';
import { visible } from '../model/visible.ts';
import type { Result } from '../tables/result.ts';
import { bySeverity, type Focus, findingsOf, focusOf } from '../view/focus.ts';
import { ladderOf, placeOf } from '../view/ladder.ts';
import { ladderText } from '../view/ladder-text.ts';
import { overviewOf } from '../view/overview.ts';
import { shortNames } from '../view/short-names.ts';
import {
  CONFIDENCE_NAMES,
  CONFIDENCE_WORDS,
  counted,
  missingWords,
  SEVERITY_SIGNS,
  sharing,
  someOf,
  sureness,
} from '../view/words.ts';
import { overviewLines, STYLES } from './overview.ts';
import { Page, type Terminal } from './sheet.ts';

const LADDERS = 3;
const LADDER_STEPS = 40;

/** Lines of `tcpautopsy explain` at most. */
const LINES = 30;

/** The first screen, for `tcpautopsy explain`. */
export function renderOverview(full: Result, terminal: Terminal): string {
  const { result } = shortNames(full);
  const page = new Page(terminal);
  page.lines(overviewLines(overviewOf(focusOf(result)), terminal, LINES - 1));
  page.lines([page.paint('Evidence, every step and all causes: add -v.', 'dim')]);
  return page.toString();
}

/** Everything worth telling, for `tcpautopsy explain -v`. */
export function renderExplain(full: Result, terminal: Terminal): string {
  const { result, folder } = shortNames(full);
  const page = new Page(terminal);
  const focus = focusOf(result);
  page.lines(overviewLines(overviewOf(focus), terminal));
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
  if (result.settings.length > 0) page.heading('Settings');
  for (const { name, value, meaning } of result.settings) page.item(`${name} = ${value}`, meaning, 2);
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
  const how = sureness(cause, result);
  const sign = page.paint(`${SEVERITY_SIGNS[cause.severity]} `, STYLES[cause.severity]);
  const many = sharing(cause) === 0 ? '' : `${counted(sharing(cause), 'connection')}, `;
  page.text(`${cause.title} (${many}${how})`, 0, sign, 2);
}

function causeBlock(page: Page, cause: CauseGroup, { result, findings, title }: Focus): void {
  causeLine(page, cause, result);
  page.text(cause.summary);
  const which = sharing(cause) === 0 ? '' : ` (${someOf(cause.connections, sharing(cause))})`;
  page.item('cause:', cause.rule + which, 2);
  page.item('confidence:', `${CONFIDENCE_NAMES[cause.confidence]}: ${CONFIDENCE_WORDS[cause.confidence]}`, 2);
  const group = findingsOf(cause, findings);
  const shown = group[0];
  if (shown) evidence(page, shown, group.length, result);
  if (cause.remedy) page.item('fix:', cause.remedy, 2);
  for (const text of cause.settled ?? []) page.text(text, 2);
  for (const m of missingWords(group.map((f) => f.missing)).slice(0, 5)) page.item('missing evidence:', m, 2);
  const others = [...new Set(group.flatMap((f) => f.alternatives))];
  if (others.length > 0)
    page.item('could also be:', others.map((id) => `${title(id)} (${id})`).join('; '), 2);
}

function evidence(page: Page, f: Finding, of: number, result: Result): void {
  const which = [f.connection, of > 1 ? 'the others alike' : ''].filter((w) => w !== '').join('; ');
  page.item(which === '' ? 'evidence:' : 'evidence', which === '' ? '' : `(${which}):`, 2);
  for (const e of f.evidence) {
    const place = placeOf(e, result);
    page.item('-', place ? `${e.fact}  [${place}]` : e.fact, 4);
  }
}

function ladders(page: Page, focus: Focus): void {
  const ids = focus.telling.length > 0 ? focus.telling : focus.result.connections.map((r) => r.id);
  const shown = ids.filter((id) => (focus.timeline.get(id)?.length ?? 0) > 1).slice(0, LADDERS);
  if (shown.length === 0) return;
  page.heading(
    shown.length < ids.length
      ? `${shown.length} examples of ${counted(ids.length, focus.telling.length > 0 ? 'problem connection' : 'connection')}`
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
  page.lines(overviewLines(overviewOf(focusOf(shortNames(result).result)), terminal, LINES));
  page.blank();
  page.text(`Written to ${dir}; start with ${html ? 'report.html, or ' : ''}report.md.`, 0);
  return page.toString();
}
