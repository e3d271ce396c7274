import { SYN_TROUBLE } from '../mask.ts';
import { peerPackets } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'ecn-syn-black-hole', Candidate> = {
  id: 'ecn-syn-black-hole',
  group: 'syn',
  title: 'A device drops SYNs that offer ECN',
  severity: 'warning',
  happened: 'waited because SYNs that offer ECN are dropped',
  condition:
    'The client offers ECN in its SYN (ECE and CWR; with AE: AccECN), and something on the path drops it. Linux sends the next SYN without, a second later, and that one is answered.',
  when: SYN_TROUBLE,
  reference: 'RFC 3168 §6.1.1.1, tcp_ecn_clear_syn (net.ipv4.tcp_ecn_fallback)',
  signatures: [
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'SYNs with ECN without an answer, those without ECN answered at once, and so again later; none with ECN answered by that server',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'the same of one moment: any outage looks so',
    },
  ],
  by: synCandidates,
  tell: (f, { because }) => ({
    summary: `${attemptOf(f)}, ${MAYBE}because a device on the path drops SYNs that offer ECN: ${because()}.`,
    remedy:
      'Find the device (capture on both sides of each) and let it pass ECE and CWR; until then set `net.ipv4.tcp_ecn=2` on the client (accept ECN, do not ask for it), or 0.',
    missing: peerPackets(f),
  }),
};
