// What a rule says it may claim, by evidence and kernel, is what it does claim: no finding is surer than that.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Witness } from '../../src/explain/rule.ts';
import { ruleById, rules } from '../../src/explain/rules/index.ts';
import { CONFIDENCE_ORDER, type Confidence, type Finding } from '../../src/model/finding.ts';
import { some } from '../thorough.ts';
import {
  analyzeBundle,
  analyzeSample,
  bundleSamples,
  evidenceFiles,
  liveSamples,
  type Sample,
  SETS,
} from './samples.ts';

/** What the files of a sample can show. */
function witnessesOf(files: readonly string[]): Set<Witness> {
  const names = files.map((f) => path.basename(f).replace(/\.(gz|zst)$/, ''));
  const found = new Set<Witness>();
  const when = (test: RegExp, ...all: Witness[]) => {
    if (names.some((n) => test.test(n))) for (const w of all) found.add(w);
  };
  when(/\.pcap$/, 'packets');
  if (names.filter((n) => n.endsWith('.pcap')).length > 1) found.add('captures');
  when(/^(libbpf-)?tcpstates/, 'states');
  when(/^events\.(jsonl|bin)$/, 'states', 'fields', 'reasons', 'drops');
  when(/^(client-)?(ss|netstat)-|^sockets\.jsonl$/, 'tables');
  when(/counters|nstat|netstat-s/, 'counters');
  when(/^tcpdrop/, 'drops');
  if (files.some(tracesFunctions)) found.add('functions');
  return found;
}

/** The capture's manifest, or the first record of the recorder's events, has the probe of a function as attached. */
function tracesFunctions(file: string): boolean {
  if (file.endsWith('manifest.json'))
    return readFileSync(file, 'utf8').includes('"piece": "functions/conn-request.bt", "btf"');
  if (!/events\.bin(\.gz)?$/.test(file)) return false;
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).subarray(0, 65_536).toString('latin1');
  return /"attached":\[[^\]]*"piece":"conn-request"/.test(text);
}

function allowed(rule: string, witnesses: ReadonlySet<Witness>): Confidence | null {
  const claims = ruleById(rule)!
    .signatures.filter((s) => s.by.every((w) => witnesses.has(w)))
    .map((s) => s.claims);
  return CONFIDENCE_ORDER.find((c) => claims.includes(c)) ?? null;
}

function tooSure(findings: readonly Finding[], witnesses: ReadonlySet<Witness>): string[] {
  const rank = (c: Confidence | null) => (c === null ? CONFIDENCE_ORDER.length : CONFIDENCE_ORDER.indexOf(c));
  const over = findings.flatMap((f) => {
    const most = allowed(f.rule, witnesses);
    return rank(f.confidence) < rank(most) ? [`${f.rule}: ${f.confidence}, where ${most} is the most`] : [];
  });
  return [...new Set(over)];
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .map((e) => path.join(e.parentPath, e.name));
}

const named = (samples: readonly Sample[]) => samples.map((s) => [s.name, s] as const);

describe('no finding is surer than the signatures of its evidence', () => {
  test.each(named(some(liveSamples(), 10)))('%s', async (_name, sample) => {
    for (const set of SETS) {
      const { findings } = await analyzeSample(sample, set);
      expect(tooSure(findings, witnessesOf(evidenceFiles(sample, set))), set).toEqual([]);
    }
  });

  test.each(named(some(bundleSamples(), 10)))('bundle %s', async (_name, sample) => {
    const { findings } = await analyzeBundle(sample);
    expect(tooSure(findings, witnessesOf(filesUnder(sample.folder)))).toEqual([]);
  });
});

test('every rule has signatures, the surest first, and none stands twice', () => {
  for (const { id, signatures } of rules) {
    expect(signatures.length, id).toBeGreaterThan(0);
    const texts = signatures.map((s) => `${[...s.by].sort()} ${s.kernels} ${s.sign}`);
    expect(new Set(texts).size, id).toBe(texts.length);
    expect(signatures[0]!.claims, id).toBe(
      CONFIDENCE_ORDER.find((c) => signatures.some((s) => s.claims === c)),
    );
  }
});
