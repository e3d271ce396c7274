import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'bad-syn-ack-reset', Candidate> = {
  id: 'bad-syn-ack-reset',
  group: 'close',
  title: 'Answer to the SYN had the wrong numbers: RST',
  severity: 'warning',
  happened: 'had the answer to the SYN reset, because its numbers were not those of the SYN',
  condition:
    'In SYN_SENT a segment acknowledged what was never sent, or echoed a timestamp that was never sent.',
  when: MAY_BE_RESET,
  closes: 'rst',
  reference: 'tcp_rcv_synsent_state_process (net/ipv4/tcp_input.c), RFC 9293 §3.10.7.3',
  signatures: [
    {
      by: ['reasons'],
      kernels: '6.10+',
      claims: 'proved',
      sign: 'reason TCP_INVALID_ACK_SEQUENCE or TCP_RFC7323_PAWS in SYN_SENT',
    },
    {
      by: ['fields'],
      kernels: '4.16+ with BTF',
      claims: 'proved',
      sign: 'tcp_send_reset in SYN_SENT in answer to a packet',
    },
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_v4_send_reset in SYN_SENT',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a bare RST answers an ACK of a number that the SYN had not sent',
    },
  ],
  by: resetCandidates,
  tell: (f, c) => ({
    summary: `${sideEndpoint(f, c.side)} reset the answer to its SYN, ${MAYBE}because the answer had the wrong numbers: ${c.because()}.`,
    remedy:
      'What answered still holds an older connection or an older SYN of the same ports, or is a device that answers for the server (SYN proxy, load balancer). ' +
      'Usually the next SYN succeeds; if not, the RST does not get there. Look for a NAT that reuses ports quickly, and for a second host with the address of the server.',
    missing: wanted('reset-reason', c.side),
  }),
};
