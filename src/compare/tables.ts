/** comparison.csv. */
import type { Table } from '../tables/column.ts';
import type { ComparedCause } from './compare.ts';

const rate = (of: 'before' | 'after') => [
  {
    name: `${of}_connections`,
    doc: `Connections that share the cause, ${of}.`,
    value: (c: ComparedCause) => c[of].hurt,
  },
  { name: `${of}_of`, doc: `All connections, ${of}.`, value: (c: ComparedCause) => c[of].connections },
  {
    name: `${of}_per_1000`,
    doc: `Of 1,000 connections, ${of}; empty without connections.`,
    value: (c: ComparedCause) => c[of].perThousand,
  },
  {
    name: `${of}_low`,
    doc: `Lower end of its 95 % interval (Wilson).`,
    value: (c: ComparedCause) => c[of].interval?.[0] ?? null,
  },
  {
    name: `${of}_high`,
    doc: 'Upper end of it.',
    value: (c: ComparedCause) => c[of].interval?.[1] ?? null,
  },
];

export const comparisonTable: Table<ComparedCause> = {
  file: 'comparison.csv',
  doc: 'A row for each cause that one of two analyses found, worst first (`tcpautopsy compare BEFORE AFTER -o DIR`).',
  columns: [
    { name: 'rule', doc: 'Id of the cause.', value: (c) => c.rule },
    { name: 'title', doc: 'The same in words.', value: (c) => c.title },
    {
      name: 'severity',
      doc: '`error`, `warning` or `info`, after; before, where it is gone.',
      value: (c) => c.severity,
    },
    {
      name: 'confidence',
      doc: 'Weakest of its findings: `proved`, `inferred` or `possible`.',
      value: (c) => c.confidence,
    },
    { name: 'change', doc: '`new`, `more`, `same`, `fewer` or `gone`.', value: (c) => c.change },
    {
      name: 'clear',
      doc: '1: the 95 % interval of the difference (Newcombe) leaves out 0; 0: so few may be chance.',
      value: (c) => (c.clear ? 1 : 0),
    },
    ...rate('before'),
    ...rate('after'),
  ],
};
