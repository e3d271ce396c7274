import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';

export const rule: Rule<'unexplained-reset', Candidate> = {
  id: 'unexplained-reset',
  group: 'close',
  title: 'Reset, and nothing here says why',
  severity: 'warning',
  happened: 'were reset, and nothing here says why',
  condition:
    'A connection went from a live state straight to its end, and the evidence fits several causes alike.',
  when: MAY_BE_RESET,
  closes: 'rst',
  factual: true,
  reference: 'tcp_reset, tcp_send_active_reset, tcp_v4_send_reset',
  signatures: [
    {
      by: ['states'],
      kernels: '4.16+',
      claims: 'possible',
      sign: 'a live state → CLOSE outside its process',
    },
    { by: ['packets'], kernels: 'any', claims: 'possible', sign: 'a RST of a shape that tells nothing' },
  ],
  by: resetCandidates,
  tell: (_f, c) => ({
    summary: `${c.because()}.`,
    remedy:
      'Record it again with `tcpautopsy capture` on both hosts; until then check the alternatives, the most likely first.',
    missing: [...wanted('packets', c.side), ...wanted('reset-reason', c.side), ...wanted('states', c.side)],
  }),
};
