import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { lateAnswer } from '../procedures/late-answer.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'data-after-close-reset', Candidate> = {
  id: 'data-after-close-reset',
  group: 'close',
  title: 'Data after close(): RST',
  severity: 'warning',
  happened: 'were reset because data came for a socket that its process had closed',
  condition:
    'In FIN_WAIT1 or FIN_WAIT2, with the receiving side shut (close(), or shutdown(SHUT_RDWR)), a segment carried new data.',
  when: MAY_BE_RESET,
  closes: 'rst',
  reference: 'tcp_rcv_state_process (TCP_ABORT_ON_DATA), RFC 1122 §4.2.2.13',
  signatures: [
    {
      by: ['reasons'],
      kernels: '6.10+',
      claims: 'proved',
      sign: 'reason TCP_ABORT_ON_DATA for a packet with payload',
    },
    {
      by: ['states', 'functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_v4_send_reset for a packet with payload, the socket in CLOSE from FIN_WAIT',
    },
    {
      by: ['states', 'fields'],
      kernels: '5.5+ with BTF',
      claims: 'proved',
      sign: 'the same from tcp_send_reset of a full socket, on kernels that name no reason',
    },
    {
      by: ['states', 'packets'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'a bare RST answers data while the full socket was in FIN_WAIT1 or FIN_WAIT2',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a bare RST answers data before the FIN was acknowledged; after that it is possible',
    },
  ],
  by: resetCandidates,
  tell: (f, c) => {
    const late = c.side === 'client' ? lateAnswer(f) : null;
    return {
      summary: `${sideEndpoint(f, c.side)} reset the connection, ${MAYBE}because data came after its process had closed: ${c.because()}.${late?.told ?? ''}`,
      remedy:
        late?.remedy ??
        'The side that closes should shut down only its sending side and read until the end of file. ' +
          "Between an HTTP client and a server this is most often the race of idle timeouts: make the client's shorter than the server's.",
      missing: [...wanted('reset-reason', c.side), ...wanted('states', c.side)],
    };
  },
};
