import { MAY_LACK_ANSWER } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'no-reply-route-drop', Candidate> = {
  id: 'no-reply-route-drop',
  group: 'syn',
  title: 'The listener could not answer: no route back',
  severity: 'error',
  happened:
    'had SYNs dropped because the listener found no route back (or could not create a half-open connection)',
  condition:
    'The SYN reached the listener, which could not make a half-open connection of it: no route to the client, no memory, or a security module refused.',
  when: MAY_LACK_ANSWER,
  linuxOnly: true,
  reference: 'tcp_conn_request (af_ops->route_req), IpOutNoRoutes, ListenDrops',
  signatures: [
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'inet_csk_route_req found no route for its reply',
    },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'ListenDrops and IpOutNoRoutes rose',
    },
    { by: ['states', 'counters'], kernels: '4.16+', claims: 'inferred', sign: 'the same' },
    {
      by: ['counters'],
      kernels: 'any',
      claims: 'possible',
      sign: 'ListenDrops rose without ListenOverflows',
    },
  ],
  by: synCandidates,
  tell: (f, c) => ({
    summary: `${attemptOf(f)}, ${MAYBE}because the listener could not answer: ${c.because()}.`,
    remedy:
      "On the server: `ip route get CLIENT from SERVER`. Without a route, add one, and look at IpOutNoRoutes; with one, look at the security modules' audit log and at memory (`dmesg`).",
    missing: wanted('route-back', 'server'),
  }),
};
