/**
 * Which connections a result lists: all of them up to a limit; of more those with a finding above info, as `Listing`
 * chooses them, and of the others the first of each kind. The rest is counted.
 */
import { DurationBins } from '../explain/facts/durations.ts';
import type { RuleId } from '../explain/rules/index.ts';
import type { Verdicts } from '../explain/verdicts.ts';
import { formatEndpoint } from '../model/address.ts';
import type { Context } from '../model/case.ts';
import { CLIENT, SERVER } from '../model/connection.ts';
import type { Confidence, Group } from '../model/finding.ts';
import { getOr } from '../model/get-or.ts';
import { HALF_OPEN, OPEN, ORDERLY, type Outcome, REFUSED, UNANSWERED } from '../model/outcome.ts';
import type { CauseGroup } from '../model/result.ts';
import { closeOf, endingOf } from './connection-facts.ts';
import type { ConnectionRow } from './connections.ts';
import { ALL_LISTED, Listing } from './listed.ts';
import type { UnlistedGroup, UnlistedPart } from './result.ts';
import { durationsOf } from './row-durations.ts';

/** Connections without a finding above info that are listed: of those alike, and of all, for each server has its own. */
const SHOWN = 50;
const SHOWN_OF_ALL = ALL_LISTED;

export interface Selection {
  /** Connections that are listed, ascending. */
  shown: readonly number[];
  /** Those with a finding above info. */
  listing: Listing;
  /** What is said of the others; null when there are none. */
  rest: UnlistedPart | null;
  /** A cause with the connections that are not listed as a number. */
  cut(cause: CauseGroup): CauseGroup;
}

/** Offers a connection with what was found of it; false where that is nothing above info. */
function offer(listing: Listing, verdicts: Verdicts, n: number): boolean {
  const weight = verdicts.weight(n);
  if (weight === 0) return false;
  return listing.offer(
    `c${n + 1}`,
    verdicts.findings(n).map((e) => e.finding),
    weight,
  );
}

/** Every connection is listed. */
export function selectAll(kept: Int32Array, verdicts: Verdicts): Selection {
  const listing = new Listing();
  for (const n of kept) offer(listing, verdicts, n);
  return { shown: [...kept], listing, rest: null, cut: (cause) => cause };
}

export function select(kept: Int32Array, verdicts: Verdicts, context: Context): Selection {
  const listing = new Listing(ALL_LISTED);
  const kinds = new Kinds(verdicts, context);
  const few = new Set<number>();
  for (const n of kept) {
    const alike = kinds.add(n);
    if (!offer(listing, verdicts, n) && alike <= SHOWN && few.size < SHOWN_OF_ALL) few.add(n);
  }
  const { listed } = listing;
  const isShown = (n: number) => few.has(n) || listed.has(`c${n + 1}`);
  const shown = Array.from(kept).filter(isShown);
  const rest = kinds.rest(kept, isShown);
  return { shown, listing, rest, cut: (cause) => cut(cause, verdicts, isShown) };
}

function cut(cause: CauseGroup, verdicts: Verdicts, isShown: (n: number) => boolean): CauseGroup {
  const connections = cause.connections.filter((id) => isShown(Number(id.slice(1)) - 1));
  if (connections.length === cause.connections.length) return cause;
  const confidences: Partial<Record<Confidence, number>> = { ...cause.unlisted?.confidences };
  for (const id of cause.connections) {
    const n = Number(id.slice(1)) - 1;
    if (isShown(n)) continue;
    const claims = new Set(
      verdicts.findings(n).flatMap((e) => (e.rule.id === cause.rule ? [e.finding.confidence] : [])),
    );
    for (const confidence of claims) confidences[confidence] = (confidences[confidence] ?? 0) + 1;
  }
  const more = cause.connections.length - connections.length;
  return {
    ...cause,
    connections,
    unlisted: { connections: (cause.unlisted?.connections ?? 0) + more, confidences },
  };
}

/** Rules of the close that say no more than the outcome. */
const CLOSE_RULES: Partial<Record<Outcome, RuleId>> = {
  [ORDERLY]: 'graceful-close',
  [REFUSED]: 'connection-refused',
};

type End = Pick<UnlistedGroup, 'closeKind' | 'closedBy' | 'resetBy'>;
/** How connections ended, by what their packets say. */
const ENDS: Readonly<Record<Exclude<Outcome, 0>, End>> = {
  [ORDERLY]: { closeKind: 'fin', closedBy: 'client', resetBy: '' },
  [HALF_OPEN]: { closeKind: 'unanswered', closedBy: 'none', resetBy: '' },
  [UNANSWERED]: { closeKind: 'unanswered', closedBy: 'none', resetBy: '' },
  [REFUSED]: { closeKind: 'refused', closedBy: 'server', resetBy: 'server' },
  [OPEN]: { closeKind: 'open', closedBy: 'none', resetBy: '' },
};

type Kind = Omit<UnlistedGroup, 'connections' | 'clients'>;

/** Connections by server, ending and causes, in numbers. */
class Kinds {
  readonly #verdicts: Verdicts;
  readonly #context: Context;
  readonly #kinds: Kind[] = [];
  readonly #counts: number[] = [];
  readonly #numbers = new Map<string, number>();
  /** Of those whose packets say it all: by outcome, server and first FIN, then by what was decided. */
  readonly #outcomeNumbers = new Map<number, Map<number, number>>();
  /** Of each connection. */
  readonly #kind: Int32Array;

  constructor(verdicts: Verdicts, context: Context) {
    this.#verdicts = verdicts;
    this.#context = context;
    this.#kind = new Int32Array(context.cases.count);
  }

  /** How many of its kind there are now. */
  add(n: number): number {
    const outcome = this.#outcome(n);
    const kind = outcome === 0 ? this.#other(n) : this.#byOutcome(n, outcome);
    this.#kind[n] = kind;
    return ++this.#counts[kind]!;
  }

  rest(kept: Int32Array, isShown: (n: number) => boolean): UnlistedPart {
    const { cases } = this.#context;
    const clients = this.#kinds.map(() => new Set<number>());
    const counts = this.#kinds.map(() => 0);
    const [wire, kernel] = [new DurationBins(), new DurationBins()];
    let connections = 0;
    for (const n of kept) {
      if (isShown(n)) continue;
      const { keys, finWait2, finWait2Kernel } = cases.brief(n);
      connections++;
      counts[this.#kind[n]!]!++;
      clients[this.#kind[n]!]!.add(keys[CLIENT]);
      if (!Number.isNaN(finWait2)) wire.add(finWait2 / 1e9);
      if (!Number.isNaN(finWait2Kernel)) kernel.add(finWait2Kernel / 1e9);
    }
    const groups = this.#kinds
      .map((kind, i) => ({ ...kind, connections: counts[i]!, clients: clients[i]!.size }))
      .filter((g) => g.connections > 0)
      .sort((a, b) => b.connections - a.connections);
    const inKernel = durationsOf(kernel);
    return {
      connections,
      groups,
      finWait2: durationsOf(wire),
      ...(inKernel && { finWait2Kernel: inKernel }),
    };
  }

  /** What the packets say, where the verdict says nothing else. */
  #outcome(n: number): Outcome {
    const outcome = this.#context.cases.outcome(n);
    return outcome !== 0 && this.#verdicts.of(n).close === (CLOSE_RULES[outcome] ?? '') ? outcome : 0;
  }

  /** Its record tells it all. */
  #byOutcome(n: number, outcome: Exclude<Outcome, 0>): number {
    const { cases } = this.#context;
    const first = outcome === ORDERLY ? cases.brief(n).firstFin : CLIENT;
    const own = getOr(this.#outcomeNumbers, (cases.server(n) * 8 + outcome) * 2 + first, () => new Map());
    return getOr(own, this.#verdicts.pattern(n), () =>
      this.#numberOf({
        server: cases.servers[cases.server(n)]!,
        ...ENDS[outcome],
        ...(first === SERVER && { closedBy: 'server' }),
        rules: rulesOf(this.#verdicts.of(n)),
      }),
    );
  }

  #other(n: number): number {
    const verdicts = this.#verdicts.of(n);
    const c = this.#context.cases.at(n);
    const { closeKind, closedBy, resetBy } = endingOf(c, verdicts, closeOf(n, this.#verdicts));
    return this.#numberOf({ server: c.server, closeKind, closedBy, resetBy, rules: rulesOf(verdicts) });
  }

  #numberOf(kind: Kind): number {
    const { server, closeKind, closedBy, resetBy, rules } = kind;
    const key = [formatEndpoint(server), closeKind, closedBy, resetBy, ...rules].join(' ');
    return getOr(this.#numbers, key, () => {
      this.#counts.push(0);
      return this.#kinds.push(kind) - 1;
    });
  }
}

function rulesOf(verdicts: Record<Group, string>): string[] {
  const { close, syn, stuck } = verdicts;
  return [...new Set([close, syn, verdicts['fin-wait2'], stuck])].filter((rule) => rule !== '');
}

/** Rules that hold for a connection, as its row gives them. */
export function rulesOfRow(
  row: Pick<ConnectionRow, 'closeRule' | 'synRule' | 'finWait2Rule' | 'stuckRule'>,
): string[] {
  const { closeRule, synRule, finWait2Rule, stuckRule } = row;
  return rulesOf({ close: closeRule, syn: synRule, 'fin-wait2': finWait2Rule, stuck: stuckRule });
}
