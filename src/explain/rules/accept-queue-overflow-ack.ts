import { CLIENT, SERVER } from '../../model/connection.ts';
import { DROPS, EVENTS, SENT_AGAIN, SYN_ACK_AGAIN } from '../mask.ts';
import { wanted } from '../missing.ts';
import { type Candidate, withOthers } from '../procedures/candidate.ts';
import { acceptQueueOverflowAck } from '../procedures/overflow-ack.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';
import { ACCEPT_REMEDY } from './accept-queue-overflow-syn.ts';

export const rule: Rule<'accept-queue-overflow-ack', Candidate> = {
  id: 'accept-queue-overflow-ack',
  group: 'syn',
  title: 'Accept queue full: ACK of the handshake dropped',
  severity: 'error',
  happened:
    "were established from the client's side only, because the accept queue was full when the ACK of the handshake came",
  condition:
    'The accept queue was full when the third packet of the handshake (or the first data) came: it is dropped, the connection stays half-open, and the server sends its SYN-ACK again. The client believes it is connected.',
  when: SYN_ACK_AGAIN | SENT_AGAIN | DROPS | EVENTS,
  linuxOnly: true,
  reference: 'tcp_v4_syn_recv_sock → sk_acceptq_is_full, tcp_check_req (net/ipv4/tcp_minisocks.c)',
  signatures: [
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_v4_syn_recv_sock returned nothing with the queue full',
    },
    { by: ['reasons'], kernels: '6.15+', claims: 'proved', sign: 'drop reason TCP_LISTEN_OVERFLOW' },
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'inferred',
      sign: 'tcp_retransmit_synack of a half-open connection whose ACK had come, with the queue full',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'SYN-ACK sent again after the ACK, and after data as well',
    },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'the same, and ListenOverflows rose between the readings around it',
    },
    {
      by: ['drops', 'counters'],
      kernels: '5.18+',
      claims: 'inferred',
      sign: 'SYN-ACKs that the connected client drops, and ListenOverflows rose',
    },
    {
      by: ['drops', 'tables'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'the same with a full queue in a table',
    },
    { by: ['drops'], kernels: 'any', claims: 'possible', sign: 'SYN-ACKs that the connected client drops' },
  ],
  stageOf: ['request-expired-reset', 'abort-on-overflow-reset'],
  decide: (f) => {
    const c = acceptQueueOverflowAck(f);
    return c && withOthers(c, ['deferred-accept', 'netfilter-drop', 'handshake-unfinished']);
  },
  tell: (f, c) => ({
    summary: `${f.name(CLIENT)} thought it was connected, but ${f.name(SERVER)} dropped its ACK, ${MAYBE}because the accept queue was full: ${c.because()}.`,
    remedy: ACCEPT_REMEDY,
    missing: wanted('queue-at-ack', 'server'),
  }),
};
