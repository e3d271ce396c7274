import { MAY_LACK_ANSWER } from '../mask.ts';
import { peerPackets, wanted } from '../missing.ts';
import { type Candidate, leading } from '../procedures/candidate.ts';
import { traceroute } from '../procedures/icmp.ts';
import { gotSynAck, SILENCE_REMEDY, silenceSummary } from '../procedures/silence.ts';
import { attemptOf, isFiltered, silentSyn, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { connectionsOf, howMany, toServers } from '../together.ts';
import { list, number } from '../words.ts';

const TRACED = 'the TTL of the SYN ran out on the way (ICMP time exceeded), as a traceroute means it to';
const TRACED_REMEDY =
  'Nothing is wrong where it was a traceroute; otherwise find out why the client sends SYNs with so small a TTL.';

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
  decide: (f) => {
    const c = leading(synCandidates(f), 'unanswered-syn');
    if (c && (c.severity || !silentSyn(f)?.overdue)) c.severity = 'info';
    return c;
  },
  tell: (f, c) => {
    const summary = silenceSummary(attemptOf(f), c.because());
    if (traceroute(f).length > 0) return { summary, remedy: TRACED_REMEDY, missing: [] };
    return {
      summary,
      remedy: SILENCE_REMEDY,
      missing: [...wanted('queue-at-syn', 'server'), ...peerPackets(f)],
    };
  },
  together: (all) => {
    const traced = connectionsOf(all).filter((f) => traceroute(f).length > 0).length;
    if (traced === connectionsOf(all).length) return `${howMany(all)}${toServers(all)}: ${TRACED}.`;
    const late = connectionsOf(all).filter((f) => gotSynAck(f.world.context.cases, f.n)).length;
    const never = connectionsOf(all).length - late - traced;
    const not = connectionsOf(all).some(isFiltered)
      ? 'showed no SYN-ACK, in files that hold nothing but SYNs'
      : 'got no SYN-ACK';
    const parts = [
      ...(never > 0 ? [`${late + traced > 0 ? `${number(never)} ` : ''}${not}`] : []),
      ...(traced > 0 ? [`${number(traced)}: ${TRACED}`] : []),
      ...(late > 0
        ? [`${never + traced > 0 ? `${number(late)} ` : ''}got a SYN-ACK only after retries`]
        : []),
    ];
    const who = `${howMany(all)}${toServers(all)}${parts.length > 1 ? ':' : ''}`;
    return `${who} ${list(parts)}; nothing here shows where the SYNs or their answers were lost.`;
  },
};
