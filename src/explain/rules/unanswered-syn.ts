import type { Facts } from '../facts/facts.ts';
import { MAY_LACK_ANSWER } from '../mask.ts';
import { peerPackets, wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { traceroute } from '../procedures/icmp.ts';
import { gotSynAck, SILENCE_REMEDY, silenceSummary } from '../procedures/silence.ts';
import { isFiltered } from '../procedures/silent-syn.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { connectionsOf, howMany, toServers } from '../together.ts';
import { list, number } from '../words.ts';

const TRACED = 'the TTL of the SYN ran out on the way (ICMP time exceeded), as a traceroute means it to';
const TRACED_REMEDY =
  'Nothing is wrong where it was a traceroute; otherwise find out why the client sends SYNs with so small a TTL.';

/** What is said of each kind, in this order. */
const KINDS = {
  unanswered: ' got no SYN-ACK',
  filtered: ' showed no SYN-ACK, in files that hold nothing but SYNs',
  traced: `: ${TRACED}`,
  late: ' got a SYN-ACK only after retries',
};

function kindOf(f: Facts): string {
  if (traceroute(f).length > 0) return KINDS.traced;
  if (gotSynAck(f.world.context.cases, f.n)) return KINDS.late;
  return isFiltered(f) ? KINDS.filtered : KINDS.unanswered;
}

export const rule: Rule<'unanswered-syn', Candidate> = {
  id: 'unanswered-syn',
  group: 'syn',
  title: 'No SYN-ACK, or only after retries; nothing here says why',
  severity: 'warning',
  happened: 'showed no SYN-ACK, or one only after retries, and nothing here shows why',
  condition:
    'A SYN was sent again (or given up) because no SYN-ACK came; where it or its answer was lost, the evidence does not show.',
  when: MAY_LACK_ANSWER,
  closes: 'unanswered',
  factual: true,
  reference: 'tcp_retransmit_timer, tcp_syn_retries (ip-sysctl)',
  signatures: [
    { by: ['packets'], kernels: 'any', claims: 'possible', sign: 'SYNs without an answer' },
    { by: ['states'], kernels: '4.16+', claims: 'possible', sign: 'SYN_SENT for longer than a SYN waits' },
    { by: ['tables'], kernels: 'any', claims: 'possible', sign: 'SYN_SENT in a table' },
  ],
  by: synCandidates,
  tell: (f, c) => {
    const summary = silenceSummary(attemptOf(f), c.because());
    if (traceroute(f).length > 0) return { summary, remedy: TRACED_REMEDY, missing: [] };
    return {
      summary,
      remedy: SILENCE_REMEDY,
      missing: [...wanted('queue-at-syn', 'server'), ...wanted('drops', 'server'), ...peerPackets(f)],
    };
  },
  together: (all) => {
    const own = connectionsOf(all);
    const kinds = own.map(kindOf);
    const there = Object.values(KINDS).flatMap((kind) => {
      const n = kinds.filter((k) => k === kind).length;
      return n > 0 ? [{ n, kind }] : [];
    });
    if (there[0]!.n === own.length && there[0]!.kind === KINDS.traced)
      return `${howMany(all)}${toServers(all)}: ${TRACED}.`;
    const parts = there.map(({ n, kind }) => `${there.length > 1 ? number(n) : ''}${kind}`.trimStart());
    const who = `${howMany(all)}${toServers(all)}${parts.length > 1 ? ':' : ''}`;
    return `${who} ${list(parts)}; nothing here shows where the SYNs or their answers were lost.`;
  },
};
