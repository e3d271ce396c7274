import { SENT_AGAIN } from '../mask.ts';
import { peerPackets } from '../missing.ts';
import { type Candidate, withOthers } from '../procedures/candidate.ts';
import { pathMtuBlackHole } from '../procedures/path-mtu.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'path-mtu-black-hole', Candidate> = {
  id: 'path-mtu-black-hole',
  group: 'stuck',
  title: 'Large packets vanish on the path (MTU)',
  severity: 'error',
  happened: 'were stuck because large packets vanish on the path',
  condition:
    'A link on the path takes smaller packets than the ends think. They may not be fragmented (DF), and the ICMP error that says so is filtered, ignored or never sent: full-size segments vanish and small ones pass.',
  when: SENT_AGAIN,
  reference: 'RFC 1191, RFC 8201, RFC 2923 §2.1; tcp_v4_mtu_reduced, tcp_mtu_probing',
  signatures: [
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a full-size segment sent again and never acknowledged although ICMP said that it is too big; smaller ones passed',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'the same without ICMP: nothing so large was ever acknowledged, and the peer still answers',
    },
  ],
  decide: (f) => {
    const found = pathMtuBlackHole(f);
    return (
      found &&
      withOthers(found, found.confidence === 'inferred' ? [] : ['peer-silent', 'retransmission-timeout'])
    );
  },
  tell: (f, { because }) => ({
    summary: `Large packets ${MAYBE}vanish between ${f.name(0)} and ${f.name(1)}: ${because()}.`,
    remedy:
      'Let ICMP "fragmentation needed" and "packet too big" through all firewalls; clamp the MSS where the MTU falls (nftables `tcp flags syn tcp option maxseg size set rt mtu`, TCPMSS --clamp-mss-to-pmtu on tunnels, VPNs and PPPoE); or set `net.ipv4.tcp_mtu_probing=1` on the sender. `tracepath -n` or `ping -M do -s SIZE` shows the size that passes.',
    missing: peerPackets(f),
  }),
};
