// %% [markdown]
// # One incident
//
// What the tables of one report tell, step by step: how the connections ended and why, how long each end stayed in
// each TCP state, and what came in which order on the worst one. Run with a report folder or any evidence as argument;
// without one it takes the accept queue incident of `samples/documents/exp1`.

// %%
import { desc, escape, op } from 'arquero';
import { Notebook, reportOf, SAMPLES, secondsOf } from './notebook.ts';

const page = new Notebook('one-incident');
const { connections, findings, timeline } = await reportOf(process.env.REPORT ?? `${SAMPLES}documents/exp1`);
page.say(`# One incident\n\n${connections.numRows()} connections, ${findings.numRows()} findings.`);

// %% [markdown]
// ## How did they end, and why?
// `close_kind` says how, `close_rule` is the verdict.

// %%
export const endings = connections
  .groupby('close_kind', 'closed_by', 'close_rule')
  .rollup({ connections: op.count(), longest_s: op.max('duration_s') })
  .orderby(desc('connections'));
page.say('## How did they end, and why?');
page.table(endings);

// %% [markdown]
// ## Every cause that holds, with how sure it is
// Verdicts alone hide the steps before them: a listener that closes explains the reset, but the connections it reset had
// stood in its accept queue for minutes.

// %%
export const causes = findings
  .groupby('rule', 'role', 'confidence', 'severity')
  .rollup({ connections: op.distinct('connection_id') })
  .orderby('severity', desc('connections'));
page.say('## Every cause that holds');
page.table(causes);

// %% [markdown]
// ## How long does each end stay in each state?
// A state lasts from the row that enters it to the next row of the same end. Only rows with a time count.

// %%
export const states = timeline
  .filter((d: { kind: string }) => d.kind === 'state')
  .derive({ at: escape((d: { time: unknown }) => secondsOf(d.time)) })
  .filter((d: { at: number | null }) => d.at !== null)
  .groupby('connection_id', 'side')
  .orderby('number')
  .derive({ until: op.lead('at') })
  .ungroup()
  .filter((d: { until: number | null; state_after: string }) => d.until !== null && d.state_after !== 'CLOSE')
  .derive({
    state: (d: { state_after: string }) => d.state_after,
    seconds: (d: { at: number; until: number }) => d.until - d.at,
  });
export const stay = states
  .groupby('side', 'state')
  .rollup({ times: op.count(), median_s: op.median('seconds'), longest_s: op.max('seconds') })
  .orderby(desc('longest_s'));
page.say('## How long does each end stay in each state?');
page.table(stay);
export const stayChart = await page.chart('states', {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  title: 'Time in each state, logarithmic',
  data: { values: states.filter((d: { seconds: number }) => d.seconds > 0).objects() },
  width: 600,
  mark: { type: 'point', filled: true, size: 60 },
  encoding: {
    x: { field: 'seconds', type: 'quantitative', scale: { type: 'log' }, title: 'seconds' },
    y: { field: 'state', type: 'nominal', title: null },
    color: { field: 'side', type: 'nominal' },
    shape: { field: 'side', type: 'nominal' },
  },
});

// %% [markdown]
// ## The connection with most severe findings, step by step

// %%
export const worst = findings
  .filter((d: { severity: string }) => d.severity === 'error')
  .groupby('connection_id')
  .count()
  .orderby(desc('count'))
  .get('connection_id', 0) as string | undefined;
export const steps = timeline
  .params({ worst: worst ?? '' })
  .filter((d: { connection_id: string }, $: { worst: string }) => d.connection_id === $.worst)
  .select('time', 'side', 'kind', 'what', 'comm', 'locator');
page.say(`## ${worst ?? 'No connection with an error'}, step by step`);
page.table(steps, 40);
export const saved = page.save();
