import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import { type Citation, rowEvidence, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { OPEN_ROWS, STATES } from '../mask.ts';
import { wanted } from '../missing.ts';
import { otherSide, SIDE_NAMES } from '../procedures/common.ts';
import { stillHeld } from '../procedures/probed-fin.ts';
import type { Moment, Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'fin-wait2-stuck'> = {
  id: 'fin-wait2-stuck',
  group: 'stuck',
  title: 'FIN_WAIT2 held open by its process: the peer does not close',
  severity: 'warning',
  happened: 'stayed in FIN_WAIT2 because a process holds its half open and the peer does not close',
  condition:
    'shutdown(SHUT_WR) with the descriptor open: no timeout of the kernel ends FIN_WAIT2 while the peer keeps its side open.',
  when: OPEN_ROWS | STATES,
  reference: 'tcp_shutdown; tcp_fin_timeout applies to orphans only',
  signatures: [
    {
      by: ['tables', 'packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'FIN_WAIT2 with its process, and no FIN of the peer to the end',
    },
    {
      by: ['fields', 'packets'],
      kernels: '5.5+ with BTF',
      claims: 'inferred',
      sign: 'not SOCK_DEAD in FIN_WAIT2 to the end of the events',
    },
    { by: ['tables'], kernels: 'any', claims: 'possible', sign: 'FIN_WAIT2 with its process' },
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'possible',
      sign: 'not SOCK_DEAD in FIN_WAIT2 to the end of the events',
    },
  ],
  decide: (f) => {
    for (const side of [CLIENT, SERVER] as const) {
      const row = f.rows(side).find((r) => r.state === 'FIN_WAIT2' && r.owner === 'known');
      const peer = otherSide(side);
      const ended =
        f.wire?.finTime(peer) != null || f.wire?.decisiveReset || f.life(side)?.find('FIN_WAIT2', 'CLOSE');
      if (ended) continue;
      const shown = row
        ? { moment: f.atEvent(row), evidence: rowEvidence(f.world, row) }
        : heldInStates(f, side);
      if (!shown) continue;
      return {
        confidence: f.wire ? 'inferred' : 'possible',
        side: SIDE_NAMES[side]!,
        moment: shown.moment,
        evidence: [shown.evidence],
      };
    }
    return null;
  },
  tell: (f, verdict) => {
    const side = verdict.side === 'client' ? CLIENT : SERVER;
    const peer = otherSide(side);
    return {
      summary: `${f.name(side)} has shut down its sending side and waits in FIN_WAIT2 with its descriptor open: ${f.name(peer)} ${MAYBE}does not close.`,
      remedy:
        'Let the program close the descriptor after a time of its own; and see why the peer does not close.',
      missing: wanted('states', SIDE_NAMES[peer]!),
    };
  },
};

/** Long enough in FIN_WAIT2, its process holding it, that the peer is not just about to close. ns. */
const LONG = 1_000_000_000;

/** The state events end in FIN_WAIT2, and the capture went on. */
function heldInStates(f: Facts, side: SideIndex): { moment: Moment; evidence: Citation } | null {
  const life = f.life(side);
  const start = life?.life.state === 'FIN_WAIT2' ? life.find('FIN_WAIT1', 'FIN_WAIT2') : null;
  if (!life || !start?.fields || !stillHeld(start.fields)) return null;
  const moment = f.atTransition(life, start);
  if ((f.probes.recordedAfter(moment) ?? 0) < LONG) return null;
  return { moment, evidence: transitionEvidence(f, life, start, 'its process still held it') };
}
