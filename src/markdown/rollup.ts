/** rollup.md: the roll-up of a batch, to paste into a ticket. */
import type { Rollup } from '../model/rollup.ts';
import { markdown, markdownCode } from '../view/escape.ts';
import { causeSentences, limits, newness, newnessHead, scopeOf, some, time } from '../view/rollup.ts';
import { CONFIDENCE_NAMES, number } from '../view/words.ts';
import { tableLines } from './table.ts';

const MOST = 50;

export function renderRollup(rollup: Rollup): string {
  const sentences = [scopeOf(rollup), ...causeSentences(rollup), ...limits(rollup)];
  return `${['# Captures, rolled up', list(sentences), causes(rollup), alike(rollup), failures(rollup)]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

function list(sentences: readonly string[]): string {
  return sentences.map((s) => `- ${markdown(s)}`).join('\n');
}

function table(heads: readonly string[], rows: readonly (readonly string[])[], of = rows.length): string {
  const more = of > rows.length ? `\n\n${number(of - rows.length)} more in the CSV file.` : '';
  return `${tableLines(heads, rows).join('\n')}${more}`;
}

function causes(rollup: Rollup): string {
  const { at, causes: all } = rollup;
  const isNew = newnessHead(rollup);
  if (at.length === 0) return '';
  const title = new Map(all.map((c) => [c.rule, c.title]));
  const rows = at
    .slice(0, MOST)
    .map((r) => [
      markdown(title.get(r.rule) ?? r.rule),
      CONFIDENCE_NAMES[r.confidence],
      markdown(r.host),
      markdownCode(r.listener),
      number(r.groups),
      number(r.connections),
      time(r.first),
      time(r.last),
      ...(isNew ? [newness(r)] : []),
    ]);
  const heads = [
    'cause',
    'confidence',
    'host',
    'listener',
    'groups',
    'connections',
    'first seen',
    'last seen',
    ...(isNew ? [isNew] : []),
  ];
  return `## Causes\n\n${table(heads, rows, at.length)}`;
}

function alike({ alike: sets }: Rollup): string {
  if (sets.length === 0) return '';
  const rows = sets.map((s) => [
    number(s.of),
    s.causes.map(markdownCode).join(', '),
    some(s.groups.map((g) => g.place))
      .split(', ')
      .map(markdown)
      .join(', '),
  ]);
  return `## Captures that look alike\n\n${table(['groups', 'causes', 'among them'], rows)}`;
}

function failures({ failures: all }: Rollup): string {
  if (all.length === 0) return '';
  const rows = all
    .slice(0, MOST)
    .map((f) => [markdownCode(f.place), f.stage, markdown(f.at), markdown(f.message)]);
  return `## Not read\n\n${table(['file', 'stage', 'at', 'reason'], rows, all.length)}`;
}
