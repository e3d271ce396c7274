import { OPEN_ROWS, SYN_ACK_AGAIN, SYN_TROUBLE } from '../mask.ts';
import { wanted } from '../missing.ts';
import { type Unfinished, unfinished } from '../procedures/unfinished.ts';
import type { Rule } from '../rule.ts';
import { clients, howMany, toServers } from '../together.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'handshake-unfinished', Unfinished> = {
  id: 'handshake-unfinished',
  group: 'syn',
  title: 'Handshake unfinished: no ACK to the SYN-ACK',
  severity: 'warning',
  happened: 'stayed half-open, because no ACK came to the SYN-ACK',
  condition:
    'The server answers the SYN, sends its SYN-ACK again by its timer (a SYN cookie once), and no ACK comes: the SYN-ACK, or the ACK, is lost on the way, or nobody is there to answer (a forged address).',
  when: SYN_TROUBLE | SYN_ACK_AGAIN | OPEN_ROWS,
  closes: 'unanswered',
  reference: 'reqsk_timer_handler, tcp_synack_retries (net/ipv4/inet_connection_sock.c), RFC 9293 §3.5',
  signatures: [
    {
      by: ['captures'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'SYN-ACKs sent again without an ACK in captures of both ends, or an ACK in one only',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'SYN-ACKs sent again, the SYN again after one, or nothing for 2 s after one, and of the client SYNs only',
    },
    {
      by: ['tables'],
      kernels: 'any',
      claims: 'possible',
      sign: 'SYN_RECV in a table, and room in the accept queue',
    },
  ],
  decide: unfinished,
  tell: (_f, { because }) => ({
    summary: `${because()}: the handshake was ${MAYBE}cut by the path or the client's host.`,
    remedy:
      'Check the return path: asymmetric routing, a firewall that passes one direction only, a wrong return address behind NAT or a load balancer. ' +
      'Take a capture at the client: it shows whether the SYN-ACK arrives. Many at once from many addresses are a SYN flood.',
    missing: [...wanted('peer-packets', 'client'), ...wanted('drops', 'server')],
  }),
  together: (all) =>
    `${howMany(all)}${toServers(all)} stayed half-open: no ACK came to the SYN-ACK, ${MAYBE}because it, or the ACK, was lost on the way, or nobody was there to answer. They came from ${clients(all)}.`,
};
