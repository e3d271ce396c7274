import type { Source } from '../../model/source.ts';
import type { World } from '../facts/world.ts';
import type { Explained } from '../rule.ts';
import { count, list } from '../words.ts';
import type { Answerer } from './index.ts';

/** Findings of one server that lack what a recording of another time has. */
interface Open {
  source: Source;
  findings: Explained[];
  whats: Set<string>;
}

/**
 * Raised where a recording has the very probe that connections of another time were missing: what it proved of the same server. Those
 * connections stay as sure as their own evidence makes them.
 */
export const settled: Answerer = (world, explained) => {
  const recorded = world.context.sources.filter((s) => s.recording);
  if (recorded.length === 0) return null;
  const open = new Map<string, Open>();
  for (const e of explained) {
    if (e.finding.confidence === 'proved' || e.finding.role !== 'verdict') continue;
    for (const { what, probe, host } of e.finding.missing)
      for (const source of recorded.filter((s) => s.recording!.attached.has(probe) && isOf(world, s, host))) {
        const key = [e.facts.case.server.address, e.facts.case.server.port, e.rule.id, source.id].join();
        const known = open.get(key) ?? { source, findings: [], whats: new Set() };
        open.set(key, known);
        known.findings.push(e);
        known.whats.add(what);
      }
  }
  if (open.size === 0) return null;
  const answer = [...open.values()].map((o) => sentence(o, explained)).join(' ');
  return { question: 'What did the recording of another time settle?', answer };
};

function isOf(world: World, source: Source, host: string): boolean {
  return world.context.hosts.some(
    (h) => h.sources.includes(source) && (h.name === host || h.addresses.has(host)),
  );
}

function sentence({ source, findings, whats }: Open, explained: readonly Explained[]): string {
  const [first] = findings;
  const { address, port } = first!.facts.case.server;
  const fitting = new Set([first!.rule.id, ...findings.flatMap((e) => e.finding.alternatives)]);
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
  const open = `${left} to ${address}:${port} left open (\`${first!.rule.id}\`): ${[...whats].join('; ')}.`;
  const recorded = `${source.name} recorded that at another time:`;
  if (proved.length === 0)
    return `${open} ${recorded} none of these causes is proved there, so it stays open.`;
  const causes = [...new Set(proved.map((e) => e.rule.id))].map((id) => {
    const n = new Set(proved.filter((e) => e.rule.id === id).map((e) => e.facts)).size;
    return `\`${id}\` for ${count(n, 'connection')}`;
  });
  return `${open} ${recorded} it proves ${list(causes)} to that server.`;
}
