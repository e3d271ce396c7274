/** Puts together the one result that every output is written from. */
import { type Explanation, verdictsOf } from '../explain/explain.ts';
import type { Case, Context } from '../model/case.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { Finding } from '../model/finding.ts';
import type { Aggregation, InputSummary, Result } from '../model/result.ts';
import type { Source } from '../model/source.ts';
import { VERSION } from '../platform/package.ts';
import { number, unlistedWarnings } from '../view/words.ts';
import { type Aggregate, aggregateOf } from './aggregate.ts';
import { connectionRow } from './connection-row.ts';
import { LISTED_WHOLE, Listing } from './listed.ts';
import { plainPart } from './plain.ts';
import { timelineTable } from './timeline.ts';
import { timelineOf } from './timeline-rows.ts';
import type { Told } from './told.ts';

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
  /** True: connections of the timeline are never counted instead of listed, however many are alike. */
  whole?: boolean;
  /** The command line, for the report. */
  command?: string;
}

/** `told`: has taken the findings, where the explanation has none. */
export function assembleResult(
  context: Context,
  explanation: Explanation,
  diagnostics: Diagnostics,
  options: ResultOptions,
  told: Told | null = null,
): Result {
  const { connections, findings, listing } = told ? told.finish() : listed(context, explanation);
  const { cases, aggregates, aggregated } = timelineParts(context, explanation, listing, options);
  return {
    tool: { name: 'tcpautopsy', version: VERSION },
    command: options.command ?? '',
    story: explanation.story,
    inputs: context.sources.map((s) => inputSummary(s, context)),
    hosts: context.hosts.map((h) => ({ name: h.name, addresses: [...h.addresses] })),
    causes: told ? explanation.causes.map((c) => told.cut(c)) : explanation.causes,
    findings,
    connections,
    timeline: timelineOf(cases, context, aggregates),
    clocks: context.timeline.fits,
    counters: explanation.counters,
    answers: explanation.answers,
    diagnostics: diagnostics.list(),
    ...(aggregated && { aggregated: [aggregated] }),
    ...(told && { plain: plainPart(told) }),
  };
}

/** All connections and their findings. */
function listed(context: Context, { cases, findings }: Explanation) {
  const byConnection = new Map<string, Finding[]>();
  for (const f of findings) {
    const list = byConnection.get(f.connection);
    if (list) list.push(f);
    else byConnection.set(f.connection, [f]);
  }
  const listing = new Listing();
  const connections = cases.map((c) => {
    const own = byConnection.get(c.id) ?? [];
    listing.offer(c.id, own);
    return connectionRow(c, own, verdictsOf(own), context);
  });
  return { connections, findings, listing };
}

/** The connections that the timeline lists, and what stands there for those that it counts. */
function timelineParts(
  context: Context,
  explanation: Explanation,
  listing: Listing,
  options: ResultOptions,
): { cases: Case[]; aggregates: Aggregate[]; aggregated: Aggregation | null } {
  if (options.timeline === 'all') return { cases: explanation.cases, aggregates: [], aggregated: null };
  if (options.whole)
    return { cases: explanation.cases.filter((c) => listing.has(c.id)), aggregates: [], aggregated: null };
  const { listed } = listing;
  const cases = explanation.cases.filter((c) => listed.has(c.id));
  const unlisted = unlistedWarnings(explanation);
  if (listing.isWhole && unlisted === 0) return { cases, aggregates: [], aggregated: null };
  const byId = new Map(explanation.cases.map((c) => [c.id, c]));
  const aggregates = [...listing.counted(explanation.causes)].map(([cause, ids]) =>
    aggregateOf(
      cause,
      ids.map((id) => byId.get(id)!),
      context,
    ),
  );
  return { cases, aggregates, aggregated: aggregation(listed.size, listing.size, unlisted) };
}

/** `of`: connections with a finding above info; `unlisted`: more of them, of which no row is made. */
function aggregation(listed: number, of: number, unlisted: number): Aggregation {
  const all = of + unlisted;
  const more = unlisted === 0 ? '' : `, but for ${number(unlisted)} alike that only the causes count`;
  return {
    file: timelineTable.file,
    what: 'connections',
    listed,
    of: all,
    text:
      `${timelineTable.file} lists ${number(listed)} of the ${number(all)} connections with a finding above info: of more than ` +
      `${number(LISTED_WHOLE)} those of one cause are listed up to a thousand, the most telling and others spread over the rest; ` +
      `rows of kind aggregate count what the rest would show${more}. \`--timeline all\` lists every connection.`,
  };
}

function inputSummary(source: Source, context: Context): InputSummary {
  const host = context.hosts.find((h) => h.sources.includes(source));
  const { name, format, records } = source;
  const files = source.files?.map((file) => ({ name: file.name }));
  const clock = CLOCK_WORDS[source.clock.kind];
  return { name, format, host: host?.name ?? '', clock, records, ...(files && { files }) };
}
