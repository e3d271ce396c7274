/** What packets alone, or a table alone, say of the side that closed first (kernel-notes §4.1). */
import { CLIENT, type KeyPacket, SERVER, type SideIndex } from '../../model/connection.ts';
import { ACK, FIN, seqDiff } from '../../model/tcp.ts';
import { type Citation, packetEvidence, rowEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { nextSeq } from '../facts/wire-resets.ts';
import { type Candidate, withEvidence } from './candidate.ts';
import { maker, named, otherSide, SIDE_NAMES } from './common.ts';

/** F-PIGGY: the packet that first acknowledged the FIN carried the peer's FIN. */
export function finWithAck(f: Facts, side: SideIndex): { fact: () => string; evidence: Citation[] } | null {
  const { wire } = f;
  const ack = wire?.ackOfFin(side);
  if (!wire || !ack || !(ack.flags & FIN)) return null;
  return {
    fact: () => carriedBoth(f.name(side)),
    evidence: [packetEvidence(f, wire, ack, CARRIES_BOTH)],
  };
}

/** `name`: of the side whose FIN came first. */
function carriedBoth(name: string): string {
  return `the packet that acknowledged the FIN of ${name} carried the peer's FIN`;
}
const CARRIES_BOTH = 'acknowledges the FIN and carries one';

/** Packets alone: only what admits one reading. */
export function fromWire(f: Facts, side: SideIndex): Candidate[] {
  const { wire } = f;
  const own = wire?.finPacket(side);
  if (!wire || !own) return [];
  const theirs = wire.finPacket(otherSide(side));
  const make = maker({
    side: SIDE_NAMES[side],
    moment: f.atPacket(wire, own),
    evidence: [packetEvidence(f, wire, own, 'its FIN')],
  });
  if (theirs && wire.firstFin === 'both') {
    if (side === SERVER && !f.life(CLIENT)) return []; // told once, of the client
    // a socket may have ended before the other FIN came: only one that lived acknowledges it
    const taken = ([CLIENT, SERVER] as const).every((s) => wire.of(wire.wire.finAckedTime, s) !== null);
    const crossed = 'neither FIN acknowledges the other: they crossed';
    const c = make('simultaneous-close', taken ? 'proved' : 'possible', crossed);
    return [withEvidence(c, [packetEvidence(f, wire, theirs, 'the other FIN')])];
  }
  if (wire.firstFin !== side) return [];
  const data = wire.dataAfterFin(side);
  const taken = data && wire.packets.find((p) => wire.sideOf(p) === side && takesAfter(own, p, data));
  if (data && taken && wire.of(wire.wire.rsts, side) === 0) {
    const c = make(
      'half-close',
      'proved',
      () =>
        `${f.name(side)} went on to receive data after its FIN, which only a socket that its process still holds does`,
    );
    return [
      withEvidence(c, [
        packetEvidence(f, wire, data, 'data after the FIN'),
        packetEvidence(f, wire, taken, 'acknowledges them'),
      ]),
    ];
  }
  return [];
}

/** A table alone: FIN_WAIT2 with its process is a half-close, with the timewait timer a minisock. */
export function fromTables(f: Facts, side: SideIndex): Candidate[] {
  const row = f.rows(side).find((r) => r.state === 'FIN_WAIT2');
  if (!row) return [];
  const make = maker({
    side: SIDE_NAMES[side],
    moment: f.atEvent(row),
    evidence: [rowEvidence(f.world, row)],
  });
  if (row.owner === 'known')
    return [make('half-close', 'inferred', 'a socket table shows it in FIN_WAIT2 with its process')];
  if (row.timer?.name === 'timewait') {
    return [
      make('fin-wait2-in-minisock', 'proved', 'a socket table shows FIN_WAIT2 with the timewait timer'),
    ];
  }
  return row.owner === 'none'
    ? [
        make('fin-wait2-in-minisock', 'possible', 'a socket table shows FIN_WAIT2 without a process'),
        ...named(['long-fin-wait2'], SIDE_NAMES[side]),
      ]
    : [];
}

/**
 * Whether a packet from behind the FIN acknowledges data that the FIN did not: by their times and numbers, because a list of
 * packets may be out of order.
 */
function takesAfter(fin: KeyPacket, p: KeyPacket, data: KeyPacket): boolean {
  if (!(p.flags & ACK) || data.time < fin.time || p.time < data.time) return false;
  const isBehind = seqDiff(p.seq, nextSeq(fin)) >= 0;
  return isBehind && seqDiff(fin.ack, nextSeq(data)) < 0 && seqDiff(p.ack, nextSeq(data)) >= 0;
}
