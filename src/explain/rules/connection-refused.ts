import { formatEndpoint } from '../../model/address.ts';
import { DROPS, MAY_BE_RESET } from '../mask.ts';
import { type Candidate, leading } from '../procedures/candidate.ts';
import { refusedByDrop } from '../procedures/drop-events.ts';
import { REFUSAL_MISSING, REFUSAL_REMEDY, refusalSummary } from '../procedures/refusal.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { howMany, toServers } from '../together.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'connection-refused', Candidate> = {
  id: 'connection-refused',
  group: 'close',
  title: 'Connection refused: no listener',
  severity: 'warning',
  happened: 'were refused, because nothing listens there (or a firewall rejects)',
  condition:
    'A SYN matched no listening socket of the address, port, device and namespace; the answer is RST|ACK.',
  when: MAY_BE_RESET | DROPS,
  closes: 'refused',
  reference: 'tcp_v4_rcv (no_tcp_socket) → tcp_v4_send_reset, RFC 9293 §3.10.7.1',
  signatures: [
    { by: ['reasons'], kernels: '6.10+', claims: 'proved', sign: 'reason NO_SOCKET for a SYN' },
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_v4_send_reset without a socket for a SYN',
    },
    { by: ['drops'], kernels: '5.17+', claims: 'inferred', sign: 'a SYN dropped for NO_SOCKET' },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'RST|ACK, sequence number 0, answers a SYN; a firewall that rejects looks the same',
    },
    {
      by: ['states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'SYN_SENT → CLOSE sooner than a SYN is sent again',
    },
  ],
  decide: (f) => {
    const candidates = resetCandidates(f);
    return candidates.length > 0 ? leading(candidates, 'connection-refused') : refusedByDrop(f);
  },
  tell: (f, c) => ({
    summary: refusalSummary(formatEndpoint(f.case.server), formatEndpoint(f.case.client), c.because()),
    remedy: REFUSAL_REMEDY,
    missing: [...REFUSAL_MISSING],
  }),
  together: (all) =>
    `${howMany(all, 'attempt')} to connect${toServers(all)} were ${MAYBE}refused with a RST.`,
};
