/** Puts together the one result that every output is written from. */
import type { Explanation } from '../explain/explain.ts';
import { findingData } from '../explain/finding.ts';
import type { Verdicts } from '../explain/verdicts.ts';
import { number } from '../explain/words.ts';
import type { Case, Context } from '../model/case.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { Finding } from '../model/finding.ts';
import { VERSION } from '../platform/package.ts';
import { type Aggregate, aggregateOf } from './aggregate.ts';
import { ConnectionFacts } from './connection-facts.ts';
import { connectionCells, connectionRow, connectionsTable } from './connections.ts';
import { csvLines, Lines } from './csv-text.ts';
import { findingsTable } from './findings.ts';
import { ALL_LISTED } from './listed.ts';
import type { Aggregation, Result } from './result.ts';
import { RowDurations } from './row-durations.ts';
import { ruleInfo } from './rules.ts';
import { type Selection, select, selectAll } from './selection.ts';
import { inputSummary } from './sources.ts';
import { type Part, Spool } from './spool.ts';
import { timelineTable } from './timeline.ts';
import { timelineOf } from './timeline-rows.ts';

/** So many connections are in the timeline although none of them has a finding above info. */
const FEW = 100;

export interface ResultOptions {
  /** `all` puts every connection into the timeline, not only those with a finding above info. */
  timeline?: 'findings' | 'all';
  /** True: connections of the timeline are never counted instead of listed, however many are alike. */
  listAll?: boolean;
  /** The command line, for the report. */
  command?: string;
}

/** `listed`: of more connections than this not all are listed. `durations`: of all; null: only of those listed. */
export function assembleResult(
  context: Context,
  explanation: Explanation,
  diagnostics: Diagnostics,
  options: ResultOptions,
  listed: number,
  durations: RowDurations | null,
): Result {
  const ofListed = new RowDurations();
  const { verdicts, kept } = explanation;
  const selection = kept.length > listed ? select(kept, verdicts, context) : selectAll(kept, verdicts);
  const { shown, rest } = selection;
  const { cases, aggregates, aggregated } = timelineParts(context, explanation, selection, options);
  const connections = shown.map((n) => connectionRow(new ConnectionFacts(n, verdicts, context)));
  if (durations === null) for (const row of connections) ofListed.add(row);
  return {
    tool: { name: 'tcpautopsy', version: VERSION },
    command: options.command ?? '',
    story: explanation.story,
    incidents: explanation.incidents,
    servers: explanation.servers,
    activity: explanation.activity,
    inputs: context.sources.map((s) => inputSummary(s, context)),
    hosts: context.hosts.map((h) => ({ name: h.name, addresses: [...h.addresses] })),
    causes: explanation.causes.map((c) => selection.cut(c)),
    rules: explanation.causes.map(ruleInfo),
    findings: [...findingsOf(shown, verdicts), ...explanation.ofHosts],
    connections,
    durations: (durations ?? ofListed).all,
    timeline: timelineOf(cases, context, aggregates),
    clocks: context.timeline.fits,
    counters: explanation.counters,
    answers: explanation.answers,
    settings: explanation.settings,
    diagnostics: diagnostics.list(),
    ...(aggregated && { aggregated: [aggregated] }),
    ...(rest && { unlisted: rest }),
  };
}

function* findingsOf(ns: Iterable<number>, verdicts: Verdicts): Iterable<Finding> {
  for (const n of ns) for (const f of verdicts.tell(n)) yield findingData(f);
}

/** The big tables as CSV, in pieces: rows of every connection that is told of. */
export interface Tables {
  connections: Iterable<string>;
  findings: Iterable<string>;
}

/** The tables of a result that lists everything. */
export function tablesOf({ connections, findings }: Result): Tables {
  return {
    connections: csvLines(connectionsTable.columns, connections),
    findings: csvLines(findingsTable.columns, findings),
  };
}

/** Rows of both tables as parts of spools. */
export interface TableParts {
  connections: Part[];
  findings: Part[];
  durations: Result['durations'];
}

/** Takes the rows of connections while they are decided: whatever is derived of a connection is derived for all of it once. */
export class TableSpool implements Tables {
  readonly connections = new Spool();
  readonly findings = new Spool();
  readonly durations = new RowDurations();
  readonly #rows = new Lines(connectionCells);
  readonly #findings = new Lines(findingsTable.columns);

  /** `begins`: with the lines of names. */
  constructor(begins = true) {
    if (!begins) return;
    this.#rows.head();
    this.connections.add(this.#rows.bytes, this.#rows.length);
    this.#findings.head();
    this.findings.add(this.#findings.bytes, this.#findings.length);
  }

  add(connection: ConnectionFacts, findings: readonly Finding[]): void {
    this.durations.add(connection);
    this.#rows.of(connection);
    this.connections.add(this.#rows.bytes, this.#rows.length);
    this.addFindings(findings);
  }

  /** All rows, for the tables of another thread. */
  parts(): TableParts {
    return {
      connections: this.connections.parts(),
      findings: this.findings.parts(),
      durations: this.durations.all,
    };
  }

  /** Takes rows that another thread has made, of the connections that come next. */
  take({ connections, findings, durations }: TableParts): void {
    this.durations.take(durations);
    this.connections.take(connections);
    this.findings.take(findings);
  }

  /** Also those of hosts, which are of no connection. */
  addFindings(findings: readonly Finding[]): void {
    for (const f of findings) {
      this.#findings.of(f);
      this.findings.add(this.#findings.bytes, this.#findings.length);
    }
  }
}

/** The connections that the timeline lists, and what stands there for those that it counts. */
function timelineParts(
  context: Context,
  { kept, causes }: Explanation,
  { listing }: Selection,
  options: ResultOptions,
): { cases: Case[]; aggregates: Aggregate[]; aggregated: Aggregation | null } {
  const { cases } = context;
  const those = (isWanted: (id: string) => boolean) =>
    Array.from(kept).flatMap((n) => (isWanted(`c${n + 1}`) ? [cases.at(n)] : []));
  if (options.timeline === 'all') return { cases: those(() => true), aggregates: [], aggregated: null };
  if (options.listAll) return { cases: those((id) => listing.has(id)), aggregates: [], aggregated: null };
  // a table or a log without a fault was read, and shows what it says
  if (listing.size === 0 && kept.length <= FEW)
    return { cases: those(() => true), aggregates: [], aggregated: null };
  const { listed } = listing;
  const shown = those((id) => listed.has(id));
  if (listing.listsAll) return { cases: shown, aggregates: [], aggregated: null };
  const aggregates = [...listing.counted(causes)].map(([cause, ids]) => aggregateOf(cause, ids, context));
  return { cases: shown, aggregates, aggregated: aggregation(listed.size, listing.size) };
}

/** `of`: connections with a finding above info. */
function aggregation(listed: number, of: number): Aggregation {
  return {
    file: timelineTable.file,
    what: 'connections',
    listed,
    of,
    text:
      `${timelineTable.file} lists ${number(listed)} of the ${number(of)} connections with a finding above info: of more than ` +
      `${number(ALL_LISTED)} those of one cause are listed up to a thousand, the most telling and others spread over the rest; ` +
      `rows of kind aggregate count what the rest would show. \`--timeline all\` lists every connection.`,
  };
}
