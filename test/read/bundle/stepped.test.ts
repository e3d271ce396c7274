// A real bundle, as it would be had its clock been set while it was taken: every packet comes back to its moment.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { analyze } from '../../../src/analyze.ts';

const BUNDLE = resolve(import.meta.dirname, '../../../samples/bundle/endings/6.12');
const SECOND = 1_000_000_000n;

interface Step {
  /** Nanoseconds after the first packet. */
  at: bigint;
  by: bigint;
}

const copies: string[] = [];
afterEach(() => {
  for (const folder of copies.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Times of its packets, ns of the Unix epoch, and where each stands. */
function packetsOf(pcap: Buffer): { at: number; time: bigint }[] {
  const packets: { at: number; time: bigint }[] = [];
  for (let at = 24; at < pcap.length; at += 16 + pcap.readUInt32LE(at + 8))
    packets.push({ at, time: BigInt(pcap.readUInt32LE(at)) * SECOND + BigInt(pcap.readUInt32LE(at + 4)) });
  return packets;
}

/** A copy whose clock is set; its anchors are `near` ns before and after each step. `packets`: whose times follow. */
function set(steps: readonly Step[], near: bigint, packets = steps): string {
  const folder = mkdtempSync(join(tmpdir(), 'stepped-'));
  copies.push(folder);
  cpSync(BUNDLE, folder, { recursive: true });
  const file = join(folder, 'packets.pcap');
  const pcap = readFileSync(file);
  const begun = packetsOf(pcap)[0]!.time;
  const ahead = (time: bigint, all: readonly Step[]) =>
    all.reduce((sum, { at, by }) => (time >= begun + at ? sum + by : sum), 0n);
  for (const { at, time } of packetsOf(pcap)) {
    const told = time + ahead(time, packets);
    pcap.writeUInt32LE(Number(told / SECOND), at);
    pcap.writeUInt32LE(Number(told % SECOND), at + 4);
  }
  writeFileSync(file, pcap);
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const [first] = manifest.clock.anchors;
  const offset = BigInt(first.realtime_ns) - BigInt(first.event_ns);
  const readings = steps.flatMap(({ at }) => [begun + at - near, begun + at + near]);
  const sharp = readings.map((time) => ({
    ...{ when: 'periodic', method: 'tracer', uncertainty_ns: '1000' },
    event_ns: String(time - offset),
    realtime_ns: String(time),
  }));
  manifest.clock.anchors.push(...sharp);
  for (const anchor of manifest.clock.anchors) {
    const time = BigInt(anchor.event_ns) + offset;
    anchor.realtime_ns = String(BigInt(anchor.realtime_ns) + ahead(time, steps));
  }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

/** What an analysis says, without its times. */
async function said(folder: string) {
  const { connections, diagnostics } = await analyze([folder]);
  const rows = connections.map((c) => [
    c.client,
    c.durationS,
    c.closeRule,
    c.synRule,
    c.finWait2Rule,
    c.closedBy,
  ]);
  return { rows, counts: new Map(diagnostics.map((d) => [d.code, d.count])) };
}

const steps = (...list: [number, number][]): Step[] =>
  list.map(([at, by]) => ({ at: BigInt(Math.round(at * 1e9)), by: BigInt(Math.round(by * 1e9)) }));

it.each([
  ['an hour forward', steps([0.9, 3600])],
  ['two seconds back', steps([0.9, -2])],
  ['an hour forward and back', steps([0.7, 3600], [2.1, -3600])],
  ['often', steps([0.4, -0.05], [0.9, 5], [1.4, -2], [1.9, -3], [2.5, 0.02])],
])('a clock that was set %s costs nothing', async (_, list) => {
  const { rows } = await said(BUNDLE);
  for (const near of [50_000n, 100_000_000n]) {
    const now = await said(set(list, near));
    expect(now.rows).toEqual(rows);
    expect(now.counts.get('clock-stepped')).toBe(list.length);
  }
});

it('what neither a time nor an event places has no time to compare, and says so', async () => {
  // no time shows where the step is; of a FIN before it, its ACK, a FIN after it and its ACK the events place all but one
  const folder = set(steps([10, -2]), 50_000n);
  const unsure = async () => (await said(folder)).counts.get('packets-at-clock-step');
  expect(await unsure()).toBe(1);
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, events: null }));
  rmSync(join(folder, 'events.jsonl'));
  expect(await unsure()).toBe(4);
});

it('times that no reading explains are named, and are in no order with events', async () => {
  const folder = set(steps([5, -2]), 50_000n, steps([0.7, 3600], [2.1, -3600], [5, -2]));
  const { rows, counts } = await said(folder);
  expect(counts.get('packets-off-the-clock')).toBe(14);
  expect(rows).toHaveLength((await said(BUNDLE)).rows.length);
});

it.each([
  ['forward', 3],
  ['back', -3],
  ['forward by a day', 86_400],
  ['back by an hour', -3600],
])('a step %s that no reading shows joins nothing by time, and is named', async (_, by) => {
  const { rows } = await said(BUNDLE);
  const folder = set([], 0n, steps([1.2, by]));
  const { connections, clocks } = await analyze([folder]);
  // causes and sides as without the step, and no connection twice
  const causes = connections.map((c) => [c.client, c.closeRule, c.synRule, c.finWait2Rule, c.closedBy]);
  // that a socket was made of data takes both clocks
  const known = (rule: unknown) => (rule === 'deferred-accept' ? '' : rule);
  expect(causes).toEqual(rows.map(([client, , ...others]) => [client, ...others.map(known)]));
  expect(clocks.map((c) => c.message).join()).toMatch(/its clock was set while it was recorded/);
});
