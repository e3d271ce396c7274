/** Puts together the one result that every output is written from. */
import { type Explanation, verdictsOf } from '../explain/explain.ts';
import type { Context } from '../model/case.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { Finding } from '../model/finding.ts';
import type { InputSummary, Result } from '../model/result.ts';
import type { Source } from '../model/source.ts';
import { VERSION } from '../version.ts';
import { connectionRow } from './rows.ts';
import { timelineOf } from './timeline.ts';

const CLOCK_WORDS: Record<Source['clock']['kind'], string> = {
  realtime: 'UTC',
  monotonic: 'time since boot',
  wall: 'local time of day',
  relative: 'seconds since its first event',
  order: 'order only',
};

export interface ResultOptions {
  /** `all` puts every connection into the timeline, not only those with a finding above info. */
  timeline?: 'findings' | 'all';
  /** The command line, for the report. */
  command?: string;
}

export function assembleResult(
  context: Context,
  explanation: Explanation,
  diagnostics: Diagnostics,
  options: ResultOptions,
): Result {
  const byConnection = new Map<string, Finding[]>();
  for (const f of explanation.findings) {
    const list = byConnection.get(f.connection);
    if (list) list.push(f);
    else byConnection.set(f.connection, [f]);
  }
  const findingsOf = (id: string) => byConnection.get(id) ?? [];
  const ofInterest = explanation.cases.filter(
    (c) => options.timeline === 'all' || findingsOf(c.id).some((f) => f.severity !== 'info'),
  );
  return {
    tool: { name: 'tcpautopsy', version: VERSION },
    command: options.command ?? '',
    story: explanation.story,
    inputs: context.sources.map((s) => inputSummary(s, context)),
    hosts: context.hosts.map((h) => ({ name: h.name, addresses: [...h.addresses] })),
    causes: explanation.causes,
    findings: explanation.findings,
    connections: explanation.cases.map((c) => {
      const findings = findingsOf(c.id);
      return connectionRow(c, findings, verdictsOf(findings), context);
    }),
    timeline: timelineOf(ofInterest, context),
    clocks: context.timeline.fits,
    counters: explanation.counters,
    answers: explanation.answers,
    diagnostics: diagnostics.list(),
  };
}

function inputSummary(source: Source, context: Context): InputSummary {
  const host = context.hosts.find((h) => h.sources.includes(source));
  const { name, format, records } = source;
  return { name, format, host: host?.name ?? '', clock: CLOCK_WORDS[source.clock.kind], records };
}
