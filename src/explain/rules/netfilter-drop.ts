import type { Facts } from '../facts/facts.ts';
import { MAY_LACK_ANSWER } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { resetCandidates } from '../procedures/reset.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'netfilter-drop', Candidate> = {
  id: 'netfilter-drop',
  group: 'syn',
  title: 'Firewall dropped the SYN',
  severity: 'error',
  happened: 'had SYNs dropped by a firewall',
  condition:
    'A rule of nftables or iptables dropped the SYN (or its answer). On the receiving host netfilter stands between the tap of a capture and TCP, so the capture shows the SYN all the same.',
  when: MAY_LACK_ANSWER,
  reference: 'nf_hook_slow (NETFILTER_DROP), kernel-notes §3',
  signatures: [
    {
      by: ['drops'],
      kernels: '5.17+',
      claims: 'proved',
      sign: 'a SYN dropped with NETFILTER_DROP; before 5.17 freed in nf_hook_slow',
    },
    {
      by: ['functions', 'packets'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'inferred',
      sign: 'SYNs in the capture of the server that never came to tcp_conn_request',
    },
    {
      by: ['captures', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'both captures have the SYNs, and no counter of the server rose',
    },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'possible',
      sign: 'no counter of the server rose',
    },
    { by: ['states', 'counters'], kernels: '4.16+', claims: 'possible', sign: 'the same' },
  ],
  by: synCandidates,
  tell: (f, c) => ({
    summary: `${attemptOf(f, c.lost === 'ACK')}, ${MAYBE}because a firewall ${whatItDid(f, c)}: ${c.because()}.`,
    remedy:
      'Look at the rules and their counters on the server (and on a host or namespace between that forwards: its chain `forward`): `nft list ruleset` (add `counter` to suspicious rules), `iptables -nvL`, and `conntrack -S`; a full table says so in dmesg. With `meta nftrace set 1` in a rule before it, `nft monitor trace` follows one packet.',
    missing: [...wanted('queue-at-syn', 'server'), ...wanted('drops', 'server')],
  }),
};

function whatItDid(f: Facts, { lost }: Candidate): string {
  if (resetCandidates(f)[0]?.rule === 'netfilter-drop') return 'rejected the SYN with a RST';
  return `dropped the ${lost ?? 'SYN'}`;
}
