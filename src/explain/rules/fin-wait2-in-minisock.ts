import { STATES } from '../mask.ts';
import { wanted, wantedOfPeer } from '../missing.ts';
import { among, type Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { finCandidatesFor } from '../procedures/fin.ts';
import type { Rule } from '../rule.ts';
import { howMany, measured } from '../together.ts';
import { largest, MAYBE, spans } from '../words.ts';

export const rule: Rule<'fin-wait2-in-minisock', Candidate> = {
  id: 'fin-wait2-in-minisock',
  group: 'fin-wait2',
  title: 'FIN_WAIT2 moved to a timewait socket (normal)',
  severity: 'info',
  happened: 'spent FIN_WAIT2 in a timewait socket, which no state event shows',
  condition:
    'The process had closed, the FIN was acknowledged by a packet without FIN, and tcp_fin_timeout is at most 60 s: tcp_time_wait() replaces the socket by a timewait socket (a minisock in its sources) with substate FIN_WAIT2, of which no tracepoint tells.',
  when: STATES,
  linuxOnly: true,
  reference: 'tcp_rcv_state_process → tcp_time_wait(sk, TCP_FIN_WAIT2, tmo) (net/ipv4/tcp_minisocks.c)',
  signatures: [
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_time_wait(FIN_WAIT2), and inet_twsk_alloc gave a timewait socket',
    },
    { by: ['tables'], kernels: 'any', claims: 'proved', sign: 'FIN-WAIT-2 with the timewait timer' },
    {
      by: ['states', 'packets'],
      kernels: '4.16+',
      claims: 'proved',
      sign: "FIN_WAIT2 → CLOSE before the peer's FIN, which was acknowledged",
    },
    {
      by: ['states', 'tables'],
      kernels: '4.16+',
      claims: 'proved',
      sign: 'FIN_WAIT2 → CLOSE at once, and a table shows FIN_WAIT2 while the peer was open',
    },
    {
      by: ['states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: "FIN_WAIT2 → CLOSE at once, and the peer's own states show its FIN later",
    },
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'inferred',
      sign: 'SOCK_DEAD and not SOCK_DONE at FIN_WAIT2 → CLOSE',
    },
  ],
  stageOf: ['fin-wait2-expired'],
  decide: (f) => finCandidatesFor(f, 'fin-wait2-in-minisock').map((l) => among(l, 'fin-wait2-in-minisock')),
  tell: (f, { side, because }) => ({
    summary: `FIN_WAIT2 of ${sideEndpoint(f, side)} ${MAYBE}moved to a timewait socket: ${because()}.`,
    remedy:
      'No action needed: a normal close looks like this in tcpstates. To see the state, poll `ss -tano state fin-wait-2` or trace tcp_time_wait and inet_twsk_kill.',
    missing: [...wanted('minisock', side), ...wantedOfPeer('states', side)],
  }),
  together: (all) => {
    const { values, who } = measured(all, (f) => largest(f.lives.map((l) => l.finWait2)));
    const stays =
      values.length === 0
        ? ''
        : ` State events show ${spans(values)} of it${who === '' ? '' : ` for ${who.trim()}`}.`;
    return `FIN_WAIT2 of ${howMany(all)} ${MAYBE}moved to a timewait socket.${stays}`;
  },
};
