import { MAY_LACK_ANSWER } from '../mask.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'syn-lost-on-path', Candidate> = {
  id: 'syn-lost-on-path',
  group: 'syn',
  title: 'SYN lost on the way to the server',
  severity: 'warning',
  happened: 'had SYNs lost on the way, between the two captures',
  condition: 'A SYN was sent and did not reach the other capture, which was running.',
  when: MAY_LACK_ANSWER,
  closes: 'unanswered',
  reference: 'kernel-notes §3, SYN timings; RFC 6298',
  signatures: [
    {
      by: ['captures'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a SYN in the capture nearer to the client and not in the other',
    },
  ],
  by: synCandidates,
  tell: (f, c) => ({
    summary: `${attemptOf(f)}; the SYN was ${MAYBE}lost on the way: ${c.because()}.`,
    remedy:
      'Look at what lies between the two captures: firewalls, load balancers, routes, losses of devices (`ip -s link`). Captures at more places narrow it down.',
    missing: [],
  }),
};
