import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'socket-destroy-reset', Candidate> = {
  id: 'socket-destroy-reset',
  group: 'close',
  title: 'Destroyed with ss -K: RST',
  severity: 'warning',
  happened: 'were destroyed from outside their process (ss -K)',
  condition:
    'SOCK_DESTROY through netlink (ss -K) or BPF, or the end of a network namespace, aborted the socket.',
  when: MAY_BE_RESET,
  closes: 'rst',
  linuxOnly: true,
  reference: 'tcp_abort (net/ipv4/tcp.c), ss(8) -K',
  signatures: [
    { by: ['functions'], kernels: '5.5+ with fentry, or kprobes', claims: 'proved', sign: 'tcp_abort on it' },
    {
      by: ['reasons'],
      kernels: '6.12+',
      claims: 'proved',
      sign: 'reason TCP_STATE in a live state other than FIN_WAIT2',
    },
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'proved',
      sign: 'sk_err ECONNABORTED at the step to CLOSE, and a RST in a live state',
    },
    { by: ['states'], kernels: '4.16+', claims: 'inferred', sign: 'a live state → CLOSE in the process ss' },
  ],
  by: resetCandidates,
  tell: (f, c) => ({
    summary: `The socket of ${sideEndpoint(f, c.side)} was ${MAYBE}destroyed from outside its process: ${c.because()}.`,
    remedy:
      'Find out what runs `ss -K` or another socket killer on that host, or whether a container or network namespace ended at that time; the program itself did nothing.',
    missing: [...wanted('destroyed', c.side), ...wanted('reset-reason', c.side)],
  }),
};
