import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import type { FindingSide } from '../../model/finding.ts';
import { getOr } from '../../model/get-or.ts';
import { type Wording, worded } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { byName } from '../memo.ts';
import type { RuleId } from '../rules/index.ts';
import type { Candidate } from './candidate.ts';

export const SIDE_NAMES: readonly ['client', 'server'] = ['client', 'server'];

export function otherSide(side: SideIndex): SideIndex {
  return side === 0 ? 1 : 0;
}

/** Candidates that are only names: they fit, and nothing speaks for them. The same object for the same words. */
export function named(rules: readonly RuleId[], side: FindingSide): Candidate[] {
  const names = namesOf(side);
  return rules.map((rule) =>
    getOr(names, rule, () => ({
      rule,
      side,
      confidence: 'possible',
      because: () => '',
      moment: null,
      evidence: [],
    })),
  );
}

const namesOf = byName((_side) => new Map<RuleId, Candidate>());

/** Makes candidates that share side, moment and evidence. */
export function maker({ side, moment, evidence }: Pick<Candidate, 'side' | 'moment' | 'evidence'>) {
  return (rule: RuleId, confidence: Candidate['confidence'], because: Wording): Candidate => ({
    rule,
    side,
    confidence,
    because: () => worded(because),
    moment,
    evidence,
  });
}

export type Make = ReturnType<typeof maker>;

/** `client 10.0.0.1:4242` for a finding's side; `the path` where no end is to blame. */
export function sideEndpoint(f: Facts, side: FindingSide): string {
  if (side === 'path') return 'a firewall or device between the two sockets';
  return f.name(side === 'client' ? CLIENT : SERVER);
}

/** How much TCPTimeWaitOverflow rose after the side's FIN, while the connection was seen; null when no readings tell. */
export function timeWaitOverflow(f: Facts, side: SideIndex): number | null {
  const [begin, end] = f.extent;
  const sent = f.wire?.finTime(side) ?? null;
  const from = f.wire && sent !== null ? f.world.momentOf({ source: f.wire.wire.source, time: sent }) : begin;
  const rise = f.rise(side, 'TCPTimeWaitOverflow', [[from, end]]);
  return rise && (rise.sum > 0 || rise.covered) ? rise.sum : null;
}
