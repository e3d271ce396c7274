import { resetReason } from '../missing.ts';
import { leading } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';

export const rule: Rule = {
  id: 'socket-destroy-reset',
  group: 'close',
  title: 'Killed from outside (ss -K): RST',
  severity: 'warning',
  happened: 'were killed from outside their process (ss -K)',
  condition:
    'SOCK_DESTROY through netlink (ss -K) or BPF, or the end of a network namespace, aborted the socket.',
  needs: ['states', 'packets'],
  reference: 'tcp_abort (net/ipv4/tcp.c), ss(8) -K',
  explain: (f) =>
    leading(resetCandidates(f), 'socket-destroy-reset', (c) => ({
      summary: `The socket of ${sideEndpoint(f, c.side)} was killed from outside its process: ${c.because}.`,
      remedy:
        'Find out who runs ss -K or another socket killer on that host; the program itself did nothing.',
      missing: [resetReason(c.side)],
    })),
};
