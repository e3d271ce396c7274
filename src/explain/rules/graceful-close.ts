import { FIN_SEEN, ORDERLY, STATES } from '../mask.ts';
import { type Graceful, gracefulClose } from '../procedures/graceful.ts';
import type { Rule } from '../rule.ts';

export const rule: Rule<'graceful-close', Graceful> = {
  id: 'graceful-close',
  group: 'close',
  title: 'Closed normally (FIN from both sides)',
  severity: 'info',
  happened: 'were closed normally',
  condition: 'Both sides sent FIN and both FINs were acknowledged.',
  when: ORDERLY | FIN_SEEN | STATES,
  closes: 'fin',
  normal: true,
  wireProves: true,
  reference: 'RFC 9293 §3.6; tcp_close_state, tcp_fin',
  signatures: [
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'proved',
      sign: 'both FINs, each acknowledged, no RST before',
    },
    {
      by: ['states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'FIN_WAIT2 or CLOSING → CLOSE of one side, LAST_ACK → CLOSE of the other',
    },
  ],
  decide: gracefulClose,
  tell: (_f, { summary, missing }) => ({ summary: `${summary()}.`, remedy: '', missing: missing?.() ?? [] }),
};
