/**
 * A counter explains only what happened between two readings that bracket it, and it is its host's, not one listener's.
 * Bundles of the samples without the kernel's own words: packets, counters and settings.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { type Capture, readCapture, writeCapture } from './captures.ts';

const BUNDLES = path.resolve(import.meta.dirname, '../../samples/bundle');
const SECOND = 1_000_000_000;

interface Reading {
  t: number;
  when: string;
  full: boolean;
  values: Record<string, number>;
}

interface Change {
  readings?: (all: Reading[]) => Reading[];
  packets?: (capture: Capture) => Capture;
}

/** Verdicts on the SYNs of a sample that got no answer: `client port>server port rule confidence`. */
async function verdicts(sample: string, { readings, packets }: Change = {}): Promise<string[]> {
  const from = path.join(BUNDLES, sample, '6.18');
  const capture = readCapture(path.join(from, 'packets.pcap'));
  const folder = path.dirname(writeCapture('packets.pcap', packets ? packets(capture) : capture));
  for (const name of ['manifest.json', 'sysctl.txt']) cpSync(path.join(from, name), path.join(folder, name));
  const lines = readFileSync(path.join(from, 'counters.jsonl'), 'utf8').trim().split('\n');
  const all = lines.map((line): Reading => JSON.parse(line));
  const text = (readings ? readings(all) : all).map((r) => `${JSON.stringify(r)}\n`).join('');
  writeFileSync(path.join(folder, 'counters.jsonl'), text);
  const { findings } = await analyze([folder]);
  return findings
    .filter((f) => f.group === 'syn' && f.role === 'verdict' && f.rule !== 'handshake-unfinished')
    .map((f) => `${f.client.port}>${f.server.port} ${f.rule} ${f.confidence}`)
    .sort();
}

/** The readings moved on the clock. */
const moved = (seconds: number) => (all: Reading[]) => all.map((r) => ({ ...r, t: r.t + seconds * SECOND }));

/** Its connections once more, to the port above: what one sum of a checksum loses the other gains. */
function twice({ header, records }: Capture): Capture {
  const other = records.map((record) => {
    const copy = Buffer.from(record);
    const tcp = 16 + 14 + (copy[30]! & 15) * 4;
    for (const at of [tcp, tcp + 2]) {
      const port = copy.readUInt16BE(at);
      copy.writeUInt16BE(port === 8080 ? 8081 : port - 1, at);
    }
    return copy;
  });
  return { header, records: records.flatMap((r, i) => [r, other[i]!]) };
}

const rules = (found: readonly string[]) => found.map((v) => v.split(' ').slice(1).join(' '));

describe.each([
  ['accept-queue-syn', 'accept-queue-overflow-syn', 5],
  ['syn-queue-full-drop', 'syn-queue-full-drop', 4],
] as const)('%s, of packets and counters', (sample, rule, refused) => {
  test('the steps bracket the SYNs, and there are as many: inferred', async () => {
    expect(rules(await verdicts(sample))).toEqual([`${rule} inferred`, `${rule} inferred`]);
  });

  test.each([-60, 60])('readings %d s apart from the SYNs explain none', async (seconds) => {
    const found = await verdicts(sample, { readings: moved(seconds) });
    expect(found).toHaveLength(2);
    for (const v of rules(found)) expect(v).toBe('unanswered-syn possible');
  });

  test('readings that end before the second client came say nothing of it', async () => {
    const found = await verdicts(sample, { readings: (all) => all.slice(0, 2) });
    expect(rules(found).filter((v) => v === `${rule} inferred`)).toEqual([]);
  });

  test(`two listeners lost ${2 * refused} SYNs, and ${refused} were counted: neither has the rise for itself`, async () => {
    const found = await verdicts(sample, { packets: twice });
    expect(found).toHaveLength(4);
    expect(new Set(rules(found))).toEqual(new Set([`${rule} possible`]));
  });

  test('two listeners, and as many were counted as both lost: inferred of both', async () => {
    const doubled = (all: Reading[]) =>
      all.map((r) => ({
        ...r,
        values: Object.fromEntries(Object.entries(r.values).map(([name, v]) => [name, 2 * v])),
      }));
    const found = await verdicts(sample, { packets: twice, readings: doubled });
    expect(found).toHaveLength(4);
    expect(new Set(rules(found))).toEqual(new Set([`${rule} inferred`]));
  });
});
