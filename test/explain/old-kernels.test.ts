/**
 * Kernels that say less (kernel-notes §6): bundles of 6.12, their events reduced to what 5.10 and 4.19 would have said, and
 * their manifests saying so. Rules fall back on states, fields and packets, prove nothing untrue, and say what would tell.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { isTrue, judge, type Sample, sampleNamed } from './samples.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'tcpautopsy-old-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What a kernel makes of one event of 6.12; null when it has no such event. */
type Say = (kind: string, data: string) => string | null;

const KINDS = new Set(['begin', 'end', 'tick', 'date-exec', 'date-exit', 'state', 'destroy', 'retransmit']);
KINDS.add('reset-sent').add('reset-received').add('synack-retransmit');

/** No reasons; no reset of what is no full socket; tcp_drop() frees without a trace. */
const say510: Say = (kind, data) => {
  if (kind === 'drop') {
    const untraced = /at=tcp_(validate_incoming|data_queue|rcv_established|rcv_state_process|ack)/;
    return untraced.test(data) ? null : data.replace(/reason=-?\d+/, 'reason=-1');
  }
  if (!KINDS.has(kind)) return null;
  if (kind !== 'reset-sent') return data;
  return / state=(0|6|12) /.test(data) ? null : data.replace(/reason=-?\d+/, 'reason=-1');
};

/** No BTF either: tracepoints' own fields only, and a listener's reset without the packet it answers. */
const say419: Say = (kind, data) => {
  const told = kind === 'drop' ? null : say510(kind, data);
  if (told === null) return null;
  const plain = told.replace(/ ns=\d+/, '').replace(/ devns=\d+/, '');
  if (kind === 'state') return plain.replace(/( to=\d+) .*?( comm=)/, '$1$2');
  if (kind !== 'reset-sent' || !plain.includes('src=')) return plain;
  const [, head, from, fromPort, to, toPort, sk, state, comm] =
    /^(reset-sent t=\d+ cpu=\d+ pid=\d+) src=(\S+) sport=(\d+) dst=(\S+) dport=(\d+).* sk=(\S+) state=(\d+).*(comm=.*)$/.exec(
      plain,
    )!;
  const peer = state === '10' ? 'r=0.0.0.0 rport=0' : `r=${from} rport=${fromPort}`;
  return `${head} sk=${sk} l=${to} lport=${toPort} ${peer} skb=1 state=${state} reason=-1 ${comm}`;
};

function told(content: Buffer, say: Say): string {
  const lines = content.toString('utf8').split('\n');
  return lines
    .flatMap((line) => {
      const [kind] = /(?<="data": ?")[a-z-]+/.exec(line) ?? [];
      if (kind === undefined) return [line];
      const entry = JSON.parse(line) as { data: string };
      const data = say(kind, entry.data);
      return data === null ? [] : [JSON.stringify({ ...entry, data })];
    })
    .join('\n');
}

function manifestOf(content: Buffer, release: string, btf: boolean): string {
  const manifest = JSON.parse(content.toString('utf8'));
  manifest.kernel.release = release;
  manifest.probes.attached = manifest.probes.attached
    .filter(
      ({ piece }: { piece: string }) => piece.startsWith('tracepoints/') && (btf || !piece.includes('drop')),
    )
    .map((p: object) => ({ ...p, btf }));
  return JSON.stringify(manifest);
}

function reduce({ folder }: Sample, release: string, say: Say): string {
  const target = mkdtempSync(path.join(scratch, 'x-'));
  for (const name of readdirSync(folder)) {
    if (name === 'expected.json' || name === 'README.md') continue;
    const packed = name.endsWith('.gz');
    const raw = readFileSync(path.join(folder, name));
    const content = packed ? gunzipSync(raw) : raw;
    const plain = packed ? name.slice(0, -3) : name;
    const left =
      plain === 'events.jsonl'
        ? told(content, say)
        : plain === 'manifest.json'
          ? manifestOf(content, release, say !== say419)
          : plain === 'reasons.json'
            ? '{}'
            : content;
    writeFileSync(path.join(target, plain), left);
  }
  return target;
}

describe.each([
  ['5.10.0-28-amd64', say510],
  ['4.19.0-27-amd64', say419],
] as const)('as %s says it', (release, say) => {
  test.each(['resets/6.12', 'endings/6.12', 'timeouts/6.12'])('%s', async (name) => {
    const sample = sampleNamed(name, 'bundle');
    const result = await analyze([reduce(sample, release, say)]);
    expect(result.diagnostics.filter((d) => d.code === 'rule-failed')).toEqual([]);
    const judged = judge(sample, result);
    expect(judged).toHaveLength(sample.truths.length);
    const faults = judged.flatMap(({ truth, findings }) => {
      const wrong = findings.filter((f) => f.confidence === 'proved' && !isTrue(name, f, truth));
      const listed = findings.flatMap((f) => [f.rule, ...f.alternatives]);
      const lost = truth.close_rule !== '' && !listed.includes(truth.close_rule) ? [truth.close_rule] : [];
      return [
        ...wrong.map((f) => `proved, but untrue: ${truth.behaviour} ${truth.note}: ${f.rule}`),
        ...lost.map(
          (rule) => `${truth.behaviour} ${truth.note}: ${rule} is not even listed, but ${listed.join(' ')}`,
        ),
      ];
    });
    expect(faults).toEqual([]);
    // without BTF neither the reason nor what close() found can be read
    const proved = result.findings.filter((f) => f.rule.endsWith('-reset') && f.confidence === 'proved');
    if (say === say419) expect(proved.map((f) => f.rule)).toEqual([]);
    const unsure = result.findings.filter((f) => f.rule.endsWith('-reset') && f.confidence === 'possible');
    for (const f of unsure) {
      expect(f.missing.length, f.rule).toBeGreaterThan(0);
      expect(f.missing.map((m) => m.command || m.what).join(' '), f.rule).toMatch(
        /tcpautopsy-capture|kernel [45][.]/,
      );
    }
  });
});
