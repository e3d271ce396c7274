/** A bundle cut off at any byte of any of its files is still explained, what is lost is named, and nothing untrue is proved from the rest. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { analyze } from '../../../src/analyze.ts';
import { isTrue, judge, type Sample, sampleNamed } from '../../explain/samples.ts';
import { some, THOROUGH } from '../../thorough.ts';

/** Of the first two every packet is tried, and lines all over each file. */
const SAMPLES = [
  'unread-data/6.18',
  'accept-queue-syn/6.18',
  'closed-port/6.18',
  'half-close/6.18',
  'killed-unread/6.18',
].map((name) => sampleNamed(name, 'bundle'));

/** A file is cut at two to the power of so many places. */
const FINENESS = THOROUGH ? 5 : 3;

const folder = mkdtempSync(join(tmpdir(), 'cut-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let copies = 0;

const filesOf = (sample: Sample) =>
  readdirSync(sample.folder).filter((f) => !['README.md', 'expected.json'].includes(f));

/** What is wrong with the analysis of the sample once `file` ends before byte `at`: null when nothing is. */
async function wrongAfterCut(sample: Sample, file: string, at: number, prepare = (_: string) => {}) {
  const copy = join(folder, String(++copies));
  cpSync(sample.folder, copy, { recursive: true });
  prepare(copy);
  truncateSync(join(copy, file), at);
  const result = await analyze([copy]);
  rmSync(copy, { recursive: true });
  const where = `${sample.name}/${file} cut at byte ${at}`;
  if (result.connections.length === 0) return `${where}: no connection is left`;
  if (result.diagnostics.some((d) => d.code === 'rule-failed')) return `${where}: a rule failed`;
  const plain = file.replace(/\.gz$/, '');
  const named = result.diagnostics.some(
    (d) => [file, plain].some((name) => d.source.endsWith(name)) && d.severity !== 'info',
  );
  if (!named) return `${where}: nothing says so`;
  const untrue = judge(sample, result).flatMap(({ truth, findings }) =>
    findings.filter((f) => f.confidence === 'proved' && !isTrue(sample.name, f, truth)).map((f) => f.rule),
  );
  return untrue.length > 0 ? `${where}: proved, but untrue: ${untrue}` : null;
}

/** The blanks after the last brace say nothing. */
const said = (path: string) => readFileSync(path, 'utf8').trimEnd().length;

describe.each(some(SAMPLES, 2).map((s) => [s.name, s] as const))('%s', (_name, sample) => {
  test('any file, any byte', async () => {
    const cut = fc.constantFrom(...filesOf(sample)).chain((file) => {
      const path = join(sample.folder, file);
      const size = file === 'manifest.json' ? said(path) : readFileSync(path).length;
      return fc.tuple(fc.constant(file), fc.nat(size - 1));
    });
    await fc.assert(
      fc.asyncProperty(cut, async ([file, at]) => {
        expect(await wrongAfterCut(sample, file, at)).toBeNull();
      }),
      { numRuns: THOROUGH ? 40 : 10 },
    );
  });
});

describe.each(SAMPLES.slice(0, THOROUGH ? 2 : 1).map((s) => [s.name, s] as const))('%s', (_name, sample) => {
  test.each(filesOf(sample).filter((f) => f !== 'packets.pcap'))('%s, after lines', async (file) => {
    const bytes = readFileSync(join(sample.folder, file));
    const end = file === 'manifest.json' ? said(join(sample.folder, file)) : bytes.length;
    const ends = [...bytes.keys()].filter((i) => bytes[i] === 0x0a && i + 1 < end).map((i) => i + 1);
    const lost = [];
    for (let i = 0; i < ends.length; i += 1 + (ends.length >> FINENESS))
      lost.push(await wrongAfterCut(sample, file, ends[i]!));
    expect(lost.filter(Boolean)).toEqual([]);
  });

  test('packets.pcap, after each packet', async () => {
    const bytes = readFileSync(join(sample.folder, 'packets.pcap'));
    const lost = [];
    const ends = [];
    for (let at = 24; at < bytes.length; at += 16 + bytes.readUInt32LE(at + 8)) ends.push(at);
    for (const at of some(ends, 8)) lost.push(await wrongAfterCut(sample, 'packets.pcap', at));
    expect(lost.filter(Boolean)).toEqual([]);
  });

  test.each(['packets.pcap', 'events.jsonl', 'counters.jsonl'])(
    '%s, packed with gzip since',
    async (file) => {
      const packed = gzipSync(readFileSync(join(sample.folder, file)));
      const pack = (copy: string) => {
        writeFileSync(join(copy, `${file}.gz`), packed);
        rmSync(join(copy, file));
      };
      const whole = join(folder, 'whole');
      cpSync(sample.folder, whole, { recursive: true });
      const unpacked = await analyze([whole]);
      pack(whole);
      const result = await analyze([whole]);
      rmSync(whole, { recursive: true });
      expect(result.diagnostics.filter((d) => d.severity !== 'info')).toEqual([]);
      expect(result.findings.map((f) => f.rule)).toEqual(unpacked.findings.map((f) => f.rule));
      const lost = [];
      for (let at = 0; at < packed.length; at += 1 + (packed.length >> FINENESS))
        lost.push(await wrongAfterCut(sample, `${file}.gz`, at, pack));
      expect(lost.filter(Boolean)).toEqual([]);
    },
  );
});
