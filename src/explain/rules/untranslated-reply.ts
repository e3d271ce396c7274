import { formatEndpoint } from '../../model/address.ts';
import { RESET, SYN_TROUBLE } from '../mask.ts';
import { peerPackets } from '../missing.ts';
import { type Candidate, withOthers } from '../procedures/candidate.ts';
import { untranslatedReply } from '../procedures/untranslated.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';
import type { RuleId } from './index.ts';

/** What a client resets a SYN-ACK for besides. */
const OTHERS: readonly RuleId[] = ['no-socket-reset', 'bad-syn-ack-reset', 'middlebox-reset'];

export const rule: Rule<'untranslated-reply', Candidate> = {
  id: 'untranslated-reply',
  group: 'syn',
  title: 'The answer to the SYN was not translated back',
  severity: 'error',
  happened: 'got their SYN-ACK from another address than they had called',
  condition:
    'A NAT translated the SYN, and the SYN-ACK did not come back through it: the client gets it from an address that it never called, answers with a RST, and sends its SYN again.',
  when: SYN_TROUBLE | RESET,
  closes: 'unanswered',
  reference: 'RFC 9293 §3.10.7.3; tcp_v4_rcv (no_tcp_socket); nf_nat_packet',
  signatures: [
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a SYN-ACK from another address acknowledges the SYN of the same client and port, which nobody else answered',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'the client resets the SYN-ACK and sends the same SYN with the same number again; a scanner with raw sockets looks alike',
    },
  ],
  decide: (f) => {
    const found = untranslatedReply(f);
    return found && withOthers(found, found.confidence === 'inferred' ? [] : OTHERS);
  },
  tell: (f, { because }) => ({
    summary: `The SYN-ACK to ${formatEndpoint(f.case.client)} was ${MAYBE}not translated back by a NAT: ${because()}.`,
    remedy:
      "Let the reply pass through the NAT that translated the SYN: the server's route to the client must lead back through it (asymmetric route, a second interface), clients in the server's own network need masquerading as well (hairpin), and the NAT must track both directions (no `notrack`, entry not lost).",
    missing: peerPackets(f),
  }),
};
