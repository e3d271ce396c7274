import { FIN_SEEN, ODD_STATES } from '../mask.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { finCandidatesFor } from '../procedures/fin.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'simultaneous-close', Candidate> = {
  id: 'simultaneous-close',
  group: 'fin-wait2',
  title: 'Both sides closed at once: CLOSING instead of FIN_WAIT2',
  severity: 'info',
  happened: 'were closed by both sides at the same time',
  condition: "Each side had sent its FIN before it got the other's.",
  when: FIN_SEEN | ODD_STATES,
  wireProves: true,
  reference: 'tcp_fin (FIN_WAIT1 → CLOSING), RFC 9293 §3.6',
  signatures: [
    { by: ['packets'], kernels: 'any', claims: 'proved', sign: 'neither FIN acknowledges the other' },
    { by: ['states'], kernels: '4.16+', claims: 'proved', sign: 'FIN_WAIT1 → CLOSING' },
  ],
  decide: (f) => finCandidatesFor(f, 'simultaneous-close')[0]?.[0] ?? null,
  tell: (_f, c) => ({
    summary: `Both sides ${MAYBE}closed at the same time: ${c.because()}. Such a close has no FIN_WAIT2.`,
    remedy: 'No action needed.',
  }),
};
