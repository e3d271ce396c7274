/** How time and memory grow with packets, connections and events. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeInputs } from './loads.js';
import { measure, median } from './measure.js';
import { ours } from './tools.js';

/** Connections in a thousand small packets. */
const CONNECTIONS = 104.7;
const RUNS = 3;
const [analyze] = ours([]);

/**
 * @typedef {{ packets: number, connections: number, log: boolean, seconds: number, cpu: number, peak: number }} Size
 * @param {string} folder @param {boolean} large @returns {Promise<Size[]>}
 */
export async function growth(folder, large) {
  /** @type {Size[]} */
  const sizes = [];
  for (const log of [false, true]) {
    for (const packets of [
      250_000,
      500_000,
      1_000_000,
      2_000_000,
      ...(large ? [4_000_000, 10_000_000] : []),
    ]) {
      sizes.push(await size(packets, log, folder));
    }
  }
  return sizes;
}

/** @param {number} packets @param {boolean} log @param {string} folder */
async function size(packets, log, folder) {
  /** @type {import('./captures.js').Shape} */
  const shape = { kind: 'small', packets };
  const inputs = makeInputs(log ? { shape, log: 'sorted' } : { shape }, folder);
  const report = join(folder, 'report');
  /** @type {import('./measure.js').Measurement[]} */
  const runs = [];
  for (let run = 0; run < RUNS; run++) {
    rmSync(report, { recursive: true, force: true });
    runs.push(await measure(analyze.command(inputs, report)));
  }
  const middle = (/** @type {'seconds' | 'cpu' | 'peak'} */ what) =>
    median(runs.map((m) => m[what] ?? Number.NaN));
  const connections = Math.round((packets * CONNECTIONS) / 1000);
  return { packets, connections, log, seconds: middle('seconds'), cpu: middle('cpu'), peak: middle('peak') };
}
