/** The files of a roll-up in OUT. */
import type { Rollup } from '../model/rollup.ts';
import type { Store } from '../platform/store.ts';

export async function writeRollup(store: Store, rollup: Rollup): Promise<void> {
  const [{ csvOf }, { rollupColumns, failureColumns }, { renderRollup }, { rollupCharts }] =
    await Promise.all([
      import('../tables/csv.ts'),
      import('../tables/rollup.ts'),
      import('../markdown/rollup.ts'),
      import('../charts/rollup.ts'),
    ]);
  await store.put('failed.csv', await csvOf(failureColumns, rollup.failures));
  await store.put('rollup.csv', await csvOf(rollupColumns, rollup.at));
  await store.put('rollup.md', renderRollup(rollup));
  const [{ renderDocument }, { rollupPage }] = await Promise.all([
    import('../charts/render.ts'),
    import('../page/rollup.ts'),
  ]);
  const charts = await rollupCharts(rollup);
  for (const chart of charts)
    await store.put(`charts/${chart.id}.vl.json`, `${JSON.stringify(chart.spec, null, 1)}\n`);
  const svgs = await renderDocument(charts);
  const drawn = charts.map((chart, i) => ({ chart, svg: svgs[i]! }));
  await store.put('rollup.html', rollupPage(rollup, drawn));
}
