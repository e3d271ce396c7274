/** comparison.md, to paste into a ticket. */
import type { Comparison } from '../compare/compare.ts';
import { CHANGE_NAMES, rateText, verdictOf } from '../compare/words.ts';
import { markdownCode as code, markdown as md } from '../view/escape.ts';
import { counted } from '../view/words.ts';
import { tableLines } from './table.ts';

/** Rows of each table. */
const ROWS = 40;

export function renderComparisonMarkdown(comparison: Comparison): string {
  const { before, after, causes, servers } = comparison;
  const side = ({ name, connections }: Comparison['before']) =>
    `${code(name)}, ${counted(connections, 'connection')}`;
  const causeRows = causes.map((c) => [
    `${CHANGE_NAMES[c.change]}${c.clear || c.change === 'same' ? '' : ', may be chance'}`,
    c.rule === '' ? md(c.title) : `${md(c.title)} (${code(c.rule)})`,
    c.ofHost ? 'of a host' : rateText(c.before),
    c.ofHost ? 'of a host' : rateText(c.after),
  ]);
  const serverRows = servers.map((s) => [code(s.server), rateText(s.before), rateText(s.after)]);
  return [
    `**${md(verdictOf(comparison))}**`,
    `Before: ${side(before)}. After: ${side(after)}.`,
    table(['', 'Cause', 'Before', 'After'], causeRows),
    table(['Server with affected connections', 'Before', 'After'], serverRows),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function table(head: readonly string[], rows: readonly string[][]): string {
  if (rows.length === 0) return '';
  const more = rows.length > ROWS ? [`\n${counted(rows.length - ROWS, 'other')} are in the CSV file.`] : [];
  return [...tableLines(head, rows.slice(0, ROWS)), ...more].join('\n');
}
