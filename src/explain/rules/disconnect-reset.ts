import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'disconnect-reset', Candidate> = {
  id: 'disconnect-reset',
  group: 'close',
  title: 'connect(AF_UNSPEC): RST, and the descriptor stays open',
  severity: 'warning',
  happened: 'were reset by connect(AF_UNSPEC), which keeps the descriptor',
  condition:
    'The process called connect() with AF_UNSPEC on a connected socket: tcp_disconnect sends a RST, and the same socket can connect again.',
  when: MAY_BE_RESET,
  closes: 'rst',
  linuxOnly: true,
  reference: 'tcp_disconnect (net/ipv4/tcp.c), connect(2)',
  signatures: [
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'proved',
      sign: 'a live state → CLOSE with a RST of its own, and sk_shutdown not 3: no close() and no listener',
    },
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_disconnect on it, without tcp_close',
    },
    {
      by: ['packets', 'counters', 'states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'no Abort counter rose, and the same process connected the socket again',
    },
    { by: ['states', 'counters'], kernels: '4.16+', claims: 'inferred', sign: 'the same without packets' },
    { by: ['packets'], kernels: 'any', claims: 'possible', sign: 'RST|ACK with a window' },
    { by: ['states'], kernels: '4.16+', claims: 'possible', sign: 'a live state → CLOSE in its own process' },
  ],
  by: resetCandidates,
  tell: (f, c) => ({
    summary: `${sideEndpoint(f, c.side)} reset the connection, ${MAYBE}because its process called connect(AF_UNSPEC): ${c.because()}.`,
    remedy:
      'Close the socket and open a new one instead of connect(AF_UNSPEC), or shut down and read to the end of file before.',
    missing: [...wanted('disconnected', c.side), ...wanted('reset-reason', c.side)],
  }),
};
