/** A SYN that offers ECN is swallowed, and the next one, which offers none (tcp_ecn_fallback), is answered. */
import { CLIENT, type KeyPacket, SERVER } from '../../model/connection.ts';
import { ACK, AE, CWR, ECE, SYN } from '../../model/tcp.ts';
import { packetEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { ListenerFacts } from '../facts/listener.ts';
import { SHORTEST_RTO } from '../facts/timing.ts';
import type { WireFacts } from '../facts/wire.ts';
import { memoised } from '../memo.ts';
import { count } from '../words.ts';
import type { Candidate } from './candidate.ts';

/** Connections of a server that are looked at for a SYN with ECN that was answered. */
const LOOKED_AT = 10_000;

interface Downgrade {
  wire: WireFacts;
  offered: readonly KeyPacket[];
  /** The first SYN without ECN, and its answer. */
  plain: KeyPacket;
  answer: KeyPacket;
}

/** SYNs with ECN without an answer, then one without ECN that was answered at once. */
function downgrade(f: Facts): Downgrade | null {
  for (const wire of f.wires) {
    const answer = wire.packets.find((p) => isSynAck(p) && wire.sideOf(p) === SERVER);
    const syns = wire.packets.filter(
      (p) => isSyn(p) && wire.sideOf(p) === CLIENT && (!answer || p.time < answer.time),
    );
    const offered = syns.filter(offersEcn);
    const plain = syns.find((p) => !offersEcn(p));
    if (!answer || !plain || offered.length === 0 || plain.time < offered.at(-1)!.time) continue;
    const isAtOnce = answer.time - plain.time < SHORTEST_RTO && syns.at(-1) === plain;
    if (isAtOnce && plain.time - offered.at(-1)!.time >= SHORTEST_RTO)
      return { wire, offered, plain, answer };
  }
  return null;
}

function isSyn({ flags }: KeyPacket): boolean {
  return (flags & (SYN | ACK)) === SYN;
}

function isSynAck({ flags }: KeyPacket): boolean {
  return (flags & (SYN | ACK)) === (SYN | ACK);
}

/** RFC 3168 §6.1.1; with AE as well: AccECN. */
function offersEcn({ flags }: KeyPacket): boolean {
  return (flags & (ECE | CWR)) === (ECE | CWR);
}

interface Swallowed {
  /** SYNs with ECN to this server; none of them was answered. */
  count: number;
  /** One was sent after an earlier one without ECN had been answered: no outage of a moment explains both. */
  isRepeated: boolean;
}

/** null when a SYN with ECN was answered: ECN gets through. */
const swallowed = memoised((listener: ListenerFacts): Swallowed | null => {
  const all: Downgrade[] = [];
  for (const f of listener.connections(LOOKED_AT)) {
    const found = downgrade(f);
    if (found) all.push(found);
    else if (f.wires.some(answersEcn)) return null;
  }
  const isAfter = (a: Downgrade, b: Downgrade) =>
    a.answer.source === b.answer.source && a.offered[0]!.time > b.answer.time;
  return {
    count: all.reduce((sum, { offered }) => sum + offered.length, 0),
    isRepeated: all.some((a) => isAfter(a, all[0]!) || isAfter(all[0]!, a)),
  };
});

function answersEcn(wire: WireFacts): boolean {
  const syns = wire.packets.filter((p) => isSyn(p) && wire.sideOf(p) === CLIENT);
  return syns.length > 0 && syns.every(offersEcn) && wire.of(wire.wire.synAcks, SERVER) > 0;
}

/** Nothing else explains it where that happened again later, and no SYN with ECN was ever answered there. */
export function ecnBlackHole(f: Facts): Candidate[] {
  const found = downgrade(f);
  const lost = found && swallowed(f.listener);
  if (!found || !lost) return [];
  const { wire, offered, plain, answer } = found;
  const accurate = offered.some((p) => p.flags & AE) ? ' (AccECN)' : '';
  return [
    {
      rule: 'ecn-syn-black-hole',
      side: 'path',
      confidence: lost.isRepeated ? 'inferred' : 'possible',
      because: () =>
        `${count(offered.length, 'SYN')} with ECN${accurate} had no answer, and the first without ECN was answered at once; no SYN with ECN to this server was answered (${lost.count} in all)`,
      moment: f.atPacket(wire, offered[0]!),
      evidence: [
        packetEvidence(f, wire, offered[0]!, 'offers ECN'),
        packetEvidence(f, wire, plain, 'offers none'),
        packetEvidence(f, wire, answer, 'the first answer'),
      ],
    },
  ];
}
