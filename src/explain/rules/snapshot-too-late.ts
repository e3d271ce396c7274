import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import { packetEvidence, rowEvidence, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { ROWS } from '../mask.ts';
import { wanted } from '../missing.ts';
import { otherSide, SIDE_NAMES, sideEndpoint } from '../procedures/common.ts';
import type { Rule, Verdict } from '../rule.ts';
import { MAYBE, span } from '../words.ts';

export interface Missed extends Verdict {
  /** FIN_WAIT2 as the packets show it, ns. */
  lasted: number | null;
}

export const rule: Rule<'snapshot-too-late', Missed> = {
  id: 'snapshot-too-late',
  group: 'fin-wait2',
  title: 'FIN_WAIT2 ended before the snapshot, or between two',
  severity: 'info',
  happened: 'had left FIN_WAIT2 when a socket table was taken',
  condition:
    'Only polled tables look for FIN_WAIT2: it lasts from the ACK of the FIN to the FIN of the peer, and one that begins and ends between two tables is in none.',
  when: ROWS,
  reference: 'tcp_time_wait; netstat(8) and ss(8) show one moment',
  signatures: [
    {
      by: ['tables', 'states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'FIN_WAIT2 lasted between two tables',
    },
    { by: ['tables', 'packets'], kernels: 'any', claims: 'inferred', sign: 'the same from the packets' },
  ],
  decide: (f) => [missed(f, CLIENT), missed(f, SERVER)].filter((d) => d !== null),
  tell: (f, { side, lasted }) => ({
    summary:
      `FIN_WAIT2 of ${sideEndpoint(f, side)} ${lasted === null ? 'is in no other file' : `lasted ${span(lasted)}`}, and ${MAYBE}ended before the socket table was taken: ` +
      'the table that shows this socket has it in TIME_WAIT.',
    remedy:
      'No action needed. To see FIN_WAIT2, record state events or packets; polling a table misses what is short.',
    missing: lasted === null ? wanted('states', side) : [],
  }),
};

/** A table shows the side in TIME_WAIT, so FIN_WAIT2 is over if there was one, and none shows it in FIN_WAIT2. */
function missed(f: Facts, side: SideIndex): Missed | null {
  const rows = f.rows(side);
  const late = rows.find((r) => r.state === 'TIME_WAIT');
  if (!late || rows.some((r) => r.state === 'FIN_WAIT2')) return null;
  const life = f.life(side);
  const step = life?.find('FIN_WAIT1', 'FIN_WAIT2') ?? null;
  const ack = f.wire?.ackOfFin(side) ?? null;
  const onWire = f.wire?.finWait2(side) ?? null;
  // in none at all: the FIN came with the ACK, or the FINs crossed
  if ((f.wire && (onWire === null || onWire === 0)) || (life && !step)) return null;
  const evidence = [rowEvidence(f.world, late)];
  if (life && step) evidence.push(transitionEvidence(f, life, step));
  const fin = f.wire?.finPacket(otherSide(side));
  if (f.wire && ack && fin) {
    evidence.push(
      packetEvidence(f, f.wire, ack, 'FIN_WAIT2 begins'),
      packetEvidence(f, f.wire, fin, 'and ends'),
    );
  }
  const known = onWire !== null;
  return {
    confidence: known ? 'inferred' : 'possible',
    side: SIDE_NAMES[side]!,
    moment: f.atEvent(late),
    evidence,
    lasted: onWire,
    alternatives: known ? [] : ['fin-with-ack', 'simultaneous-close'],
  };
}
