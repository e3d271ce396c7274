import { MAY_LACK_ANSWER } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'syn-ack-lost-locally', Candidate> = {
  id: 'syn-ack-lost-locally',
  group: 'syn',
  title: "SYN-ACK lost in the server's own output",
  severity: 'error',
  happened: "had the SYN-ACK lost in the server's own output",
  condition:
    'The listener made a half-open connection and sent a SYN-ACK, which was dropped in the server on its way out: netfilter OUTPUT, queueing discipline, neighbour resolution.',
  when: MAY_LACK_ANSWER,
  linuxOnly: true,
  reference: 'tcp_v4_send_synack → ip_build_and_send_pkt (NETFILTER_DROP, QDISC_DROP, NEIGH_FAILED)',
  signatures: [
    {
      by: ['drops'],
      kernels: '5.17+',
      claims: 'proved',
      sign: 'a SYN-ACK dropped on its way out, by its reason or function',
    },
    {
      by: ['functions', 'packets'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'inferred',
      sign: 'a half-open connection was made of the SYN, and no capture shows a SYN-ACK',
    },
    {
      by: ['packets', 'tables'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'SYN-RECV in a table, and no SYN-ACK in the capture of that host',
    },
    {
      by: ['packets', 'fields'],
      kernels: '5.5+ with BTF',
      claims: 'inferred',
      sign: 'tcp_retransmit_synack, and no SYN-ACK in the capture',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'the first SYN-ACK in the capture of that host came by the timer',
    },
    { by: ['packets', 'counters'], kernels: 'any', claims: 'inferred', sign: 'the same' },
  ],
  by: synCandidates,
  tell: (f, c) => ({
    summary: `${attemptOf(f)}; the SYN-ACK was ${MAYBE}lost in the server's own output: ${c.because()}.`,
    remedy:
      'Look at the OUTPUT and POSTROUTING rules (`nft list ruleset`), `tc -s qdisc` and `ip neigh` of the server.',
    missing: wanted('drops', 'server'),
  }),
};
