import { ODD_STATES } from '../mask.ts';
import { wanted, wantedOfPeer } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { finCandidatesFor } from '../procedures/fin.ts';
import type { Rule } from '../rule.ts';
import { clients, howMany, measured } from '../together.ts';
import { capital, MAYBE, spans } from '../words.ts';

export const rule: Rule<'fin-wait1-aborted', Candidate> = {
  id: 'fin-wait1-aborted',
  group: 'fin-wait2',
  title: 'Closing cut short: from FIN_WAIT1 straight to CLOSE',
  severity: 'warning',
  happened: 'ended in FIN_WAIT1, before the FIN was acknowledged',
  condition:
    'The socket was closed before its FIN was acknowledged: a RST came, data came after close(), or the retries ran out.',
  when: ODD_STATES,
  reference: 'tcp_reset, tcp_done (FIN_WAIT1 → CLOSE); never tcp_time_wait',
  signatures: [{ by: ['states'], kernels: '4.16+', claims: 'proved', sign: 'FIN_WAIT1 → CLOSE' }],
  decide: (f) => finCandidatesFor(f, 'fin-wait1-aborted').map(([c]) => c!),
  tell: (f, { side, because }) => ({
    summary: `${sideEndpoint(f, side)} ${MAYBE}never reached FIN_WAIT2: ${because()}, without an ACK.`,
    remedy: 'See why the connection was reset: the finding of this connection that names the cause.',
    missing: [...wanted('packets', side), ...wantedOfPeer('reset-reason', side)],
  }),
  together: (all) => {
    const { values, who } = measured(
      all,
      (f) => f.lives.find((l) => l.find('FIN_WAIT1', 'CLOSE'))?.finWait1 ?? null,
    );
    const range =
      values.length === 0 ? '' : ` ${capital(`${who || 'they '}did so ${spans(values)} after the FIN.`)}`;
    return `${howMany(all)} ${MAYBE}went from FIN_WAIT1 straight to CLOSE, before the FIN was acknowledged.${range} They came from ${clients(all)}.`;
  },
};
