import { formatEndpoint } from '../../model/address.ts';
import { SERVER } from '../../model/connection.ts';
import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { clients, howMany, measured, toServers } from '../together.ts';
import { capital, MAYBE, most, span } from '../words.ts';

export const rule: Rule<'listener-closed-reset', Candidate> = {
  id: 'listener-closed-reset',
  group: 'close',
  title: 'Listener closed: connections nobody had accepted were reset',
  severity: 'error',
  happened: 'were reset because the listener was closed while they were in its accept queue',
  condition:
    'The last descriptor of a listening socket was closed (or its process ended) while connections were in its accept queue; each of them is reset.',
  when: MAY_BE_RESET,
  closes: 'rst',
  reference: 'inet_csk_listen_stop → inet_child_forget → tcp_disconnect (net/ipv4/inet_connection_sock.c)',
  signatures: [
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'inet_child_forget on it',
    },
    {
      by: ['states', 'fields'],
      kernels: '5.5+ with BTF',
      claims: 'proved',
      sign: 'LISTEN → CLOSE and the child → CLOSE in one call, and sk_shutdown not 3',
    },
    {
      by: ['reasons', 'states'],
      kernels: '6.12+',
      claims: 'proved',
      sign: 'reason TCP_STATE in CLOSE right after LISTEN → CLOSE of the same process',
    },
    {
      by: ['states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'LISTEN → CLOSE, then the child → CLOSE by the same process',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'several RST|ACK of one port at once, where the server had never sent a byte; possible when each had received data',
    },
    {
      by: ['packets', 'tables'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'the same of one that a table showed without a process',
    },
  ],
  by: resetCandidates,
  tell: (f, c) => {
    const waited = f.life(1)?.closeWait;
    const wait = waited ? ` It had waited there in CLOSE_WAIT for ${span(waited)}.` : '';
    return {
      summary:
        `${f.name(SERVER)} reset the connection from ${formatEndpoint(f.case.client)}, ${MAYBE}because its listener ` +
        `was closed before any process accepted the connection: ${c.because()}.${wait}`,
      remedy:
        'Stop new traffic first (take the server out of the load balancer), accept() until EAGAIN, then close the listener. ' +
        'With SO_REUSEPORT, net.ipv4.tcp_migrate_req=1 (5.14 and later) hands the queue to another listener. ' +
        'If connections wait here for long, the real fault is the process that does not call accept().',
      missing: wanted('listener-stop', 'server'),
    };
  },
  together: (all) => {
    const { values, who } = measured(all, (f) => f.life(SERVER)?.closeWait || null);
    const wait =
      values.length === 0
        ? ''
        : ` ${capital(`${who === '' ? 'they' : who.trim()} had been in CLOSE_WAIT for up to ${span(most(values))}.`)}`;
    return (
      `${howMany(all)}${toServers(all)} were reset, ${MAYBE}because the listener was closed before any process accepted them.${wait} ` +
      `They came from ${clients(all)}.`
    );
  },
};
