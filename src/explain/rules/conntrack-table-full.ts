import type { Rule } from '../rule.ts';

/** Told of a host (hosts/logged.ts, hosts/counted.ts): neither the log nor the counters name the connections that were met. */
export const rule: Rule<'conntrack-table-full', never> = {
  id: 'conntrack-table-full',
  group: 'syn',
  title: 'Connection tracking table full: packets of new connections dropped',
  severity: 'error',
  happened: 'were dropped, because the connection tracking table was full',
  condition:
    'nf_conntrack_count has reached nf_conntrack_max and no entry can be evicted early: a packet that needs a new entry is dropped.',
  when: 0,
  reference: '__nf_conntrack_alloc (net/netfilter/nf_conntrack_core.c)',
  signatures: [
    { by: ['log'], kernels: 'any', claims: 'proved', sign: '`nf_conntrack: table full, dropping packet`' },
    {
      by: ['counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: '`drop` or `early_drop` of `conntrack -S` rose between two readings',
    },
    {
      by: ['counters'],
      kernels: 'any',
      claims: 'possible',
      sign: 'nf_conntrack_count at nf_conntrack_max, or near it',
    },
  ],
  decide: () => null,
  tell: (_f, verdict) => verdict,
};
