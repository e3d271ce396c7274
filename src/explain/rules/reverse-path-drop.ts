import { MAY_LACK_ANSWER } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'reverse-path-drop', Candidate> = {
  id: 'reverse-path-drop',
  group: 'syn',
  title: 'SYN dropped by the reverse path filter',
  severity: 'error',
  happened: 'had SYNs dropped by the reverse path filter (rp_filter)',
  condition:
    'rp_filter is on and the route back to the source does not lead through the interface on which the SYN came.',
  when: MAY_LACK_ANSWER,
  reference: 'fib_validate_source (IP_RPFILTER, IPReversePathFilter)',
  signatures: [
    { by: ['drops'], kernels: '5.17+', claims: 'proved', sign: 'a SYN dropped with IP_RPFILTER' },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'IPReversePathFilter rose by as many as SYNs at least',
    },
    { by: ['states', 'counters'], kernels: '4.16+', claims: 'inferred', sign: 'the same' },
  ],
  by: synCandidates,
  tell: (f, c) => ({
    summary: `${attemptOf(f)}, ${MAYBE}because the reverse path filter dropped the SYN: ${c.because()}.`,
    remedy:
      'Repair the routing, so that the answer goes out where the SYN came in, or set net.ipv4.conf.<interface>.rp_filter (and all: the larger one counts) to 2 (loose) or 0. net.ipv4.conf.all.log_martians=1 logs each one.',
    missing: wanted('drops', 'server'),
  }),
};
