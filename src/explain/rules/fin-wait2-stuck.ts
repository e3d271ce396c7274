import { CLIENT, SERVER } from '../../model/connection.ts';
import { rowEvidence } from '../facts/evidence.ts';
import { stateEvents } from '../missing.ts';
import { otherSide, SIDE_NAMES } from '../procedures/common.ts';
import type { Rule } from '../rule.ts';
import { capital } from '../words.ts';

export const rule: Rule = {
  id: 'fin-wait2-stuck',
  group: 'stuck',
  title: 'FIN_WAIT2 held by its process: the peer does not close',
  severity: 'warning',
  happened: 'stood in FIN_WAIT2 because a process holds its half and the peer does not close',
  condition:
    'shutdown(SHUT_WR) with the descriptor open: no timeout of the kernel ends FIN_WAIT2 while the peer keeps its side open.',
  needs: ['tables'],
  reference: 'tcp_shutdown; tcp_fin_timeout applies to orphans only',
  explain: (f) => {
    for (const side of [CLIENT, SERVER] as const) {
      const row = f.rows(side).find((r) => r.state === 'FIN_WAIT2' && r.owner === 'known');
      const peer = otherSide(side);
      const ended =
        f.wire?.finTime(peer) != null || f.wire?.decisiveReset || f.life(side)?.find('FIN_WAIT2', 'CLOSE');
      if (!row || ended) continue;
      return {
        confidence: f.wire ? 'inferred' : 'possible',
        side: SIDE_NAMES[side]!,
        moment: f.atEvent(row),
        summary: `${capital(f.name(side))} has shut down its sending side and waits in FIN_WAIT2, its descriptor open, for ${f.name(peer)} to close.`,
        remedy:
          'Let the program close the descriptor after a time of its own; and see why the peer does not close.',
        evidence: [rowEvidence(f.world, row)],
        missing: [stateEvents('other side')],
      };
    }
    return null;
  },
};
