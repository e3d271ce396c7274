/** Results as Markdown, for the terminal and for docs/performance.md. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { REFERENCE } from './tools.js';

/**
 * Medians; seconds, bytes. `ratio`: to tcpdump, null without it.
 * @typedef {{ name: string, version: string, runs: number, failed: number, endless: boolean, seconds: number, cpu: number, peak: number,
 *   ratio: number | null }} ToolResult
 * @typedef {{ name: string, text: string, bytes: number, tools: ToolResult[] }} LoadResult
 * @typedef {{ machine: string, loads: LoadResult[], starts: { name: string, seconds: number }[],
 *   growth: import('./growth.js').Size[] }} Results
 */

export function machine() {
  const [{ model }] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const [kernel] = release().match(/^\d+\.\d+/) ?? [''];
  return `${model.trim()}, ${cpus().length} cores, ${memory}, Linux ${kernel}, Node ${process.versions.node}`;
}

/** @param {LoadResult} load */
export function loadTable({ text, bytes, tools }) {
  const rows = tools.map((t) => [
    t.version ? `\`${t.name}\` ${t.version}` : `\`${t.name}\``,
    timeOf(t),
    known(t.cpu, (n) => n.toFixed(2)),
    known(t.ratio, (n) => n.toFixed(1)),
    known(t.peak, (n) => (n / 1e6).toFixed(0)),
  ]);
  const head = ['', 'time (s)', 'CPU (s)', `× ${REFERENCE.split(' ')[0]}`, 'peak (MB)'];
  return `### ${text} (${(bytes / 1e6).toFixed(0)} MB)\n\n${markdown(head, rows)}`;
}

/** @param {ToolResult} result */
function timeOf({ seconds, endless, failed, runs }) {
  if (endless) return `> ${seconds.toFixed(0)}, ended`;
  return `${seconds.toFixed(2)}${failed > 0 ? ` (${failed} of ${runs} failed)` : ''}`;
}

/** @param {Results['starts']} starts */
export function startsTable(starts) {
  const rows = starts.map((s) => [`\`${s.name}\``, (s.seconds * 1000).toFixed(0)]);
  return `### Start-up\n\n${markdown(['', 'time (ms)'], rows)}`;
}

/** @param {import('./growth.js').Size[]} sizes */
export function growthTable(sizes) {
  const rows = sizes.map((s) => [
    `${s.packets / 1e6}`,
    `${Math.round(s.connections / 1000)}`,
    s.log ? 'yes' : 'no',
    s.seconds.toFixed(2),
    known(s.cpu, (n) => n.toFixed(2)),
    known(s.peak, (n) => (n / 1e6).toFixed(0)),
  ]);
  const head = ['packets (M)', 'connections (k)', 'log of states', 'time (s)', 'CPU (s)', 'peak (MB)'];
  return `### Growth\n\n${markdown(head, rows)}`;
}

/** @param {number | null} value @param {(n: number) => string} text */
function known(value, text) {
  return value === null || Number.isNaN(value) ? '' : text(value);
}

/** @param {string[]} head @param {string[][]} rows */
export function markdown(head, rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, i) => (i === 0 ? '---' : '--:'));
  return `${[head, rule, ...rows].map(line).join('\n')}\n`;
}

const BEGIN = '<!-- tables: npm run bench -- --update -->';
const END = '<!-- end of tables -->';

/** Puts the tables between their marks in docs/performance.md. @param {Results} results */
export function updateDocument(results) {
  const path = new URL('../docs/performance.md', import.meta.url);
  const text = readFileSync(path, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${path.pathname} has no marks for the tables`);
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim();
  const day = new Date().toISOString().slice(0, 10);
  const place = commit === '' ? '' : ` at ${commit}`;
  const tables = [
    `Measured ${day}${place} on ${results.machine}.\n`,
    ...results.loads.map(loadTable),
    ...(results.starts.length > 0 ? [startsTable(results.starts)] : []),
    ...(results.growth.length > 0 ? [growthTable(results.growth)] : []),
  ];
  writeFileSync(path, `${text.slice(0, from)}${BEGIN}\n${tables.join('\n')}\n${text.slice(to)}`);
}
