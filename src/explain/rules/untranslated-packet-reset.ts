import { MAY_BE_RESET } from '../mask.ts';
import { peerPackets } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'untranslated-packet-reset', Candidate> = {
  id: 'untranslated-packet-reset',
  group: 'close',
  title: 'RST to a segment that a NAT let pass untranslated',
  severity: 'error',
  happened: 'are segments of other connections that a NAT let pass untranslated, and were reset',
  condition:
    'A NAT no longer knows a segment, or holds it for invalid (outside the window, entry deleted), and forwards it as it is: the receiver knows no such connection and resets it, and the RST ends the true one at the sender.',
  when: MAY_BE_RESET,
  closes: 'rst',
  reference: 'nf_conntrack_tcp_packet (NF_ACCEPT of INVALID), net.netfilter.nf_conntrack_tcp_be_liberal',
  signatures: [
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a segment without a handshake whose sequence number and acknowledgment fit another connection of its receiver and port, and a RST in answer',
    },
    {
      by: ['counters'],
      kernels: 'any',
      claims: 'possible',
      sign: 'conntrack_invalid (`conntrack -S`): packets that fit no tracked connection, which names none',
    },
  ],
  by: resetCandidates,
  tell: (f, { because }) => ({
    summary: `A NAT had ${MAYBE}let a segment pass untranslated: ${because()}.`,
    remedy:
      'On the NAT drop what is invalid instead of forwarding it (`ct state invalid drop` in the chain `forward`), or set `net.netfilter.nf_conntrack_tcp_be_liberal=1`; see with `conntrack -S` (invalid, insert_failed, drop) whether entries were lost or the table is full.',
    missing: peerPackets(f),
  }),
};
