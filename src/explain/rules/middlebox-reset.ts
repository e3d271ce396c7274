import { formatEndpoint } from '../../model/address.ts';
import { MAY_BE_RESET } from '../mask.ts';
import { packetsOfPeer } from '../missing.ts';
import { leading } from '../procedures/candidate.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';

export const rule: Rule = {
  id: 'middlebox-reset',
  group: 'close',
  title: 'RST that neither end seems to have sent',
  severity: 'warning',
  happened: 'were reset by a device on the path, by the shape of the RST',
  condition:
    'A RST of a shape that the Linux kernel does not make, or with a TTL unlike that of the other packets from there.',
  when: MAY_BE_RESET,
  reference: 'RFC 3360',
  signatures: [
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a RST whose sender goes on as if it had not sent it, or that Linux makes in neither of its ways and whose TTL differs',
    },
  ],
  explain: (f) =>
    leading(resetCandidates(f), 'middlebox-reset', (c) => ({
      summary:
        `The RST between ${formatEndpoint(f.case.client)} and ${formatEndpoint(f.case.server)} looks as if a device on the path ` +
        `(or another operating system) had made it: ${c.because}.`,
      remedy:
        'Capture at both ends at once: a RST that one end receives and the other never sent was made between them.',
      missing: packetsOfPeer(f, 'client and on the server at once'),
    })),
};
