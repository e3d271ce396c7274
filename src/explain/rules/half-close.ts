import { FIN_SEEN, STATES } from '../mask.ts';
import { wanted } from '../missing.ts';
import { among, type Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { finCandidatesFor } from '../procedures/fin.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'half-close', Candidate> = {
  id: 'half-close',
  group: 'fin-wait2',
  title: 'Half-closed: FIN_WAIT2 on a socket that its process still holds',
  severity: 'info',
  happened: 'were half closed: one side had shut down its sending side and went on to receive',
  condition:
    'shutdown(SHUT_WR) with the descriptor still open: the full socket stays in FIN_WAIT2 until the peer closes.',
  when: FIN_SEEN | STATES,
  wireProves: true,
  reference: 'tcp_shutdown, tcp_rcv_state_process (not SOCK_DEAD), RFC 1122 §4.2.2.13',
  signatures: [
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'proved',
      sign: 'not SOCK_DEAD and sk_shutdown 2 at FIN_WAIT1 → FIN_WAIT2',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'proved',
      sign: 'it acknowledged data that came after its FIN',
    },
    {
      by: ['states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'FIN_WAIT2 → FIN_WAIT2 (close() in it), or a long stay',
    },
    { by: ['tables'], kernels: 'any', claims: 'inferred', sign: 'FIN_WAIT2 with its process' },
  ],
  decide: (f) =>
    finCandidatesFor(f, 'half-close')
      .filter((list) => list[0]!.rule === 'half-close')
      .map((list) => among(list, 'half-close')),
  tell: (f, { side, because }) => ({
    summary: `${sideEndpoint(f, side)} ${MAYBE}closed its sending side only: ${because()}.`,
    remedy:
      'No action needed if the program intends it. If it lasts, the peer is the one that does not close.',
    missing: wanted('states', side),
  }),
};
