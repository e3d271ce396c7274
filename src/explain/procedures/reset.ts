/**
 * Which cause a reset had: kernel-notes §1.1 for packets, §2 for states. The likeliest first. A procedure step that
 * knows the cause of another group (half-handshake.ts) goes before all others.
 */
import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import { ACK, RST, type TcpState } from '../../model/tcp.ts';
import { type ForgedReset, resetMadeBetween } from '../facts/crossing.ts';
import { dropEvidence, packetEvidence, reasoning, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { LifeFacts } from '../facts/life.ts';
import { SYN_RTO } from '../facts/timing.ts';
import type { WireFacts, WireReset } from '../facts/wire.ts';
import { MAY_BE_RESET } from '../mask.ts';
import { memoised } from '../memo.ts';
import type { RuleId } from '../rules/index.ts';
import { span } from '../words.ts';
import { closedWhileConnecting } from './abandoned.ts';
import {
  activeReset,
  disconnection,
  reliefByCounters,
  whatItHadReceived,
  withSight,
} from './active-reset.ts';
import type { Candidate } from './candidate.ts';
import { maker, named, otherSide, SIDE_NAMES } from './common.ts';
import { droppedSyn, rejectedSyn } from './drop-events.ts';
import { gaveUp, tookReset, wasDestroyed } from './ended.ts';
import { unanswered } from './given-up.ts';
import { halfHandshakeReset } from './half-handshake.ts';
import { resetAfterSilence } from './idle.ts';
import { withoutSocket } from './kernel-leftover.ts';
import { kernelReset } from './kernel-reset.ts';
import { decisiveSaid } from './kernel-said.ts';
import { listenerClosed } from './listener-closed.ts';
import { passiveReset } from './passive-reset.ts';
import { isForeignTtl, usualTtl } from './ttl.ts';
import { untranslatedPacket, untranslatedReply } from './untranslated.ts';

/** Candidates for the reset that ended the connection; empty when none did, or when it ended well before. */
export const resetCandidates = memoised((f: Facts): Candidate[] => {
  if ((f.mask & MAY_BE_RESET) === 0) return [];
  const { wire } = f;
  const reset = wire?.decisiveReset;
  if (wire && reset && endedWell(wire)) return [];
  if (gaveUp(f)) return [];
  const told = kernelReset(f);
  if (told.length > 0) return told;
  const untranslated = untranslatedReply(f) ?? untranslatedPacket(f);
  if (untranslated) return [untranslated, ...named(['no-socket-reset'], 'client')];
  const forged = resetMadeBetween(f);
  if (forged) return madeBetween(f, forged);
  const half = halfHandshakeReset(f);
  if (half.length > 0) return half;
  if (wire && reset) return withoutSocket(decisiveSaid(f), onWire(f, wire, reset));
  return unanswered(f)?.end ? [] : inStates(f);
});

/** Both FINs were acknowledged before: the RST that came after ended nothing. */
function endedWell(wire: WireFacts): boolean {
  const acked = [wire.of(wire.wire.finAckedTime, CLIENT), wire.of(wire.wire.finAckedTime, SERVER)];
  const reset = wire.resets[0];
  return reset !== undefined && acked.every((t) => t !== null && t <= reset.packet.time);
}

function onWire(f: Facts, wire: WireFacts, reset: WireReset): Candidate[] {
  const idle = wire.finTime(reset.side) === null || reset.disowned ? resetAfterSilence(f, wire, reset) : null;
  const all = withoutIdle(f, wire, reset);
  if (!idle) return all;
  return idle.isKnown ? [idle.candidate, ...all] : [...all, ...named(['idle-mapping-expired'], 'path')];
}

function withoutIdle(f: Facts, wire: WireFacts, reset: WireReset): Candidate[] {
  if (reset.disowned) return disownedReset(f, wire, reset);
  if (isAlone(f, wire, reset)) return passiveReset(f, wire, reset);
  const elsewhere = fromElsewhere(f, wire, reset);
  if (elsewhere) return [elsewhere];
  const life = f.life(reset.side);
  const closed = listenerClosed(f, reset.side);
  if (closed.length > 0 && reset.shape !== 'passive') return closed;
  const isOwn = reset.shape !== 'passive' && reset.shape !== 'foreign';
  if (life && isOwn && wasDestroyed(life) && !tookReset(f, life)) return killedBySs(f, life);
  switch (reset.shape) {
    case 'passive':
      return passiveReset(f, wire, reset);
    case 'foreign':
      return foreignReset(f, wire, reset);
    default:
      return activeReset(f, wire, reset);
  }
}

/** §1.1 (5), seen from both ends. */
function madeBetween(f: Facts, forged: ForgedReset): Candidate[] {
  const { wire, reset, without, goesOn, lacksNothingElse } = forged;
  const { packet, side } = reset;
  const on = goesOn ? ', and it went on' : '';
  const proved = goesOn !== null && lacksNothingElse;
  const all = proved ? ', has all else that it sent' : '';
  const because = () => `the capture nearer to ${f.name(side)} was running${all} and has no RST of it${on}`;
  const evidence = [packetEvidence(f, wire, packet, () => `the RST, TTL ${packet.ttl}`)];
  if (goesOn)
    evidence.push(packetEvidence(f, without, goesOn, 'sent after that, as the nearer capture shows'));
  const moment = f.atPacket(wire, packet);
  const confidence = proved ? 'proved' : 'inferred';
  return [
    { rule: 'middlebox-reset', side: 'path', confidence, because, moment, evidence },
    ...named(['netfilter-drop'], 'path'),
  ];
}

/** Nothing is known of the connection but RSTs of one side. */
function isAlone(f: Facts, wire: WireFacts, { side }: WireReset): boolean {
  return (
    f.lives.length + f.case.rows.length === 0 &&
    wire.of(wire.wire.packets, otherSide(side)) === 0 &&
    wire.of(wire.wire.packets, side) === wire.of(wire.wire.rsts, side)
  );
}

/** §1.1 (5), seen from one end: a firewall that rejects, or an injector, reset both ends in each other's name. */
function disownedReset(f: Facts, wire: WireFacts, { packet, side }: WireReset): Candidate[] {
  const next = wire.packets.find((p) => wire.sideOf(p) === side && p.time > packet.time && !(p.flags & RST))!;
  const because = () =>
    `${f.name(side)} went on ${span(next.time - packet.time)} later as if it had not sent this RST, and the other side had taken it`;
  return [
    {
      rule: 'middlebox-reset',
      side: 'path',
      confidence: 'inferred',
      because,
      moment: f.atPacket(wire, packet),
      evidence: [packetEvidence(f, wire, packet, 'the RST'), packetEvidence(f, wire, next, 'and went on')],
    },
    ...named(['netfilter-drop'], 'path'),
  ];
}

/** §1.1 (4): like neither of the kernel's two ways. */
function foreignReset(f: Facts, wire: WireFacts, { packet, side }: WireReset): Candidate[] {
  const because = () =>
    'a RST of this shape is not made by Linux: ' +
    (packet.flags & ACK
      ? 'RST|ACK without window or timestamps on a flow that has them'
      : 'a window or options on a bare RST');
  const evidence = [packetEvidence(f, wire, packet, () => `TTL ${packet.ttl}`)];
  const moment = f.atPacket(wire, packet);
  const between: Candidate = {
    rule: 'middlebox-reset',
    side: 'path',
    confidence: 'possible',
    because,
    moment,
    evidence: [...evidence, reasoning(because)],
  };
  const own = unexplained(f, side, evidence, moment);
  // other stacks make such RSTs themselves
  return f.stack(side) === 'linux' ? [between, ...own] : [...own, between];
}

/** §1.1 (4): from another number of hops away than all else that bears this address. */
function fromElsewhere(f: Facts, wire: WireFacts, { packet, side }: WireReset): Candidate | null {
  const usual = usualTtl(wire, side, packet);
  if (!isForeignTtl(usual, packet.ttl)) return null;
  const other = wire.packets.find((p) => wire.sideOf(p) === side && p.ttl === usual)!;
  return {
    rule: 'middlebox-reset',
    side: 'path',
    confidence: 'inferred',
    because: () => `the RST has TTL ${packet.ttl}, all other packets of ${f.name(side)} ${usual}`,
    moment: f.atPacket(wire, packet),
    evidence: [
      packetEvidence(f, wire, packet, () => `TTL ${packet.ttl}`),
      packetEvidence(f, wire, other, () => `TTL ${usual}`),
    ],
  };
}

/** Without the packet: a socket went from a live state straight to CLOSE. */
function inStates(f: Facts): Candidate[] {
  const refused = refusedInStates(f);
  if (refused) return refused;
  const ended = byTime(f, f.lives);
  // whoever took the RST was only told of it
  const acted = ended.filter((l) => !tookReset(f, l));
  for (const life of acted) {
    const closed = listenerClosed(f, life.side);
    if (closed.length > 0) return closed;
  }
  const killed = acted.find(wasDestroyed);
  if (killed) return killedBySs(f, killed);
  const own = acted.find((l) => l.byOwner(l.abort!));
  if (own) return byOwnCall(f, own);
  return ended[0] ? fromOutside(f, ended[0]) : [];
}

/** Those that were aborted, the first to end first, where times tell. */
function byTime(f: Facts, lives: readonly LifeFacts[]): LifeFacts[] {
  const at = (l: LifeFacts) => f.atTransition(l, l.abort!);
  return lives.filter((l) => l.abort !== null).sort((a, b) => f.world.between(at(a), at(b)) ?? 0);
}

const ECONNREFUSED = 111;

/** SYN_SENT → CLOSE: a RST (or an ICMP error) answered the SYN; close() does it too, but in the process itself. */
function refusedInStates(f: Facts): Candidate[] | null {
  const life = f.life(CLIENT);
  const t = life?.find('SYN_SENT', 'CLOSE');
  if (!life || !t) return null;
  // the error is 0 when its process closed it, and that of an ICMP message, or of a timeout, when one of those did
  const error = t.fields?.error;
  if (t.fields && error !== ECONNREFUSED) return [];
  if (closedWhileConnecting(f)) return [];
  const { duration } = t;
  if (duration === null || duration >= SYN_RTO) return [];
  const rejected = rejectedSyn(f, f.atTransition(life, t));
  if (rejected) return [rejected];
  // one SYN was sent in that time: what dropped it tells that nothing refused it
  if (droppedSyn(f, null).some((c) => c.confidence === 'proved')) return [];
  // its own process may have closed it; on one machine the answer is handled in that process as well
  const own = life.byOwner(t);
  return [
    {
      rule: 'connection-refused',
      side: 'server',
      confidence: own ? 'possible' : 'inferred',
      because: () =>
        `the attempt ended ${span(duration)} after the SYN, before it could be sent again${own ? '; unless the client closed it itself' : ''}`,
      moment: f.atTransition(life, t),
      evidence: [transitionEvidence(f, life, t)],
    },
    ...named(['netfilter-drop', 'middlebox-reset'], 'path'),
  ];
}

/** tcp_abort runs in the process that asked for it. */
function killedBySs(f: Facts, life: LifeFacts): Candidate[] {
  const t = life.abort!;
  const make = maker({
    side: SIDE_NAMES[life.side],
    moment: f.atTransition(life, t),
    evidence: [transitionEvidence(f, life, t, () => `in the process ${t.comm} (${t.pid})`)],
  });
  const said = t.fields?.error === undefined ? '' : ` with sk_err ${t.fields.error} (ECONNABORTED)`;
  return [
    make(
      'socket-destroy-reset',
      'inferred',
      () => `its socket was closed in the context of ${t.comm} (${t.pid})${said}`,
    ),
  ];
}

/** Its own process closed it without a FIN: which call did, the states do not say (kernel-notes §2.0, G6). */
function byOwnCall(f: Facts, life: LifeFacts): Candidate[] {
  const t = life.abort!;
  const side = SIDE_NAMES[life.side];
  const evidence = [transitionEvidence(f, life, t, 'in its own process, without a FIN')];
  const make = maker({ side, moment: f.atTransition(life, t), evidence });
  const unread = whatItHadReceived(f, life.side);
  const relief = reliefByCounters(f, life.side);
  const disconnected = unread ? null : disconnection(f, life.side, relief, make);
  const list = [
    withSight(
      make(
        'unread-data-reset',
        unread || relief === 'unread-data-reset' ? 'inferred' : 'possible',
        unread?.because ?? 'close() with unread data in the receive buffer resets',
      ),
      unread,
    ),
    make(
      'linger-zero-reset',
      relief === 'linger-zero-reset' ? 'inferred' : 'possible',
      'close() with SO_LINGER set to 0 resets',
    ),
    make('disconnect-reset', 'possible', 'connect(AF_UNSPEC) resets'),
    make('socket-destroy-reset', 'possible', 'ss -K or another SOCK_DESTROY resets'),
  ];
  if (disconnected) return [disconnected, list[3]!, list[1]!, list[0]!];
  // what the peer sends on the same machine, or while this process runs, is handled in it as well (G12)
  const ofPeer = unread || relief ? [] : (CAUSES_FROM[t.from] ?? []);
  list.push(...named(ofPeer, SIDE_NAMES[1 - life.side]!));
  return relief === 'linger-zero-reset' && !unread ? [list[1]!, list[0]!, ...list.slice(2)] : list;
}

/** Something outside its process closed it: the peer's RST, or a timer. */
function fromOutside(f: Facts, life: LifeFacts): Candidate[] {
  const t = life.abort!;
  const peer = (1 - life.side) as SideIndex;
  const drops = f.resetDrops;
  const evidence = [
    transitionEvidence(f, life, t, 'not by its own process'),
    ...drops.map((d) => dropEvidence(f.world, d, 'a RST')),
  ];
  return unexplained(f, peer, evidence, f.atTransition(life, t), t.from);
}

const CAUSES_LIVE: readonly RuleId[] = [
  'unread-data-reset',
  'linger-zero-reset',
  'no-socket-reset',
  'keepalive-timeout-reset',
  'retransmission-timeout',
  'disconnect-reset',
  'socket-destroy-reset',
];
/** By the state in which the reset came: in FIN_WAIT1 this side had closed, in CLOSE_WAIT the sender of the RST. */
const CAUSES_FROM: Record<string, readonly RuleId[]> = {
  FIN_WAIT1: [
    'data-after-close-reset',
    'unread-data-reset',
    'no-socket-reset',
    'retransmission-timeout',
    'memory-pressure-reset',
    'linger-zero-reset',
    'disconnect-reset',
    'socket-destroy-reset',
  ],
  CLOSE_WAIT: [
    'time-wait-data-reset',
    'data-after-close-reset',
    'fin-wait2-expired-reset',
    'linger2-reset',
    'no-socket-reset',
    'unread-data-reset',
    'linger-zero-reset',
    'keepalive-timeout-reset',
    'disconnect-reset',
    'socket-destroy-reset',
  ],
};
const CAUSES_OF_LISTENER: readonly RuleId[] = [
  'listener-closed-reset',
  'cookie-overflow-reset',
  'request-expired-reset',
  'abort-on-overflow-reset',
];

/** A reset whose cause nothing here tells, with what can cause one in such a place. */
function unexplained(
  f: Facts,
  side: SideIndex,
  evidence: Candidate['evidence'],
  moment: Candidate['moment'],
  from?: TcpState,
): Candidate[] {
  const isSeen = f.wires.some((w) => w.of(w.wire.rsts, side) > 0);
  const what = isSeen ? 'sent a RST' : 'sent a RST, or the connection was given up';
  const because = () => `${f.name(side)} ${what}; nothing here says why`;
  const first: Candidate = {
    rule: 'unexplained-reset',
    side: SIDE_NAMES[side],
    confidence: 'possible',
    because,
    moment,
    evidence: [...evidence, reasoning(because)],
  };
  const causes = CAUSES_FROM[from ?? ''] ?? CAUSES_LIVE;
  const queue = side === SERVER ? CAUSES_OF_LISTENER : [];
  return [first, ...named([...causes, ...queue], SIDE_NAMES[side])];
}
