import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseStream } from 'fast-csv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyze, investigate } from '../../src/analyze.ts';
import { readable } from '../../src/json/json.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { CauseGroup } from '../../src/model/result.ts';
import { Listing } from '../../src/tables/listed.ts';
import type { Result } from '../../src/tables/result.ts';
import { sharing } from '../../src/view/words.ts';
import { writeReport } from '../../src/write.ts';
import { resets, writeCapture } from '../fuzz/loads.ts';
import { exp1Result } from './fixture.ts';

const CONNECTIONS = 12_000;

const folder = mkdtempSync(join(tmpdir(), 'listed-'));
const capture = join(folder, 'resets.pcap');
const report = join(folder, 'report');
let result: Result;
beforeAll(async () => {
  writeCapture(capture, resets(CONNECTIONS));
  const found = await investigate([capture]);
  result = found.result;
  await writeReport(result, report, { html: true, tables: found.tables });
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true }));

const rowsOf = async (name: string) => {
  const rows: Record<string, string>[] = [];
  for await (const row of parseStream(createReadStream(join(report, name)), { headers: true }))
    rows.push(row);
  return rows;
};
const textOf = (name: string) => readFileSync(join(report, name), 'utf8');
const numberIn = (text: string | undefined, pattern: RegExp) =>
  Number(pattern.exec(text ?? '')?.[1]?.replaceAll(',', ''));

describe('12,000 connections that went wrong alike', () => {
  test('the timeline lists up to a thousand, and counts the rows of the others', async () => {
    const rows = await rowsOf('timeline.csv');
    const [aggregate, ...more] = rows.filter((r) => r.kind === 'aggregate');
    const listed = new Set(rows.map((r) => r.connection_id).filter(Boolean));
    expect(more).toEqual([]);
    expect(listed.size).toBeGreaterThan(450);
    expect(listed.size).toBeLessThanOrEqual(1000);
    expect(aggregate?.what).toContain(result.causes[0]!.rule);
    expect(numberIn(aggregate?.what, /^([\d,]+) more connections/)).toBe(CONNECTIONS - listed.size);
    const all = (await analyze([capture], { timeline: 'all' })).timeline;
    expect(numberIn(aggregate?.what, /: ([\d,]+) rows/)).toBe(all.length - (rows.length - 1));
    expect(all.filter((i) => i.kind === 'aggregate')).toEqual([]);
  });

  test('those listed are spread over all of the time', () => {
    const listed = result.timeline.map((i) => Number(i.connection.slice(1)));
    for (let from = 0; from < CONNECTIONS; from += 1000) {
      expect(listed.some((n) => n >= from && n < from + 1000)).toBe(true);
    }
  });

  test('the CSV files have every connection, result.json those of the timeline, and each says so', async () => {
    expect(await rowsOf('connections.csv')).toHaveLength(CONNECTIONS);
    expect(await rowsOf('findings.csv')).toHaveLength(CONNECTIONS);
    const json = JSON.parse(textOf('result.json')) as Result;
    const listed = new Set(result.timeline.map((i) => i.connection).filter(Boolean));
    expect(new Set(json.connections.map((c) => c.id))).toEqual(listed);
    expect(new Set(json.findings.map((f) => f.connection))).toEqual(listed);
    expect(json.causes.map((c) => [c.connections.length, sharing(c)])).toEqual([[listed.size, CONNECTIONS]]);
    expect(json.unlisted!.connections).toBe(CONNECTIONS - listed.size);
    expect(json.aggregated?.map((a) => [a.file, a.of])).toEqual([
      ['timeline.csv', CONNECTIONS],
      ['result.json', CONNECTIONS],
    ]);
    for (const file of ['report.md', 'report.html']) {
      expect(textOf(file)).toContain('timeline.csv lists');
      expect(textOf(file)).toContain('result.json lists');
    }
    expect(textOf('report.html')).toContain('12,000 connections, 1 source');
    expect(textOf('report.html')).toContain('and 11,984 more, in connections.csv');
    expect(textOf('charts/listener-pressure.vl.json')).toContain('connections with a finding above info');
  });
});

test('of many connections result.json leaves out those without a finding above info, and counts them', () => {
  const plain = exp1Result();
  const [row, ...others] = plain.connections;
  const many = Array.from({ length: 10_001 }, (_, i) => ({ ...row!, id: `n${i}` }));
  const finding = { ...plain.findings[0]!, connection: 'n7', severity: 'info' as const };
  const big = { ...plain, connections: [...many, row!, ...others], findings: [...plain.findings, finding] };
  const told = readable(big);
  const telling = new Set(plain.findings.filter((f) => f.severity !== 'info').map((f) => f.connection));
  expect(new Set(told.connections.map((c) => c.id))).toEqual(telling);
  expect(told.findings.some((f) => f.connection === 'n7')).toBe(false);
  expect(told.findings.filter((f) => f.severity === 'info').length).toBe(
    plain.findings.filter((f) => f.severity === 'info' && telling.has(f.connection)).length,
  );
  expect(told.aggregated).toMatchObject([
    { file: 'result.json', listed: telling.size, of: big.connections.length },
  ]);
});

test('up to 10,000 connections everything is listed', () => {
  const plain = exp1Result();
  expect(readable(plain)).toBe(plain);
  expect(plain.aggregated).toBeUndefined();
});

describe('which connections are listed', () => {
  const ids = Array.from({ length: 20_000 }, (_, i) => `c${i + 1}`);
  const group = (rule: string, connections: string[], severity: CauseGroup['severity'] = 'error') =>
    ({ rule, severity, connections }) as CauseGroup;

  /** Offers every connection with a finding of each of its causes, and so many pieces of evidence. */
  function listingOf(causes: readonly CauseGroup[], evidence: (id: string) => number): Listing {
    const listing = new Listing();
    const own = causes.map((c) => new Set(c.connections));
    for (const id of ids) {
      const findings = causes
        .filter((_, i) => own[i]!.has(id))
        .map(
          ({ rule, severity }) => ({ rule, severity, evidence: Array(evidence(id)) }) as unknown as Finding,
        );
      expect(listing.offer(id, findings, evidence(id))).toBe(true);
    }
    return listing;
  }

  test('the most telling, and every connection is listed or counted once', () => {
    const causes = [
      group('a', ids.slice(0, 15_000)),
      group('b', ids.slice(14_000), 'warning'),
      group('c', ids, 'info'),
    ];
    const listing = listingOf(causes, (id) => (id === 'c777' || id === 'c19999' ? 9 : 1));
    const { listed } = listing;
    const counted = listing.counted(causes);
    expect(listed.has('c777') && listed.has('c19999')).toBe(true);
    expect(listed.size).toBeLessThanOrEqual(2000);
    const more = [...counted.values()].flat();
    expect(new Set([...listed, ...more]).size).toBe(20_000);
    expect(listed.size + more.length).toBe(20_000);
    expect([...counted.keys()].map((c) => c.rule)).toEqual(['a', 'b']);
  });

  test('a rare cause is listed whole beside a frequent one', () => {
    const rare = ids.slice(-300);
    const causes = [group('a', ids.slice(0, -300)), group('b', rare)];
    const listing = listingOf(causes, () => 1);
    const { listed } = listing;
    const counted = listing.counted(causes);
    expect(rare.every((id) => listed.has(id))).toBe(true);
    expect([...counted.keys()].map((c) => c.rule)).toEqual(['a']);
  });
});
