/** `exp1Result` with hostile names in it, and blown up to any size. */
import type { Result } from '../../src/tables/result.ts';
import { CAUSES, connectionRow, exp1Result, finding } from './fixture.ts';

/** Names that attack every kind of output at once. */
export const HOSTILE = [
  `=cmd|' /C calc'!A0`,
  '<script>alert(1)</script>',
  '\x1b[31mred',
  '\u202egnp.exe',
  '| ` [x](http://evil.example) ``` @octocat #1 <img src=x>',
  '+1+1\n</style></svg>',
];

/** `exp1Result` with a hostile text in every field that comes from outside. */
export function hostileResult(text: string): Result {
  const r = exp1Result();
  return {
    ...r,
    command: `tcpautopsy analyze ${text}`,
    story: r.story.map((s) => `${s} ${text}`),
    incidents: r.incidents.map((i) => ({
      ...i,
      headline: text,
      who: [text],
      action: text,
      cause: { ...i.cause, title: text },
    })),
    activity: r.activity && {
      ...r.activity,
      servers: r.activity.servers.map((s) => ({ ...s, label: text })),
    },
    servers: r.servers.map((s) => ({ ...s, server: text, hurt: 0 })),
    inputs: r.inputs.map((i) => ({ ...i, name: text, host: text })),
    hosts: r.hosts.map((h) => ({ ...h, name: text })),
    causes: r.causes.map((c) => ({ ...c, summary: text, remedy: text })),
    findings: r.findings.map((f) => ({
      ...f,
      summary: text,
      remedy: text,
      evidence: [{ source: 1, at: text, time: text, fact: text }],
      missing: [{ what: text, probe: text, host: text, port: 80, command: text }],
    })),
    connections: r.connections.map((c) => ({
      ...c,
      host: text,
      netns: text,
      clientComm: text,
      serverComm: text,
      encapsulation: text,
      sources: [text],
    })),
    timeline: r.timeline.map((i) => ({ ...i, what: text, comm: text, source: text, locator: text })),
    clocks: r.clocks.map((c) => ({ ...c, source: text, reference: text, message: text })),
    counters: r.counters.map((c) => ({ ...c, host: text, source: text, text })),
    answers: r.answers.map(() => ({ question: text, answer: text })),
    diagnostics: r.diagnostics.map((d) => ({ ...d, source: text, locator: text, message: text })),
  };
}

/** A result of `n` connections with packets, spread over the causes of `exp1Result`. */
export function bigResult(n: number): Result {
  const r = exp1Result();
  const connections = Array.from({ length: n }, (_, i) =>
    connectionRow(`c${i + 1}`, 1024 + (i % 60_000), {
      clientPackets: 10,
      serverPackets: 8,
      clientBytes: i,
      serverBytes: 2 * i,
      finWait2WireS: ((i % 997) + 1) / 1000,
      finWait2KernelS: ((i % 89) + 1) / 1e6,
    }),
  );
  const findings = connections.flatMap((row, i) => {
    const cause = CAUSES[i % CAUSES.length]!;
    return [finding({ ...cause, ids: [] }, row.id, [row])];
  });
  const causes = r.causes.map((c, k) => ({
    ...c,
    connections: connections.filter((_, i) => i % CAUSES.length === k).map((row) => row.id),
  }));
  const template = r.timeline.filter((i) => i.connection === 'c1');
  const timeline = connections.flatMap((row, i) =>
    template.map((item) => ({
      ...item,
      connection: row.id,
      at: item.at === null ? null : item.at + i * 1e6,
    })),
  );
  return { ...r, connections, findings, causes, timeline: timeline.map((t, i) => ({ ...t, seq: i + 1 })) };
}
