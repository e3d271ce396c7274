/** How what `analyze` claims stands to what is true. */
import { getOr } from '../../../src/model/get-or.ts';
import type { Result } from '../../../src/tables/result.ts';
import type { TruthEntry } from './batch.ts';

/**
 * true: the verdict is one of the true ones; listed: a true one is among its alternatives; nothing: no verdict, or one that
 * claims nothing; wrong: another cause. A false proof is also one of a group, or a connection, that the truth is silent of.
 */
export const KINDS = [
  'true',
  'listed',
  'nothing',
  'wrong possible',
  'wrong inferred',
  'FALSE PROOF',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Judged {
  kind: Kind;
  /** The rule claimed; '' for none. */
  claimed: string;
  scenario: string;
  group: string;
  ports: string;
  truth: string;
}

const CLAIM_NOTHING = new Set(['unexplained-reset', 'unanswered-syn', 'snapshot-too-late']);
/** What the programs do not decide: how soon the peer's ACK, FIN or RST came. The kernel's or the wire's own numbers say it. */
const BY_TIMING = new Set([
  'fin-wait1-aborted',
  'fin-with-ack',
  'fin-wait2-in-minisock',
  'delayed-ack-of-fin',
  'half-close',
  'simultaneous-close',
  'long-fin-wait2',
]);

interface Claim {
  rule: string;
  confidence: string;
  side: string;
  alternatives: readonly string[];
}

const portsKey = (a: number, b: number) => (a < b ? `${a} ${b}` : `${b} ${a}`);

/** ports → group → verdicts, of findings and of rows. */
function claimsOf({ findings, connections }: Result): Map<string, Map<string, Claim[]>> {
  const claims = new Map<string, Map<string, Claim[]>>();
  const of = (a: { port: number }, b: { port: number }, group: string) =>
    getOr(
      getOr(claims, portsKey(a.port, b.port), () => new Map<string, Claim[]>()),
      group,
      () => [],
    );
  for (const f of findings) if (f.role === 'verdict') of(f.client, f.server, f.group).push(f);
  for (const c of connections) {
    const rows = { close: c.closeRule, syn: c.synRule, 'fin-wait2': c.finWait2Rule, stuck: c.stuckRule };
    for (const [group, rule] of Object.entries(rows)) {
      const have = of(c.client, c.server, group);
      if (rule && !have.some((h) => h.rule === rule)) {
        const confidence = group === 'close' ? c.closeConfidence : 'possible';
        have.push({ rule, confidence, side: '', alternatives: [] });
      }
    }
  }
  return claims;
}

/** One claim against what is true; null: right or wrong cannot be told. */
function kindOf(claim: Claim, group: string, truth: readonly TruthEntry[]): Kind | null {
  const { rule, confidence, side, alternatives } = claim;
  const right = truth.flatMap((t) => t.rule);
  const known = truth.length > 0 || group !== 'fin-wait2' ? right : [...BY_TIMING];
  const sides = new Set(truth.filter((t) => t.rule.length === 1 && t.rule[0] === rule).map((t) => t.side));
  const otherSide =
    sides.size === 1 && !sides.has(null) && side !== '' && side !== 'path' && !sides.has(side as 'client');
  if (known.includes(rule)) return otherSide && confidence === 'proved' ? 'FALSE PROOF' : 'true';
  const listed = alternatives.some((r) => right.includes(r));
  const humble =
    CLAIM_NOTHING.has(rule) || (confidence !== 'proved' && truth.some((t) => t.maybe.includes(rule)));
  if (humble) return listed ? 'listed' : 'nothing';
  if (confidence === 'proved') return 'FALSE PROOF';
  if (truth.length === 0) return null;
  return listed ? 'listed' : confidence === 'inferred' ? 'wrong inferred' : 'wrong possible';
}

/** The worst that is claimed of one group of one connection; what is true beside it (a tuple used twice) does not count against. */
function worst(claims: readonly Claim[], group: string, truth: readonly TruthEntry[]): [Kind, string] {
  const kinds = claims.flatMap((c): [Kind, string][] => {
    const kind = kindOf(c, group, truth);
    return kind ? [[kind, c.rule]] : [];
  });
  const first = kinds.find(([k]) => k === 'FALSE PROOF') ?? kinds.find(([k]) => k === 'true');
  if (first) return first;
  if (kinds.length === 0) return [truth.some((t) => t.rule.includes('-')) ? 'true' : 'nothing', ''];
  return kinds.reduce((a, b) => (KINDS.indexOf(b[0]) > KINDS.indexOf(a[0]) ? b : a));
}

/** Every group of every connection of which something is known, and what is proved besides. */
export function judge(truth: readonly TruthEntry[], result: Result): Judged[] {
  const claims = claimsOf(result);
  const own = new Map<string, TruthEntry[]>();
  for (const t of truth)
    if (t.client_port) getOr(own, portsKey(t.client_port, t.server_port), () => []).push(t);
  const any = truth.filter((t) => t.client_port === 0);
  const judged: Judged[] = [];
  for (const ports of new Set([...own.keys(), ...claims.keys()])) {
    const numbers = ports.split(' ').map(Number);
    const known = own.get(ports) ?? any.filter((t) => numbers.includes(t.server_port));
    const said = claims.get(ports) ?? new Map<string, Claim[]>();
    for (const group of new Set([...known.map((t) => t.group), ...said.keys()])) {
      const entries = known.filter((t) => t.group === group);
      const [kind, claimed] = worst(said.get(group) ?? [], group, entries);
      if (entries.length === 0 && kind !== 'FALSE PROOF') continue;
      const block = truth.find((t) =>
        numbers.some((n) => Math.floor(n / 10) === Math.floor(t.server_port / 10)),
      );
      const rules = entries.flatMap((t) => t.rule).join('/') || 'nothing of this group';
      judged.push({ kind, claimed, scenario: block?.name ?? '?', group, ports, truth: rules });
    }
  }
  return judged;
}
