import { STATES } from '../mask.ts';
import { wanted } from '../missing.ts';
import { type Candidate, leading } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { finCandidatesFor } from '../procedures/fin.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'time-wait-overflow', Candidate> = {
  id: 'time-wait-overflow',
  group: 'fin-wait2',
  title: 'No room for a timewait socket: connection forgotten at once',
  severity: 'error',
  happened: 'were forgotten at once, because there was no room for a timewait socket',
  condition:
    'There were tcp_max_tw_buckets timewait sockets already (or no memory): none was made, and the socket was closed.',
  when: STATES,
  linuxOnly: true,
  reference: 'tcp_time_wait → inet_twsk_alloc (net/ipv4/inet_timewait_sock.c)',
  signatures: [
    { by: ['log'], kernels: 'any', claims: 'proved', sign: '`time wait bucket table overflow`' },
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'inet_twsk_alloc gave nothing',
    },
    {
      by: ['states', 'packets', 'counters'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'FIN_WAIT2 → CLOSE at once, TCPTimeWaitOverflow rose, and a RST to what came next',
    },
    {
      by: ['fields', 'counters'],
      kernels: '5.5+ with BTF',
      claims: 'possible',
      sign: 'handed over (SOCK_DEAD, not SOCK_DONE), and TCPTimeWaitOverflow rose',
    },
    {
      by: ['states', 'counters'],
      kernels: '4.16+',
      claims: 'possible',
      sign: 'FIN_WAIT2 → CLOSE at once, and TCPTimeWaitOverflow rose',
    },
  ],
  decide: (f) =>
    finCandidatesFor(f, 'time-wait-overflow').flatMap((list) => leading(list, 'time-wait-overflow') ?? []),
  tell: (f, c) => ({
    summary: `${sideEndpoint(f, c.side)} kept nothing of the connection after its FIN was acknowledged, ${MAYBE}because there was no room for a timewait socket: ${c.because()}.`,
    remedy:
      'Raise net.ipv4.tcp_max_tw_buckets, or let the clients close first so that TIME_WAIT falls to them.',
    missing: wanted('minisock', c.side),
  }),
};
