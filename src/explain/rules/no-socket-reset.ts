import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'no-socket-reset', Candidate> = {
  id: 'no-socket-reset',
  group: 'close',
  title: 'RST: the socket no longer existed',
  severity: 'warning',
  happened: 'were reset because the socket no longer existed',
  condition: 'A packet other than a SYN matched no socket, no half-open connection and no timewait socket.',
  when: MAY_BE_RESET,
  closes: 'rst',
  reference: 'tcp_v4_rcv (no_tcp_socket) → tcp_v4_send_reset',
  signatures: [
    {
      by: ['reasons', 'states'],
      kernels: '6.10+',
      claims: 'proved',
      sign: 'reason NO_SOCKET, and the socket had ended before, not in FIN_WAIT2',
    },
    {
      by: ['functions', 'states'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_v4_send_reset without a socket, and the same',
    },
    {
      by: ['packets', 'states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'a bare RST, and the client had given up, or its listener was closed before',
    },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a bare RST to a FIN soon after its own, and TCPTimeWaitOverflow rose',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a bare RST after a burst of RSTs of a closed listener; else possible',
    },
  ],
  by: resetCandidates,
  tell: (f, c) => ({
    summary: `${sideEndpoint(f, c.side)} answered with a RST, ${MAYBE}because its socket no longer existed: ${c.because()}.`,
    remedy:
      'Find out what removed the socket silently: a reboot or failover, a timeout that sends nothing (tcp_retries2, keepalive), ' +
      'a load balancer or NAT that sent the packet to another host, or a process that gave up before.',
    missing: wanted('reset-reason', c.side),
  }),
};
