/** What is made of the output of a batch on demand: pages, and compacted tables. */
import { endedIn, keptOf } from './archive/commit.ts';
import { compact } from './archive/compact.ts';
import { newSince } from './archive/fold.ts';
import { storeAt } from './archive/places.ts';
import { lastRollup } from './archive/rollup.ts';
import { writeRollup } from './archive/write-rollup.ts';
import { folderOfKey, type GroupRow } from './model/batch.ts';
import { OutputError } from './platform/output.ts';
import type { Store } from './platform/store.ts';
import type { Result } from './tables/result.ts';
import { causeSentences, limits, scopeOf } from './view/rollup.ts';

export interface Report {
  /** Where the page is. */
  page: string;
  /** What it says first. */
  lines: string[];
}

/**
 * `group`: a key, or how one begins, or a part of its place; undefined: the roll-up, where what was first seen at `since`
 * (RFC 3339) or later is new, else what was not there at the last run. Rejects with OutputError.
 */
export async function reportOf(out: string, group: string | undefined, since?: string): Promise<Report> {
  const store = await storeOf(out);
  if (group === undefined) {
    const last = await lastRollup(store);
    if (last === null) throw new OutputError(`${out} has no roll-up yet: the batch has not come to its end`);
    const rollup = since === undefined ? last : newSince(last, since);
    await writeRollup(store, rollup);
    const lines = [scopeOf(rollup), ...causeSentences(rollup), ...limits(rollup)];
    return { page: `${out}/rollup.html`, lines };
  }
  const row = await groupIn(store, group);
  const folder = folderOfKey(row.key);
  const result: Result = JSON.parse(await textIn(store, `${folder}/result.json`));
  const [{ buildCharts }, { renderDocument }, { renderHtml }] = await Promise.all([
    import('./charts/index.ts'),
    import('./charts/render.ts'),
    import('./page/html.ts'),
  ]);
  const charts = buildCharts(result);
  const svgs = await renderDocument(charts);
  const drawn = charts.map((chart, i) => ({ chart, svg: svgs[i]! }));
  await store.put(`${folder}/report.html`, renderHtml(result, drawn));
  return { page: `${out}/${folder}/report.html`, lines: [`${row.place}: ${result.story[0] ?? ''}`] };
}

/** Rejects with OutputError when `out` holds no batch. */
export async function compactOut(out: string): Promise<{ before: number; after: number }> {
  return compact(await storeOf(out));
}

async function storeOf(out: string): Promise<Store> {
  const store = await storeAt(out);
  if (!(await store.has('batch.json'))) throw new OutputError(`${out} holds no batch of ours`);
  return store;
}

async function groupIn(store: Store, name: string): Promise<GroupRow> {
  const found: GroupRow[] = [];
  for (const key of (await endedIn(store)).keys()) {
    const row = (await keptOf(store, key))?.row;
    if (row && (key.startsWith(name) || row.place.includes(name))) found.push(row);
  }
  const exact = found.find((row) => row.place === name) ?? (found.length === 1 ? found[0] : undefined);
  if (exact) return exact;
  const places = found
    .map((row) => row.place)
    .sort()
    .slice(0, 5);
  throw new OutputError(
    found.length === 0
      ? `no group is called ${name}; plan.jsonl lists them`
      : `${found.length} groups fit ${name}: ${places.join(', ')}, …`,
  );
}

async function textIn(store: Store, path: string): Promise<string> {
  return new TextDecoder().decode((await store.read(path)) ?? new Uint8Array());
}
