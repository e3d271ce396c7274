import { STATES } from '../mask.ts';
import { wanted } from '../missing.ts';
import { draft } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { finCandidatesFor } from '../procedures/fin.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'fin-with-ack'> = {
  id: 'fin-with-ack',
  group: 'fin-wait2',
  title: 'FIN and ACK in one packet: FIN_WAIT2 skipped',
  severity: 'info',
  happened: "skipped FIN_WAIT2, because the peer's FIN came with the ACK",
  condition:
    'The packet that acknowledged the FIN carried a FIN itself: the socket passes FIN_WAIT2 within that packet and goes to TIME_WAIT.',
  when: STATES,
  wireProves: true,
  reference: 'tcp_rcv_state_process → tcp_fin → tcp_time_wait(sk, TCP_TIME_WAIT, 0)',
  signatures: [
    {
      by: ['states', 'packets'],
      kernels: '4.16+',
      claims: 'proved',
      sign: "the packet that acknowledged the FIN carried the peer's",
    },
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'inferred',
      sign: 'SOCK_DEAD and SOCK_DONE at FIN_WAIT2 → CLOSE at once',
    },
    { by: ['states'], kernels: '4.16+', claims: 'possible', sign: 'FIN_WAIT2 → CLOSE at once' },
  ],
  explain: (f) =>
    finCandidatesFor(f, 'fin-with-ack').map((list) => {
      const c = list.find((o) => o.rule === 'fin-with-ack')!;
      return draft(
        c,
        {
          summary: passedAtOnce(sideEndpoint(f, c.side), c.because),
          remedy: FIN_WITH_ACK_REMEDY,
          missing:
            c.confidence === 'proved' ? [] : [...wanted('packets', c.side), ...wanted('minisock', c.side)],
        },
        list.filter((o) => o !== c).map((o) => o.rule),
      );
    }),
};

export const FIN_WITH_ACK_REMEDY = 'No action needed: the peer closed before it had to acknowledge.';

/** `name`: of the side whose FIN came first. */
export function passedAtOnce(name: string, because: string): string {
  return `${name} ${MAYBE}passed FIN_WAIT2 within one packet: ${because}.`;
}
