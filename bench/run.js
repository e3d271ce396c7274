// npm run bench: makes captures, runs tcpautopsy and other tools on them in turn, and prints medians, ratios and peak
// memory as a table and as JSON. See README.md.
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { growth } from './growth.js';
import { loads, makeInputs } from './loads.js';
import { measure, median } from './measure.js';
import { growthTable, loadTable, machine, startsTable, updateDocument } from './table.js';
import { installedTools, ours, REFERENCE, starts } from './tools.js';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    only: { type: 'string', multiple: true },
    large: { type: 'boolean', default: false },
    node: { type: 'string', multiple: true, default: [] },
    ours: { type: 'boolean', default: false },
    json: { type: 'string' },
    folder: { type: 'string', default: join(tmpdir(), 'tcpautopsy-bench') },
    growth: { type: 'boolean', default: false },
    update: { type: 'boolean', default: false },
  },
});

/** A tool that needs longer than this is run so often at most, whatever `--runs` says, s. */
const SLOW = [
  { seconds: 30, runs: 1 },
  { seconds: 3, runs: 3 },
];

const folder = options.folder;
mkdirSync(folder, { recursive: true });
const tools = [...ours(options.node), ...(options.ours ? [] : installedTools())];
const chosen = loads.filter((l) =>
  options.only ? options.only.includes(l.name) : options.large || !l.large,
);
/** @type {import('./table.js').Results} */
const results = { machine: machine(), loads: [], starts: [], growth: [] };
for (const [name, command] of options.only ? [] : starts) {
  const seconds = [];
  for (let run = 0; run < Number(options.runs); run++) seconds.push((await measure(command)).seconds);
  results.starts.push({ name, seconds: median(seconds) });
}
for (const load of chosen) {
  const inputs = makeInputs(load, folder);
  const able = tools.filter((t) => (t.only ?? load.name) === load.name && (t.joins || !load.log));
  const rows = await compare(inputs, able);
  const bytes = inputs.reduce((sum, path) => sum + statSync(path).size, 0);
  const result = { name: load.name, text: load.text, bytes, tools: rows };
  results.loads.push(result);
  console.log(loadTable(result));
}
if (results.starts.length > 0) console.log(startsTable(results.starts));
if (options.growth) {
  results.growth = await growth(folder, options.large);
  console.log(growthTable(results.growth));
}
writeFileSync(options.json ?? join(folder, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
if (options.update) updateDocument(results);
rmSync(join(folder, 'report'), { recursive: true, force: true });

/**
 * Round by round, so that all tools see the same weather.
 * @param {string[]} inputs @param {import('./tools.js').Tool[]} tools
 * @returns {Promise<import('./table.js').ToolResult[]>}
 */
async function compare(inputs, tools) {
  const report = join(folder, 'report');
  /** @type {{ tool: import('./tools.js').Tool, runs: import('./measure.js').Measurement[] }[]} */
  const all = tools.map((tool) => ({ tool, runs: [] }));
  await measure(['cat', ...inputs]);
  for (let round = 0; round < Number(options.runs); round++) {
    for (const { tool, runs } of all) {
      const [first] = runs;
      if (first && round >= (SLOW.find((s) => first.seconds > s.seconds)?.runs ?? round + 1)) continue;
      rmSync(report, { recursive: true, force: true });
      runs.push(await measure(tool.command(inputs, report)));
    }
  }
  const rows = all.map(({ tool, runs }) => ({
    name: tool.name,
    version: tool.version,
    runs: runs.length,
    failed: runs.filter((m) => m.status !== 0).length,
    endless: runs.some((m) => m.status === null),
    seconds: median(runs.map((m) => m.seconds)),
    cpu: median(runs.map((m) => m.cpu ?? Number.NaN)),
    peak: median(runs.map((m) => m.peak ?? Number.NaN)),
  }));
  const reference = rows.find((r) => r.name === REFERENCE)?.seconds ?? null;
  return rows.map((r) => ({ ...r, ratio: reference === null ? null : r.seconds / reference }));
}
