// %% [markdown]
// # Many captures
//
// Which of an archive's captures show the same fault, which faults come together, and where FIN_WAIT2 lasts. Set ARCHIVE to
// what `tcpautopsy batch` wrote (with --connections all, for the last cell); without it a batch is run over the live samples.

// %%
import { desc, escape, op } from 'arquero';
import { batchOf, Notebook, SAMPLES, tableOf } from './notebook.ts';

const page = new Notebook('many-captures');
const archive = process.env.ARCHIVE ?? (await batchOf(`${SAMPLES}live`));
export const connections = await tableOf(archive, 'connections');
export const findings = await tableOf(archive, 'findings');
const names = new Set(connections.array('capture'));
page.say(`# Many captures\n\n${names.size} captures, ${connections.numRows()} connections.`);

// %% [markdown]
// ## Which faults are in how many captures?

// %%
export const faults = findings
  .filter((d: { severity: string }) => d.severity !== 'info')
  .groupby('rule')
  .rollup({ captures: op.distinct('capture'), findings: op.count() })
  .orderby(desc('captures'), desc('findings'));
page.say('## Which faults are in how many captures?');
page.table(faults, 60);

// %% [markdown]
// ## Where is each fault?
// One square a capture and fault; the darker, the surer.

// %%
const certainty = { proved: 3, inferred: 2, possible: 1 } as Record<string, number>;
export const grid = findings
  .filter((d: { severity: string }) => d.severity !== 'info')
  .derive({ sure: escape((d: { confidence: string }) => certainty[d.confidence] ?? 0) })
  .groupby('capture', 'rule')
  .rollup({ sure: op.max('sure'), findings: op.count() });
page.say('## Where is each fault?');
export const gridChart = await page.chart('faults', {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  data: { values: grid.objects() },
  mark: 'rect',
  encoding: {
    x: { field: 'rule', type: 'nominal', title: null, axis: { labelAngle: -45 } },
    y: { field: 'capture', type: 'nominal', title: null },
    color: { field: 'sure', type: 'ordinal', title: 'possible, inferred, proved' },
  },
});

// %% [markdown]
// ## Which faults come together?
// Pairs of faults on one connection, by the number of captures that show the pair.

// %%
const on = ['capture', 'connection_id'];
const serious = findings
  .filter((d: { severity: string }) => d.severity !== 'info')
  .select('capture', 'connection_id', 'rule');
export const pairs = serious
  .join(serious, [on, on])
  .filter((d: { rule_1: string; rule_2: string }) => d.rule_1 < d.rule_2)
  .groupby('rule_1', 'rule_2')
  .rollup({ captures: op.distinct('capture') })
  .orderby(desc('captures'));
page.say('## Which faults come together?');
page.table(pairs);

// %% [markdown]
// ## FIN_WAIT2: on the wire against in the kernel
// The full socket often leaves FIN_WAIT2 at once, and a minisock lives on: then the kernel's number is far smaller.

// %%
export const finWait2 = connections
  .filter((d: { fin_wait2_wire_s: number | null }) => d.fin_wait2_wire_s !== null)
  .select('capture', 'connection_id', 'fin_wait2_wire_s', 'fin_wait2_kernel_s', 'fin_wait2_rule')
  .orderby(desc('fin_wait2_wire_s'));
page.say('## FIN_WAIT2: on the wire against in the kernel');
page.table(finWait2);
export const saved = page.save();
