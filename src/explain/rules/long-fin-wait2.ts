import { STATES } from '../mask.ts';
import { wanted } from '../missing.ts';
import { type Candidate, leading } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { finCandidatesFor } from '../procedures/fin.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'long-fin-wait2', Candidate> = {
  id: 'long-fin-wait2',
  group: 'fin-wait2',
  title: 'FIN_WAIT2 on an orphaned socket: tcp_fin_timeout above 60 s',
  severity: 'info',
  happened: 'stayed in FIN_WAIT2 as full sockets, because tcp_fin_timeout is above 60 s',
  condition:
    'The process had closed, but tcp_fin_timeout (or TCP_LINGER2) is longer than 60 s: the socket itself stays in FIN_WAIT2 under the keepalive timer for the time above 60 s.',
  when: STATES,
  linuxOnly: true,
  reference: 'tcp_rcv_state_process, tcp_fin_time (tmo > TCP_TIMEWAIT_LEN)',
  signatures: [
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'inferred',
      sign: 'SOCK_DEAD at FIN_WAIT1 → FIN_WAIT2, and a stay of the full socket',
    },
    {
      by: ['states', 'tables'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'a long FIN_WAIT2, and a table that shows it without a process',
    },
    {
      by: ['states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'close() in FIN_WAIT1, then a long FIN_WAIT2; else possible',
    },
    {
      by: ['states', 'packets'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: "it left FIN_WAIT2 before the peer's FIN",
    },
  ],
  decide: (f) =>
    finCandidatesFor(f, 'long-fin-wait2').flatMap((list) => leading(list, 'long-fin-wait2') ?? []),
  tell: (f, c) => ({
    summary: `${sideEndpoint(f, c.side)} stayed in FIN_WAIT2 as a full socket after its process had closed, ${MAYBE}because tcp_fin_timeout is above 60 s: ${c.because()}.`,
    remedy:
      'net.ipv4.tcp_fin_timeout above 60 s costs memory for nothing; 60 s or less is enough unless a program asks for more.',
    missing: wanted('minisock', c.side),
  }),
};
