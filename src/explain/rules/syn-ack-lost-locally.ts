import { DROPS } from '../missing.ts';
import { leading } from '../procedures/candidate.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';

export const rule: Rule = {
  id: 'syn-ack-lost-locally',
  group: 'syn',
  title: 'The SYN-ACK was lost in the server itself',
  severity: 'error',
  happened: "had their SYN-ACK lost in the server's own output",
  condition:
    'The listener made a request and sent a SYN-ACK, which was dropped in the server on its way out: netfilter OUTPUT, queueing discipline, neighbour resolution.',
  needs: ['states', 'packets', 'tables', 'drops'],
  reference: 'tcp_v4_send_synack → ip_build_and_send_pkt (NETFILTER_DROP, QDISC_DROP, NEIGH_FAILED)',
  explain: (f) =>
    leading(synCandidates(f), 'syn-ack-lost-locally', (c) => ({
      summary: `${attemptOf(f)}; ${c.because}.`,
      remedy:
        'Look at the OUTPUT and POSTROUTING rules (`nft list ruleset`), `tc -s qdisc` and `ip neigh` of the server.',
      missing: [DROPS],
    })),
};
