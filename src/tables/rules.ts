import type { RuleInfo } from '../model/result.ts';
import type { Table } from './column.ts';

export const rulesTable: Table<RuleInfo> = {
  file: 'rules.csv',
  doc: 'A row for each rule that holds for some connection. `tcpautopsy rules ID` explains it at length.',
  columns: [
    { name: 'rule', doc: 'the cause: key of findings.csv and of the `…_rule` columns', value: (r) => r.rule },
    { name: 'title', doc: 'in a few words', value: (r) => r.title },
    { name: 'remedy', doc: 'what to do about it; empty where nothing is to be done', value: (r) => r.remedy },
    { name: 'reference', doc: 'kernel function, RFC', value: (r) => r.reference },
  ],
};
