/**
 * How sure a finding may be at most, whatever its rule says. Between the hosts stands something: a NAT in user space or a
 * proxy acknowledges and closes for its host, so packets alone prove nothing of the process behind. And Linux's own ways
 * are claimed of Linux only. Of a capture with holes nothing that the missing frame would change is claimed as likely.
 */

import { CLIENT, SERVER } from '../model/connection.ts';
import { CONFIDENCE_ORDER, type Confidence } from '../model/finding.ts';
import { CAPTURES } from '../model/source.ts';
import type { Stack } from '../model/stack.ts';
import { type Citation, reasoning } from './facts/evidence.ts';
import type { Facts } from './facts/facts.ts';
import type { Rule, Verdict } from './rule.ts';

/** Formats of counters that only Linux has; whose they are the rule has asked. */
const COUNTERS: ReadonlySet<string> = new Set(['nstat', 'netstat-s', 'bundle-counters']);

/** A verdict, no surer than its evidence and the host it speaks of admit. */
export function limited(
  facts: Facts,
  rule: Rule,
  verdict: Verdict,
): Pick<Verdict, 'confidence' | 'evidence'> {
  const { confidence, evidence } = verdict;
  if (confidence === 'possible') return { confidence, evidence };
  const counted = rule.linuxOnly && cites(facts, evidence, (format) => COUNTERS.has(format));
  const stack = rule.linuxOnly && !counted ? stackOf(facts, verdict) : 'linux';
  const proves = rule.wireProves || cites(facts, evidence, (format) => !CAPTURES.has(format));
  const isHoled = !proves && (rule.closes === 'rst' || rule.group === 'syn') && lacksFrames(facts, evidence);
  const most = stack !== 'linux' || isHoled ? 'possible' : proves ? 'proved' : 'inferred';
  if (rank(confidence) >= rank(most)) return { confidence, evidence };
  const note =
    stack !== 'linux' ? [reasoning(() => whose(facts, verdict, stack))] : isHoled ? [reasoning(HOLED)] : [];
  return { confidence: most, evidence: [...evidence, ...note] };
}

const HOLED =
  'the capture lacks frames, lost or filtered out: of several connections what was acknowledged is not in it, and so it may be of this one';

/** Where a packet that is not there would tell another cause. */
function lacksFrames({ world }: Facts, evidence: readonly Citation[]): boolean {
  const sources = new Set(evidence.flatMap((e) => (e.source === null ? [] : [e.source - 1])));
  return [...sources].some((source) => world.captures.lacksFrames(source));
}

/** Something of the evidence is of a source of such a format; sources are numbered from 1. */
function cites(
  { world }: Facts,
  evidence: readonly Citation[],
  isSuch: (format: string) => boolean,
): boolean {
  return evidence.some((e) => e.source !== null && isSuch(world.source(e.source - 1).format));
}

/** 0 for what is proved. */
function rank(confidence: Confidence): number {
  return CONFIDENCE_ORDER.indexOf(confidence);
}

/** Of the host whose doing it is; where that is nobody's, Linux is not in question. */
function stackOf(facts: Facts, { side }: Verdict): Stack {
  return side === 'path' ? 'linux' : facts.stack(side === 'client' ? CLIENT : SERVER);
}

function whose(facts: Facts, { side }: Verdict, stack: Stack): string {
  const name = facts.name(side === 'client' ? CLIENT : SERVER);
  return stack === 'unknown'
    ? `nothing shows that ${name} runs Linux, whose behaviour this would be`
    : `the SYN of ${name} is not one of Linux, whose behaviour this would be`;
}
