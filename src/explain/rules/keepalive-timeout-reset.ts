import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'keepalive-timeout-reset', Candidate> = {
  id: 'keepalive-timeout-reset',
  group: 'close',
  title: 'Keepalive probes went unanswered: RST',
  severity: 'error',
  happened: 'were reset because the peer answered no keepalive probe',
  condition: 'tcp_keepalive_probes probes (or TCP_USER_TIMEOUT) went by without an answer.',
  when: MAY_BE_RESET,
  closes: 'rst',
  reference: 'tcp_keepalive_timer (net/ipv4/tcp_timer.c), RFC 1122 §4.2.3.6',
  signatures: [
    { by: ['reasons'], kernels: '6.12+', claims: 'proved', sign: 'reason TCP_KEEPALIVE_TIMEOUT' },
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'proved',
      sign: 'sk_err ETIMEDOUT at the step to CLOSE, and a RST in a live state (a retransmission timeout sends none)',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'two or more unanswered probes below snd_nxt, then RST|ACK; after one it is possible',
    },
  ],
  by: resetCandidates,
  tell: (f, c) => ({
    summary: `${sideEndpoint(f, c.side)} reset the connection, ${MAYBE}because its keepalive probes went unanswered: ${c.because()}.`,
    remedy:
      'Look at the path and the peer: a NAT or firewall that forgets idle connections (set the keepalive time below its timeout), or a host that is gone.',
    missing: wanted('reset-reason', c.side),
  }),
};
