import { DROPS } from '../missing.ts';
import { leading } from '../procedures/candidate.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';

export const rule: Rule = {
  id: 'other-ingress-drop',
  group: 'syn',
  title: 'SYN dropped on input, below TCP',
  severity: 'error',
  happened: 'had a SYN dropped on input, below TCP',
  condition:
    'The packet was dropped between the device and the socket for a reason of its own: no local address, TTL, IPsec policy, socket filter, XDP or tc.',
  needs: ['states', 'packets', 'tables', 'drops'],
  reference: 'kernel-notes §3, lower layers (enum skb_drop_reason)',
  explain: (f) =>
    leading(synCandidates(f), 'other-ingress-drop', (c) => ({
      summary: `${attemptOf(f)}; ${c.because}.`,
      remedy:
        'The reason or counter names the place: check addresses and forwarding, IP_MINTTL, IPsec policies, filters attached to the socket, XDP and tc programs (`bpftool net`, `tc filter show dev DEVICE ingress`).',
      missing: [DROPS],
    })),
};
