import { formatEndpoint } from '../../model/address.ts';
import { MAY_BE_RESET } from '../mask.ts';
import { peerPackets } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'middlebox-reset', Candidate> = {
  id: 'middlebox-reset',
  group: 'close',
  title: 'RST from a firewall or device between the sockets',
  severity: 'warning',
  happened: 'were reset by a firewall or device between the two sockets',
  condition:
    'A RST of a shape that the Linux kernel does not make, or with a TTL unlike that of the other packets from there.',
  when: MAY_BE_RESET,
  closes: 'rst',
  reference: 'RFC 3360',
  wireProves: true,
  signatures: [
    {
      by: ['captures'],
      kernels: 'any',
      claims: 'proved',
      sign: "a RST that the capture beside its seeming sender lacks, which goes on and of which that capture has all else; RSTs pass that capture's filter",
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a RST whose sender goes on as if it had not sent it or that the capture nearer to it lacks, or one that Linux makes in neither of its ways and whose TTL differs',
    },
  ],
  by: resetCandidates,
  tell: (f, c) => ({
    summary: `A firewall or device between the two sockets ${MAYBE}reset the connection between ${formatEndpoint(f.case.client)} and ${formatEndpoint(f.case.server)}: ${c.because()}.`,
    remedy:
      c.confidence === 'proved'
        ? 'Look between the two places of capture, and at the firewall rules of both hosts, for what rejects with a RST: firewall, IPS, proxy or load balancer.'
        : 'Capture at both ends at once: a RST that one end receives and the other never sent was made between them, by a firewall of one of the hosts too.',
    missing: peerPackets(f),
  }),
};
