import { formatEndpoint } from '../../model/address.ts';
import { SERVER } from '../../model/connection.ts';
import type { Facts } from '../facts/facts.ts';
import { REQUEST_LIFE } from '../facts/timing.ts';
import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';
import { ACCEPT_REMEDY } from './accept-queue-overflow-syn.ts';

export const rule: Rule<'request-expired-reset', Candidate> = {
  id: 'request-expired-reset',
  group: 'syn',
  title: 'Half-open connection expired: RST to a client that thought it was connected',
  severity: 'error',
  happened: 'were reset because the server had given up the half-open connection',
  condition:
    'A half-open connection (a request socket in the kernel) whose ACK was never taken expired (tcp_synack_retries, or earlier in a crowded SYN queue); the next segment of the client then meets the listener.',
  when: MAY_BE_RESET,
  closes: 'rst',
  linuxOnly: true,
  reference: 'reqsk_timer_handler (net/ipv4/inet_connection_sock.c), tcp_v4_do_rcv in LISTEN',
  signatures: [
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'reqsk_timer_handler had removed the half-open connection, then a RST by the listener',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'SYN-ACKs sent again after the ACK, then a bare RST 3 s later or more, not before the next was due',
    },
    {
      by: ['states', 'drops'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: '→ CLOSE at the moment of a retransmission, after SYN-ACKs that the client had dropped',
    },
    {
      by: ['states'],
      kernels: '4.16+',
      claims: 'possible',
      sign: '→ CLOSE at the moment of a retransmission',
    },
  ],
  namesReset: true,
  by: resetCandidates,
  tell: (f, c) => ({
    summary:
      `${f.name(SERVER)} reset the connection from ${formatEndpoint(f.case.client)}, ${MAYBE}because it had already ` +
      `given up the handshake that the client thought complete: ${c.because()}.${early(f)}`,
    remedy: `${ACCEPT_REMEDY} A client that needs to know should expect an answer of the application, not only a connect() that succeeds.`,
    missing: [
      ...wanted('request-removed', 'server'),
      ...wanted('reset-reason', 'server'),
      ...wanted('synack-retries', 'server'),
    ],
  }),
};

/** By default a half-open connection lives for 63 s; say what it takes to be forgotten sooner. */
function early(f: Facts): string {
  const elapsed = f.life(0)?.finWait1 ?? null;
  if (elapsed === null || elapsed >= REQUEST_LIFE) return '';
  const retries = f.sysctl(SERVER, 'net.ipv4.tcp_synack_retries');
  return retries === null
    ? ' A half-open connection lives for 63 s by default; tcp_synack_retries below 5 (2 gives 7 s) or a crowded SYN queue ends it sooner.'
    : ` With tcp_synack_retries=${retries} a half-open connection lives for ${2 ** (retries + 1) - 1} s.`;
}
