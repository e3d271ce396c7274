import { formatEndpoint } from '../../model/address.ts';
import { SERVER } from '../../model/connection.ts';
import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';
import { ACCEPT_REMEDY } from './accept-queue-overflow-syn.ts';

export const rule: Rule<'abort-on-overflow-reset', Candidate> = {
  id: 'abort-on-overflow-reset',
  group: 'syn',
  title: 'Accept queue full, tcp_abort_on_overflow=1: RST at the handshake',
  severity: 'error',
  happened: 'were reset at the handshake, because the accept queue was full and tcp_abort_on_overflow is 1',
  condition:
    'The accept queue was full when the ACK of the handshake came, and net.ipv4.tcp_abort_on_overflow is 1.',
  when: MAY_BE_RESET,
  closes: 'rst',
  linuxOnly: true,
  reference: 'tcp_check_req (embryonic_reset), ip-sysctl tcp_abort_on_overflow',
  signatures: [
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_v4_syn_recv_sock returned nothing with the queue full, and a RST to the same packet',
    },
    {
      by: ['reasons'],
      kernels: '6.10+',
      claims: 'proved',
      sign: 'reason INVALID_SYN by the listener for a packet that is no SYN',
    },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a bare RST answers the very ACK of the handshake, tcp_abort_on_overflow is 1, ListenOverflows rose',
    },
    {
      by: ['packets', 'tables'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'the same with a full queue in a table',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'a bare RST answers the very ACK of the handshake',
    },
    {
      by: ['states'],
      kernels: '4.16+',
      claims: 'possible',
      sign: 'the client → CLOSE at once, and the queue may have been full',
    },
  ],
  namesReset: true,
  by: resetCandidates,
  tell: (f, c) => ({
    summary: `${f.name(SERVER)} reset the connection from ${formatEndpoint(f.case.client)} at the handshake, ${MAYBE}because its accept queue was full: ${c.because()}.`,
    remedy: `${ACCEPT_REMEDY} With tcp_abort_on_overflow=0 clients are not reset but wait and retry.`,
    missing: [...wanted('queue-at-ack', 'server'), ...wanted('reset-reason', 'server')],
  }),
};
