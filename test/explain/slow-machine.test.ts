/** A machine that stands still in the midst of what the kernel does at once: nothing else is true for it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'tcpautopsy-slow-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const ENDINGS = path.resolve(import.meta.dirname, '../../samples/bundle/endings/6.12');
const PORT = 44686;

/** The events of `endings` alone, `late` ns between the ACK of a FIN and what tcp_time_wait() does then; lines of `without` left out. */
async function closedLate(late: number, without: RegExp, settings: string) {
  const folder = mkdtempSync(path.join(scratch, 'x-'));
  const lines = readFileSync(path.join(ENDINGS, 'events.jsonl'), 'utf8').split('\n');
  const taken = lines.findIndex((l) => l.includes(`lport=${PORT} `) && l.includes('from=4 to=5'));
  const later = (line: string) =>
    line.replace(/ t=(\d+)/, (_, t: string) => ` t=${BigInt(t) + BigInt(late)}`);
  const told = lines.map((l, i) => (i > taken ? later(l) : l)).filter((l) => !without.test(l));
  writeFileSync(path.join(folder, 'events.jsonl'), told.join('\n'));
  writeFileSync(path.join(folder, 'sysctl.txt'), settings);
  writeFileSync(path.join(folder, 'manifest.json'), readFileSync(path.join(ENDINGS, 'manifest.json')));
  const { connections } = await analyze([folder]);
  return connections.find((c) => c.client.port === PORT)?.finWait2Rule;
}

const ALL = /^$/;
const TRACEPOINTS = /"(time-wait|minisock)/;

test.each([
  [1, 'all events', ALL, 60, 'fin-wait2-in-minisock'],
  [1200, 'all events', ALL, 60, 'fin-wait2-in-minisock'],
  [
    1200,
    'all events, whatever the setting: the timewait socket was given 15000 jiffies',
    ALL,
    120,
    'fin-wait2-in-minisock',
  ],
  [1200, 'tracepoints alone', TRACEPOINTS, 60, 'fin-wait2-in-minisock'],
  [1200, 'tracepoints alone, and a setting that makes full sockets stay', TRACEPOINTS, 61, 'long-fin-wait2'],
])('%i ms late, %s', async (ms, _, without, seconds, rule) => {
  const settings = `net.ipv4.tcp_fin_timeout = ${seconds}\n`;
  expect(await closedLate(ms * 1_000_000, without, settings)).toBe(rule);
});
