// What each cause is claimed with, on which evidence: measured on the samples, for docs/causes.md.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SAMPLES = fileURLToPath(new URL('../samples/', import.meta.url));

/** Files of a sample by kind of evidence. */
const EVIDENCE = {
  'capture at the server': (f) => f === 'packets.pcap',
  'capture at the client': (f) => f === 'client.pcap',
  'both captures': (f) => f.endsWith('.pcap'),
  'state events': (f) => f === 'tcpstates.txt',
  'events and a capture': (f) => f === 'tcpstates.txt' || f === 'packets.pcap',
  'events, tables, counters': (f) => !f.endsWith('.pcap'),
  everything: () => true,
};
const APART = ['expected.json', 'kernel-resets.txt', 'README.md'];
const RANK = ['possible', 'inferred', 'proved'];

/** What the capture command records, whole. */
const BUNDLE = 'our own capture';

export const evidenceKinds = [BUNDLE, ...Object.keys(EVIDENCE)];

/** rule → kind of evidence → kernel → { least, most }, over all connections of which the cause is true. */
export async function measure(analyze) {
  const measured = new Map();
  for (const { folder, kernel, connections } of samples('live')) {
    for (const [kind, pick] of Object.entries(EVIDENCE)) {
      const files = readdirSync(folder)
        .filter((f) => !APART.includes(f) && pick(f))
        .map((f) => path.join(folder, f));
      if (files.length === 0) continue;
      noteAll(measured, kind, kernel, connections, await analyze(files, { hosts: hostsOf(files) }));
    }
  }
  for (const { folder, kernel, connections } of samples('bundle'))
    noteAll(measured, BUNDLE, kernel, connections, await analyze([folder]));
  return measured;
}

function noteAll(measured, kind, kernel, connections, result) {
  for (const [truth, findings] of matched(connections, result)) {
    const named = [truth.close_rule, truth.syn_rule, truth.fin_wait2_rule, truth.stuck_rule].filter(Boolean);
    for (const rule of new Set(named)) note(measured, rule, kind, kernel, claimOf(rule, findings));
  }
}

function samples(part) {
  const root = path.join(SAMPLES, part);
  return readdirSync(root)
    .sort()
    .filter((name) => statSync(path.join(root, name)).isDirectory())
    .flatMap((name) => {
      const folder = path.join(root, name);
      const kernels = readdirSync(folder).filter((k) => statSync(path.join(folder, k)).isDirectory());
      return kernels.length > 0 ? kernels.map((k) => path.join(folder, k)) : [folder];
    })
    .filter((folder) => existsSync(path.join(folder, 'expected.json')))
    .map((folder) => {
      const { connections, kernel } = JSON.parse(readFileSync(path.join(folder, 'expected.json'), 'utf8'));
      return { folder, connections, kernel: /^\d+\.\d+/.exec(kernel)?.[0] ?? kernel };
    });
}

/** Tables and counters do not say which of the two namespaces they are of. */
function hostsOf(files) {
  const named = files.filter((f) => /^(client-)?(ss|netstat|counters|nstat)/.test(path.basename(f)));
  return new Map(named.map((f) => [f, path.basename(f).startsWith('client-') ? 'client' : 'server']));
}

function matched(connections, result) {
  const lives = new Map();
  const text = (e) => (e.address.includes(':') ? `[${e.address}]:${e.port}` : `${e.address}:${e.port}`);
  return connections.flatMap((truth) => {
    const tuple = `${truth.client} ${truth.server}`;
    const nth = lives.get(tuple) ?? 0;
    lives.set(tuple, nth + 1);
    const rows = result.connections
      .filter((c) => `${text(c.client)} ${text(c.server)}` === tuple)
      .sort((a, b) => (a.startTime < b.startTime ? -1 : a.startTime > b.startTime ? 1 : 0));
    const row = rows[nth];
    return row ? [[truth, claimsOf(row, result)]] : [];
  });
}

/** A normal close is no finding: the row of the connection says it. */
function claimsOf(row, { findings }) {
  const close = { rule: row.closeRule, confidence: row.closeConfidence, alternatives: [] };
  const own = findings.filter((f) => f.connection === row.id);
  return row.closeRule === 'graceful-close' ? [close, ...own] : own;
}

/** How a true cause is claimed: its confidence, `listed` as an alternative, or not at all. */
function claimOf(rule, findings) {
  const own = findings.filter((f) => f.rule === rule).map((f) => RANK.indexOf(f.confidence));
  if (own.length > 0) return RANK[Math.max(...own)];
  return findings.some((f) => f.alternatives.includes(rule)) ? 'listed' : 'not told';
}

function note(measured, rule, kind, kernel, claim) {
  const byKind = measured.get(rule) ?? new Map();
  const byKernel = byKind.get(kind) ?? new Map();
  const claims = byKernel.get(kernel) ?? new Set();
  measured.set(rule, byKind.set(kind, byKernel.set(kernel, claims.add(claim))));
}
