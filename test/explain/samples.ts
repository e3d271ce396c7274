/** Real captures, logs (samples/live) and capture bundles (samples/bundle) whose causes are known from the programs that made them. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { analyze } from '../../src/analyze.ts';
import { ruleById } from '../../src/explain/rules/index.ts';
import { type Endpoint, formatEndpoint } from '../../src/model/address.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { ConnectionRow } from '../../src/tables/connections.ts';
import type { Result } from '../../src/tables/result.ts';

const ROOT = path.resolve(import.meta.dirname, '../../samples');
export const DOCUMENTS = path.join(ROOT, 'documents');

/** What the program that made a sample did with one connection. */
export interface Truth {
  client: string;
  server: string;
  behaviour: string;
  close_rule: string;
  syn_rule: string;
  fin_wait2_rule: string;
  stuck_rule: string;
  note: string;
}

export interface Sample {
  name: string;
  folder: string;
  truths: Truth[];
}

/** Which of a sample's files are given. */
export type EvidenceSet =
  | 'all'
  | 'packets'
  | 'client-packets'
  | 'states'
  | 'states-and-packets'
  | 'no-packets';

const PICK: Record<EvidenceSet, (file: string) => boolean> = {
  all: () => true,
  packets: (f) => f === 'packets.pcap',
  'client-packets': (f) => f === 'client.pcap',
  states: (f) => f === 'tcpstates.txt',
  'states-and-packets': (f) => f === 'tcpstates.txt' || f === 'packets.pcap',
  'no-packets': (f) => !f.endsWith('.pcap'),
};

export const SETS = Object.keys(PICK) as EvidenceSet[];

/** Not evidence: the truth itself, and what the kernel said, which is there for people. */
const APART = ['expected.json', 'kernel-resets.txt', 'README.md'];

export const liveSamples = (): Sample[] => samplesBelow('live');

/** Each the folder, or the folders, that the capture command wrote. $BUNDLES: another place with such samples. */
export const bundleSamples = (): Sample[] => samplesBelow(process.env.BUNDLES ?? 'bundle');

function samplesBelow(part: string): Sample[] {
  const root = path.resolve(ROOT, part);
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort()
    .flatMap((name) => {
      const folder = path.join(root, name);
      if (!statSync(folder).isDirectory()) return [];
      const kernels = readdirSync(folder).filter((k) => statSync(path.join(folder, k)).isDirectory());
      const folders = kernels.length > 0 ? kernels.map((k) => path.join(folder, k)) : [folder];
      return folders
        .filter((f) => existsSync(path.join(f, 'expected.json')))
        .map((f) => ({
          name: kernels.length > 0 ? `${name}/${path.basename(f)}` : name,
          folder: f,
          truths: JSON.parse(readFileSync(path.join(f, 'expected.json'), 'utf8')).connections as Truth[],
        }));
    });
}

const cache = new Map<string, Promise<Result>>();

export function evidenceFiles(sample: Sample, set: EvidenceSet): string[] {
  return readdirSync(sample.folder)
    .filter((f) => !APART.includes(f) && PICK[set](f))
    .map((f) => path.join(sample.folder, f));
}

/** Tables and counters do not say which of the two namespaces they are of. */
export function hostsOf(files: readonly string[]): Map<string, string> {
  const named = files.filter((f) => /^(client-)?(ss|netstat|counters|nstat)/.test(path.basename(f)));
  return new Map(named.map((f) => [f, path.basename(f).startsWith('client-') ? 'client' : 'server']));
}

export function analyzeBundle(sample: Sample): Promise<Result> {
  const result = cache.get(sample.folder) ?? analyze([sample.folder]);
  cache.set(sample.folder, result);
  return result;
}

export function analyzeSample(sample: Sample, set: EvidenceSet): Promise<Result> {
  const key = `${sample.folder} ${set}`;
  let result = cache.get(key);
  if (!result) {
    const files = evidenceFiles(sample, set);
    result = analyze(files, { hosts: hostsOf(files) });
    cache.set(key, result);
  }
  return result;
}

/**
 * What is true of single connections of the samples besides the verdicts that the program names: earlier steps of the
 * same end. `sample: note of the connection, as it begins: rule`. Nothing else may be proved.
 */
const ALSO_TRUE = new Set([
  // its FIN was answered with a RST
  'cookie-overflow: 8 bytes, then close(): fin-wait1-aborted',
  // the socket went from FIN_WAIT1 to CLOSE, by the end of its retries
  'fin-unacknowledged: fin-wait1-aborted',
  // the minisock that expired
  'fin-wait2-expired: data: fin-wait2-in-minisock',
  'fin-wait2-expired: a FIN: fin-wait2-in-minisock',
]);

export function isTrue(_sample: string, finding: Finding, truth: Truth): boolean {
  const named = [truth.close_rule, truth.syn_rule, truth.fin_wait2_rule, truth.stuck_rule];
  if (named.includes(finding.rule)) return true;
  // an earlier step of the story that is true
  if (ruleById(finding.rule)?.stageOf?.some((r) => named.includes(r))) return true;
  const program = truth.behaviour;
  return [...ALSO_TRUE].some((known) => {
    const start = known.slice(0, -`: ${finding.rule}`.length);
    return known.endsWith(`: ${finding.rule}`) && `${program}: ${truth.note}`.startsWith(start);
  });
}

/** What is claimed of connections: findings, and normal ends, which are none. */
export function claimsOf({ connections, findings }: Result): Finding[] {
  const normal = connections.flatMap((row): Finding[] => {
    const { id: connection, closeRule: rule, closeConfidence: confidence, closedBy, client, server } = row;
    const isTold = findings.some((f) => f.connection === connection && f.rule === rule);
    if (rule !== 'graceful-close' || confidence === '' || isTold) return [];
    const side = closedBy === 'server' ? 'server' : 'client';
    const words = { time: '', clock: row.clock, summary: '', remedy: '', evidence: [], missing: [] };
    const own = {
      connection,
      rule,
      group: 'close',
      role: 'verdict',
      confidence,
      severity: 'info',
      side,
    } as const;
    return [{ ...own, client, server, ...words, alternatives: [] }];
  });
  return [...findings, ...normal];
}

export interface Judged {
  truth: Truth;
  row: ConnectionRow;
  findings: Finding[];
}

/** The connections of a result beside what is true of them; the n-th life of a tuple with its n-th truth. */
export function judge(sample: Sample, result: Result): Judged[] {
  const lives = new Map<string, number>();
  return sample.truths.flatMap((truth) => {
    const tuple = `${truth.client} ${truth.server}`;
    const nth = lives.get(tuple) ?? 0;
    lives.set(tuple, nth + 1);
    const from = (a: Endpoint, b: Endpoint) => `${formatEndpoint(a)} ${formatEndpoint(b)}` === tuple;
    const rows = result.connections
      // when both opened neither is more of a client
      .filter(
        (c) =>
          from(c.client, c.server) || (truth.syn_rule === 'simultaneous-open' && from(c.server, c.client)),
      )
      .sort((a, b) => (a.startTime < b.startTime ? -1 : a.startTime > b.startTime ? 1 : 0));
    const used = sample.truths.filter((t) => `${t.client} ${t.server}` === tuple).length;
    // of a tuple that was used again, which life is missing from the evidence nobody knows
    if (used > 1 && rows.length !== used) return [];
    const row = rows[nth];
    return row ? [{ truth, row, findings: claimsOf(result).filter((f) => f.connection === row.id) }] : [];
  });
}

export function sampleNamed(name: string, part: 'live' | 'bundle' = 'live'): Sample {
  const sample = samplesBelow(part).find((s) => s.name === name || s.name.startsWith(`${name}/`));
  if (!sample) throw new Error(`no sample is called ${name}`);
  return sample;
}
