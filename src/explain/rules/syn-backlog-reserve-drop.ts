import { MAY_LACK_ANSWER } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'syn-backlog-reserve-drop', Candidate> = {
  id: 'syn-backlog-reserve-drop',
  group: 'syn',
  title: 'SYN cookies off: the last quarter of tcp_max_syn_backlog is for known peers',
  severity: 'error',
  happened: 'had SYNs dropped because the last quarter of tcp_max_syn_backlog is kept for known peers',
  condition:
    'net.ipv4.tcp_syncookies is 0, more than three quarters of tcp_max_syn_backlog are half open, and the peer has no entry in tcp_metrics that proves it.',
  when: MAY_LACK_ANSWER,
  linuxOnly: true,
  reference: 'tcp_conn_request (max_syn_backlog - qlen < max_syn_backlog >> 2, tcp_peer_is_proven)',
  signatures: [
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'inferred',
      sign: 'tcp_conn_request found less than a quarter of tcp_max_syn_backlog left, and tcp_syncookies is 0',
    },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'ListenDrops rose without ListenOverflows, so many half-open connections, tcp_syncookies is 0',
    },
    {
      by: ['states', 'counters'],
      kernels: '4.16+',
      claims: 'possible',
      sign: 'ListenDrops rose without ListenOverflows',
    },
  ],
  by: synCandidates,
  tell: (f, c) => ({
    summary: `${attemptOf(f)}, ${MAYBE}because the rest of tcp_max_syn_backlog is reserved for known peers: ${c.because()}.`,
    remedy:
      'Set net.ipv4.tcp_syncookies=1, or raise net.ipv4.tcp_max_syn_backlog; look at who opens so many half-open connections.',
    missing: wanted('queue-at-syn', 'server'),
  }),
};
