import { MAY_LACK_ANSWER } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'martian-drop', Candidate> = {
  id: 'martian-drop',
  group: 'syn',
  title: 'SYN dropped as a martian',
  severity: 'error',
  happened: 'had SYNs dropped as martians, because no host accepts such a source from outside',
  condition:
    "The source or destination cannot come in on an interface: the host's own address, loopback, 0/8, multicast.",
  when: MAY_LACK_ANSWER,
  reference: 'fib_validate_source, ip_route_input_slow (IP_LOCAL_SOURCE, IP_INVALID_SOURCE)',
  signatures: [
    {
      by: ['drops'],
      kernels: '6.14+',
      claims: 'proved',
      sign: 'a SYN dropped with IP_LOCAL_SOURCE, IP_INVALID_SOURCE, IP_LOCALNET or IP_INVALID_DEST; before that freed in ip_handle_martian_source',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a SYN from outside with the address of the server itself',
    },
  ],
  by: synCandidates,
  tell: (f, c) => ({
    summary: `${attemptOf(f)}, ${MAYBE}because the server dropped the SYN as a martian: ${c.because()}.`,
    remedy:
      "Look for who sends such packets: a NAT or load balancer that rewrites the source to the server's own address, or two hosts with one address. net.ipv4.conf.all.log_martians=1 logs each one.",
    missing: wanted('drops', 'server'),
  }),
};
