import { STATES } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { SIDE_NAMES, sideEndpoint } from '../procedures/common.ts';
import { finCandidates } from '../procedures/fin.ts';
import { minisockExpiry } from '../procedures/minisock.ts';
import type { Rule, Verdict } from '../rule.ts';
import { clients, howMany, measured, toServers } from '../together.ts';
import { largest, MAYBE, most, span } from '../words.ts';

export const rule: Rule<'fin-wait2-expired', Verdict & Pick<Candidate, 'because'>> = {
  id: 'fin-wait2-expired',
  group: 'fin-wait2',
  title: 'FIN_WAIT2 expired: the peer did not close in time',
  severity: 'warning',
  happened: 'had FIN_WAIT2 expire before the peer closed',
  condition:
    'The FIN_WAIT2 timewait socket ended after tcp_fin_timeout while the peer was still in CLOSE_WAIT. Nothing is sent.',
  when: STATES,
  linuxOnly: true,
  reference: 'tcp_time_wait, inet_twsk_kill; ip-sysctl tcp_fin_timeout',
  signatures: [
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'inet_twsk_kill in substate FIN_WAIT2 that no packet brought about, while the peer had not closed',
    },
    {
      by: ['reasons', 'fields'],
      kernels: '6.10+',
      claims: 'inferred',
      sign: 'handed over, and a later packet met no socket',
    },
    {
      by: ['states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'the peer in CLOSE_WAIT for longer than tcp_fin_timeout',
    },
    {
      by: ['states', 'packets'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: "the peer's FIN came later than tcp_fin_timeout after the ACK, or met a RST",
    },
  ],
  decide: (f) =>
    finCandidates(f).flatMap(({ side, candidates }) => {
      const first = candidates[0]!;
      const life = f.life(side);
      if (!life || first.rule !== 'fin-wait2-in-minisock' || first.confidence === 'possible') return [];
      const expiry = minisockExpiry(f, life);
      if (!expiry) return [];
      return [
        {
          confidence: expiry.confidence,
          side: SIDE_NAMES[side]!,
          moment: null,
          evidence: expiry.evidence,
          because: expiry.because,
        },
      ];
    }),
  tell: (f, { side, because }) => ({
    summary: `FIN_WAIT2 of ${sideEndpoint(f, side)} ${MAYBE}expired before the peer closed: ${because()}.`,
    remedy:
      'The peer kept its side open for longer than tcp_fin_timeout: look there for a descriptor leak, a process that does not read the end of file, or a connection that nobody accepted; a long answer looks the same. ' +
      'A longer net.ipv4.tcp_fin_timeout does not help.',
    missing: wanted('minisock-end', side),
  }),
  together: (all) => {
    const { values, who } = measured(all, (f) => largest(f.lives.map((l) => l.closeWait)));
    const wait =
      values.length === 0
        ? ''
        : ` ${who === '' ? 'The peers' : `The peers of ${who.trim()}`} stayed in CLOSE_WAIT for up to ${span(most(values))}.`;
    return `${howMany(all)}${toServers(all)}: FIN_WAIT2 ${MAYBE}expired before the peer closed.${wait} They came from ${clients(all)}.`;
  },
};
