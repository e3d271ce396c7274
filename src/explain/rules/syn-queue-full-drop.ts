import { MAY_LACK_ANSWER } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'syn-queue-full-drop', Candidate> = {
  id: 'syn-queue-full-drop',
  group: 'syn',
  title: 'SYN queue full and SYN cookies off: SYN dropped',
  severity: 'error',
  happened: 'had SYNs dropped because the SYN queue was full and SYN cookies are off',
  condition: 'The SYN queue was full and net.ipv4.tcp_syncookies is 0.',
  when: MAY_LACK_ANSWER,
  closes: 'unanswered',
  linuxOnly: true,
  reference: 'tcp_conn_request → tcp_syn_flood_action (net/ipv4/tcp_input.c)',
  signatures: [
    { by: ['log'], kernels: 'any', claims: 'proved', sign: '`Possible SYN flooding … Dropping request`' },
    {
      by: ['functions', 'counters'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_conn_request found more half-open connections than the backlog, tcp_syncookies is 0, TCPReqQFullDrop rose; or tcp_syn_flood_action gave no cookie',
    },
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_syn_flood_action gave no cookie',
    },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'SYNs without an answer, and TCPReqQFullDrop rose',
    },
    { by: ['states', 'counters'], kernels: '4.16+', claims: 'inferred', sign: 'the same in SYN_SENT' },
  ],
  by: synCandidates,
  tell: (f, c) => ({
    summary: `${attemptOf(f)}, ${MAYBE}because the SYN queue was full and SYN cookies are off: ${c.because()}.`,
    remedy:
      'Set net.ipv4.tcp_syncookies=1, or raise the backlog of listen(), net.core.somaxconn and tcp_max_syn_backlog.',
    missing: wanted('dropped-syns', 'server'),
  }),
};
