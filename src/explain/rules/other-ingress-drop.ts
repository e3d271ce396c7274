import { MAY_LACK_ANSWER } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'other-ingress-drop', Candidate> = {
  id: 'other-ingress-drop',
  group: 'syn',
  title: 'SYN dropped on input, below TCP',
  severity: 'error',
  happened: 'had SYNs dropped on input, below TCP',
  condition:
    'The packet was dropped between the device and the socket for a reason of its own: no local address, TTL, IPsec policy, socket filter, XDP or tc.',
  when: MAY_LACK_ANSWER,
  reference: 'kernel-notes §3, lower layers (enum skb_drop_reason)',
  signatures: [
    {
      by: ['drops'],
      kernels: '5.17+',
      claims: 'proved',
      sign: 'a SYN dropped below TCP with another reason',
    },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'IpInNoRoutes, IpInAddrErrors or TCPMinTTLDrop rose by as many as SYNs at least',
    },
    { by: ['states', 'counters'], kernels: '4.16+', claims: 'inferred', sign: 'the same' },
  ],
  by: synCandidates,
  tell: (f, c) => ({
    summary: `${attemptOf(f)}, ${MAYBE}because the SYN was dropped on input, below TCP: ${c.because()}.`,
    remedy:
      'The reason or counter names the place: check addresses and forwarding, IP_MINTTL, IPsec policies, filters attached to the socket, XDP and tc programs (`bpftool net`, `tc filter show dev DEVICE ingress`).',
    missing: wanted('drops', 'server'),
  }),
};
