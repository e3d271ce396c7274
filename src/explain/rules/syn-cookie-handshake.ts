import { formatEndpoint } from '../../model/address.ts';
import { SERVER } from '../../model/connection.ts';
import { PACKETS } from '../mask.ts';
import { wanted } from '../missing.ts';
import { type CookieChild, cookieChildren } from '../procedures/cookies.ts';
import type { Rule, Verdict } from '../rule.ts';
import { clients, howMany, toServers } from '../together.ts';
import { count, MAYBE } from '../words.ts';

export const rule: Rule<'syn-cookie-handshake', Verdict & { child: CookieChild }> = {
  id: 'syn-cookie-handshake',
  group: 'syn',
  title: 'Connected with a SYN cookie',
  severity: 'warning',
  happened: 'were established with a SYN cookie, because the SYN queue was full',
  condition:
    'The SYN queue was full when the SYN came and net.ipv4.tcp_syncookies is on: a cookie is sent and nothing is stored.',
  when: PACKETS,
  linuxOnly: true,
  reference: 'tcp_conn_request, cookie_v4_check (net/ipv4/syncookies.c), RFC 4987 §3.6',
  signatures: [
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'cookie_v4_check made the child',
    },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'the smaller window of two groups of children, and SyncookiesRecv rose',
    },
    {
      by: ['packets', 'states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'the same, and more handshakes at once than the SYN queue takes',
    },
    { by: ['log'], kernels: 'any', claims: 'inferred', sign: '`Possible SYN flooding … Sending cookies`' },
  ],
  stageOf: ['cookie-overflow-reset'],
  decide: (f) => {
    const child = cookieChildren(f.listener).get(f.n);
    if (!child || !f.wire) return null;
    const { packet, evidence } = child;
    return { confidence: 'inferred', side: 'server', moment: f.atPacket(f.wire, packet), evidence, child };
  },
  tell: (f, { child }) => ({
    summary:
      `The handshake of ${formatEndpoint(f.case.client)} with ${f.name(SERVER)} was ${MAYBE}completed with a SYN cookie: the server's socket had a window of ` +
      `${child.window} where ${count(child.siblings, 'sibling')} that had received the same bytes had ${child.siblingsWindow}, and the SYN queue was full.`,
    remedy:
      'A cookie keeps the connection but loses the retransmission of the SYN-ACK, and some options where timestamps are off. ' +
      'The SYN queue is as long as the backlog of listen(): raise it together with net.core.somaxconn, and accept() faster.',
    missing: [...wanted('cookie-check', 'server'), ...wanted('cookie-counters', 'server')],
  }),
  together: (all) =>
    `${howMany(all)}${toServers(all)} were ${MAYBE}established with a SYN cookie, because the SYN queue was full: ` +
    `their sockets have the smaller window of such children. They came from ${clients(all)}.`,
};
