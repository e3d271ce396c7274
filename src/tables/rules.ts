import { ruleById } from '../explain/rules/index.ts';
import type { CauseGroup } from '../model/result.ts';
import { columnsOf, type Fields, type RowOf, rowOf, type Table } from './column.ts';

const fields = {
  rule: {
    name: 'rule',
    doc: 'the cause: key of findings.csv and of the `…_rule` columns',
    of: (c) => c.rule,
  },
  title: { name: 'title', doc: 'in a few words', of: (c) => c.title },
  remedy: {
    name: 'remedy',
    doc: 'what to do about it; empty where nothing is to be done',
    of: (c) => c.remedy,
  },
  reference: { name: 'reference', doc: 'kernel function, RFC', of: (c) => ruleById(c.rule)?.reference ?? '' },
} satisfies Fields<CauseGroup>;

/** What a rule says of all its findings. */
export type RuleInfo = RowOf<typeof fields>;

export const rulesTable: Table<RuleInfo> = {
  file: 'rules.csv',
  doc: 'A row for each rule that holds for some connection. `tcpautopsy rules ID` explains it at length.',
  columns: columnsOf(fields),
};

export function ruleInfo(cause: CauseGroup): RuleInfo {
  return rowOf(fields, cause);
}
