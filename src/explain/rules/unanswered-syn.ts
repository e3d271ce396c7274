import { MAY_LACK_ANSWER } from '../mask.ts';
import { peerPackets, wanted } from '../missing.ts';
import { leading } from '../procedures/candidate.ts';
import { SILENCE_REMEDY, silenceSummary } from '../procedures/silence.ts';
import { describeAttempt, silentSyn, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { servers } from '../together.ts';
import { count } from '../words.ts';

export const rule: Rule = {
  id: 'unanswered-syn',
  group: 'syn',
  title: 'SYN without an answer, and nothing here says why',
  severity: 'warning',
  happened: 'had to send the SYN again or had no answer, and nothing here shows where it was lost',
  condition:
    'A SYN was sent again (or given up) because no SYN-ACK came; where it or its answer was lost, the evidence does not show.',
  when: MAY_LACK_ANSWER,
  reference: 'tcp_retransmit_timer, tcp_syn_retries (ip-sysctl)',
  signatures: [
    { by: ['packets'], kernels: 'any', claims: 'possible', sign: 'SYNs without an answer' },
    { by: ['states'], kernels: '4.16+', claims: 'possible', sign: 'SYN_SENT for longer than a SYN waits' },
    { by: ['tables'], kernels: 'any', claims: 'possible', sign: 'SYN_SENT in a table' },
  ],
  explain: (f) =>
    leading(synCandidates(f), 'unanswered-syn', (c) => ({
      summary: silenceSummary(describeAttempt(f, silentSyn(f)!), c.because),
      remedy: SILENCE_REMEDY,
      missing: [...wanted('queue-at-syn', 'server'), ...peerPackets(f)],
      ...(silentSyn(f)!.overdue ? {} : { severity: 'info' }),
    })),
  together: (all) =>
    `${count(all.length, 'connection')} to ${servers(all)} had to send the SYN again or had no answer at all, and nothing here shows where it was lost.`,
};
