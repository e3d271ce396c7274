import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'fin-wait2-expired-reset', Candidate> = {
  id: 'fin-wait2-expired-reset',
  group: 'close',
  title: 'FIN_WAIT2 had expired before the peer closed: RST',
  severity: 'warning',
  happened: 'were reset because the peer sent again after FIN_WAIT2 had expired',
  condition:
    'FIN_WAIT2 of a closed connection was given up after tcp_fin_timeout (or TCP_LINGER2) silently; what the peer sends later meets no socket.',
  when: MAY_BE_RESET,
  closes: 'rst',
  linuxOnly: true,
  reference: 'inet_twsk_kill, tcp_keepalive_timer (net/ipv4), tcp(7) tcp_fin_timeout',
  signatures: [
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'inet_twsk_kill in substate FIN_WAIT2 that no packet brought about, then a RST to a later packet',
    },
    {
      by: ['reasons', 'fields'],
      kernels: '6.10+',
      claims: 'inferred',
      sign: 'FIN_WAIT2 handed over (SOCK_DEAD, not SOCK_DONE), reason NO_SOCKET later than FIN_WAIT2 lasts at least, TCPTimeWaitOverflow unmoved',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a bare RST answers the peer later than tcp_fin_timeout after the ACK of the FIN',
    },
    {
      by: ['packets', 'tables'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a bare RST answers a FIN, and a table had shown FIN_WAIT2 without a process',
    },
  ],
  by: resetCandidates,
  tell: (f, c) => ({
    summary: `${sideEndpoint(f, c.side)} answered with a RST, ${MAYBE}because its FIN_WAIT2 had expired: ${c.because()}.`,
    remedy:
      'Find out why the peer kept its side open for so long: a descriptor leak, or a process that does not read the end of file. Raising net.ipv4.tcp_fin_timeout only hides it.',
    missing: [...wanted('reset-reason', c.side), ...wanted('minisock', c.side)],
  }),
};
