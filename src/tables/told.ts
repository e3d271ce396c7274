/**
 * The cases of one big capture: their lines are made as soon as their findings are known, and of those that are not
 * listed only numbers are kept.
 */
import { verdictsOf } from '../explain/explain.ts';
import { addressKey, formatEndpoint, parseWords } from '../model/address.ts';
import type { Case, Context } from '../model/case.ts';
import type { Confidence, Finding } from '../model/finding.ts';
import { getOr } from '../model/get-or.ts';
import type { CauseGroup, ConnectionRow } from '../model/result.ts';
import { connectionRow } from './connection-row.ts';
import { csvLine } from './csv-text.ts';
import { LineStore } from './line-store.ts';
import { LISTED_WHOLE, Listing } from './listed.ts';
import type { Alike } from './plain.ts';
import { connectionsTable, findingsTable } from './tables.ts';

/** Findings beyond those listed, before it is looked which of them need not be kept. */
const SLACK = 2000;
/** Connections without a finding above info that are listed, of those alike. */
const SHOWN = 50;

interface Tally extends Omit<Alike, 'clients'> {
  /** Connections by a number for the address of the client. */
  clients: Map<number, number>;
}

interface Kept {
  row: ConnectionRow;
  findings: readonly Finding[];
}

export class Told {
  /** Of connections.csv and findings.csv about all of them. */
  readonly lines = new LineStore();
  readonly #listing: Listing;
  readonly #context: Context;
  readonly #kept = new Map<string, Kept>();
  readonly #tallies = new Map<string, Tally>();
  /** By rule: connections of each confidence. */
  readonly #confidences = new Map<string, Map<Confidence, number>>();
  readonly #names = new Map<string, number>();
  #waits: { id: string; wire: number | null; kernel: number | null }[] = [];
  #sweepAt: number;
  count = 0;

  constructor(context: Context, whole = LISTED_WHOLE) {
    this.#context = context;
    this.#listing = new Listing(whole);
    this.#sweepAt = whole + 1;
  }

  /** Takes a case with all its findings, in the order of first sight. */
  take(c: Case, findings: readonly Finding[]): void {
    const row = connectionRow(c, findings, verdictsOf(findings), this.#context);
    const number = Number(c.id.slice(1));
    const connection = csvLine(connectionsTable.columns, row);
    const lines = findings.map((f) => csvLine(findingsTable.columns, f)).join('\n');
    this.lines.add({ number, connection, findings: lines });
    this.count++;
    const alike = this.#tally(row, findings, 1);
    const { finWait2WireS: wire, finWait2KernelS: kernel } = row;
    if (wire !== null || kernel !== null) this.#waits.push({ id: c.id, wire, kernel });
    if (!this.#listing.offer(c.id, findings) && alike > SHOWN) return;
    this.#kept.set(c.id, { row, findings });
    if (this.#kept.size >= this.#sweepAt) this.#sweep();
  }

  /** What is listed one by one: to be asked when all were taken. Counts and times are then of the others. */
  finish(): { connections: ConnectionRow[]; findings: Finding[]; listing: Listing } {
    this.#sweep();
    const listed = [...this.#kept.values()];
    for (const { row, findings } of listed) this.#tally(row, findings, -1);
    this.#waits = this.#waits.filter((w) => !this.#kept.has(w.id));
    this.count -= listed.length;
    return {
      connections: listed.map((k) => k.row),
      findings: listed.flatMap((k) => k.findings),
      listing: this.#listing,
    };
  }

  /** Those not listed. */
  get alike(): Alike[] {
    const rest = [...this.#tallies.values()].filter((t) => t.connections > 0);
    return rest.map((t) => ({ ...t, clients: [...t.clients].flatMap(([key, n]) => (n > 0 ? key : [])) }));
  }

  /** How long FIN_WAIT2 lasted on the wire in those not listed, s. */
  get waits(): number[] {
    return this.#waits.flatMap((w) => w.wire ?? []);
  }

  /** The same of their full sockets. */
  get kernelWaits(): number[] {
    return this.#waits.flatMap((w) => w.kernel ?? []);
  }

  /** The cause with the connections that are not listed as a number. */
  cut(cause: CauseGroup): CauseGroup {
    const connections = cause.connections.filter((id) => this.#kept.has(id));
    const more = cause.connections.length - connections.length;
    if (more === 0) return { ...cause, connections };
    const { unlisted } = cause;
    const confidences = new Map(this.#confidences.get(cause.rule));
    for (const [confidence, n] of Object.entries(unlisted?.confidences ?? {}) as [Confidence, number][])
      confidences.set(confidence, (confidences.get(confidence) ?? 0) + n);
    return {
      ...cause,
      connections,
      unlisted: {
        connections: (unlisted?.connections ?? 0) + more,
        confidences: Object.fromEntries([...confidences].filter(([, n]) => n > 0)),
      },
    };
  }

  #sweep(): void {
    if (this.#listing.isWhole) return;
    const { listed } = this.#listing;
    for (const id of this.#kept.keys()) {
      if (this.#listing.has(id) && !listed.has(id)) this.#kept.delete(id);
    }
    this.#sweepAt = this.#kept.size + SLACK;
  }

  /** How many are alike now. */
  #tally(row: ConnectionRow, findings: readonly Finding[], step: 1 | -1): number {
    const { server, closeKind, closedBy, resetBy } = row;
    const rules = rulesOf(row);
    const key = [formatEndpoint(server), closeKind, closedBy, resetBy, ...rules].join(' ');
    const alike = { server, closeKind, closedBy, resetBy, rules };
    const tally = getOr(this.#tallies, key, () => ({ ...alike, connections: 0, clients: new Map() }));
    tally.connections += step;
    const client = this.#keyOf(row.client.address);
    tally.clients.set(client, (tally.clients.get(client) ?? 0) + step);
    for (const claim of new Set(findings.map((f) => `${f.rule} ${f.confidence}`))) {
      const [rule, confidence] = claim.split(' ') as [string, Confidence];
      const counts = getOr(this.#confidences, rule, () => new Map<Confidence, number>());
      counts.set(confidence, (counts.get(confidence) ?? 0) + step);
    }
    return tally.connections;
  }

  /** A number for an address, or for the name that a table has in its place. */
  #keyOf(address: string): number {
    const words = parseWords(address);
    return words ? addressKey(...words) : getOr(this.#names, address, () => -1 - this.#names.size);
  }
}

/** Rules that hold for a connection, as its row gives them. */
export function rulesOf(
  row: Pick<ConnectionRow, 'closeRule' | 'synRule' | 'finWait2Rule' | 'stuckRule'>,
): string[] {
  const rules = [row.closeRule, row.synRule, row.finWait2Rule, row.stuckRule];
  return [...new Set(rules)].filter((rule) => rule !== '');
}
