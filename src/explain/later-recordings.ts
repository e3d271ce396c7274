/** What a recording of another time says to a question that the evidence of a connection leaves open. */
import type { Source } from '../model/source.ts';
import type { World } from './facts/world.ts';
import type { Explained, Moment } from './rule.ts';
import { count, list } from './words.ts';

/** Of the findings of one rule and server, and one recording that has what they lack. */
export interface LaterRecording {
  /** The rule whose findings were left open. */
  rule: string;
  /** Whose they are, and what they lack. */
  open: string;
  /** What the recording settles of it, or that it settles nothing. */
  text: string;
}

/** The folder that its recording is in. */
export function bundleOf({ name }: Source): string {
  return name.replace(/\/events\.[^/]*$/, '');
}

interface Open {
  source: Source;
  findings: Explained[];
  whats: Set<string>;
}

/**
 * Where a recording has the very probe that connections of another time were missing: what it proves of the same server. Those
 * connections stay as sure as their own evidence makes them, for the kernel was asked about others.
 */
export function laterRecordings(world: World, explained: readonly Explained[]): LaterRecording[] {
  const recorded = world.context.sources.filter((s) => s.recording);
  if (recorded.length === 0) return [];
  const open = new Map<string, Open>();
  for (const e of explained) {
    // what is proved lacks nothing
    if (e.finding.role !== 'verdict' || e.finding.confidence === 'proved') continue;
    const ofOtherTimes = recorded.filter((source) => !isWithin(world, source, e.moment));
    // words are made for it
    if (ofOtherTimes.length === 0) continue;
    for (const { what, probe, host } of e.finding.missing)
      for (const source of ofOtherTimes) {
        if (!source.recording!.attached.has(probe) || !isOf(world, source, host)) continue;
        const key = [e.facts.case.server.address, e.facts.case.server.port, e.rule.id, source.id].join();
        const known = open.get(key) ?? { source, findings: [], whats: new Set() };
        open.set(key, known);
        known.findings.push(e);
        known.whats.add(what);
      }
  }
  return [...open.values()].map((o) => recording(o, explained));
}

/** What happened while the source recorded is of no other time. */
function isWithin(world: World, { id, recording }: Source, moment: Moment | null): boolean {
  if (moment === null) return false;
  const ends = [recording!.from, recording!.until].map((time) => world.momentOf({ source: id, time }));
  const [after, before] = ends.map((end) => world.between(moment, end));
  return after != null && before != null && after >= 0 && before <= 0;
}

function isOf(world: World, source: Source, host: string): boolean {
  return world.context.hosts.some(
    (h) => h.sources.includes(source) && (h.name === host || h.addresses.has(host)),
  );
}

function recording({ source, findings, whats }: Open, explained: readonly Explained[]): LaterRecording {
  const [first] = findings;
  const rule = first!.rule.id;
  const { address, port } = first!.facts.case.server;
  const fitting = new Set([rule, ...findings.flatMap((e) => e.finding.alternatives)]);
  const proved = explained.filter(
    (e) =>
      fitting.has(e.rule.id) &&
      e.finding.role === 'verdict' &&
      e.finding.confidence === 'proved' &&
      e.facts.case.server.address === address &&
      e.facts.case.server.port === port &&
      e.facts.case.kernel.some((k) => k.source === source.id),
  );
  const left = count(new Set(findings.map((e) => e.facts)).size, 'connection');
  const open = `${left} to ${address}:${port} left open (\`${rule}\`): ${[...whats].join('; ')}.`;
  if (proved.length === 0) {
    const text = `Not settled by ${bundleOf(source)}: it recorded what was missing, at another time, and proves none of the possible causes.`;
    return { rule, open, text };
  }
  const causes = [...new Set(proved.map((e) => e.rule.id))].map((id) => {
    const n = new Set(proved.filter((e) => e.rule.id === id).map((e) => e.facts)).size;
    return `\`${id}\` for ${count(n, 'connection')}`;
  });
  const text = `Settled by ${bundleOf(source)}, for another time: it proves ${list(causes)} to ${address}:${port}.`;
  return { rule, open, text };
}
