/** Kernel-notes §1.1 (3): a RST that a socket sent (tcp_send_active_reset). */
import { type KeyPacket, SERVER, type SideIndex } from '../../model/connection.ts';
import { FIN, seqDiff } from '../../model/tcp.ts';
import { NS_PER_S } from '../../model/time.ts';
import { type Citation, packetEvidence, rowEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { sentUnkept } from '../facts/last-word.ts';
import type { Keepalives, WireFacts } from '../facts/wire.ts';
import { nextSeq, type WireReset } from '../facts/wire-resets.ts';
import type { RuleId } from '../rules/index.ts';
import { count, span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { type Make, maker, named, otherSide, SIDE_NAMES } from './common.ts';
import { MANY, repeated } from './given-up.ts';
import { closedTo } from './held-back.ts';

export function activeReset(f: Facts, wire: WireFacts, reset: WireReset): Candidate[] {
  const { packet, side } = reset;
  const shape = wire.windowless
    ? ''
    : reset.shape === 'active'
      ? 'RST|ACK with a window: sent by the socket itself'
      : 'RST|ACK without a window, no timestamps to show more';
  const make = maker({
    side: SIDE_NAMES[side],
    moment: f.atPacket(wire, packet),
    evidence: [packetEvidence(f, wire, packet, shape)],
  });
  // while data wait for a closed window no keepalive is sent (tcp_keepalive_timer), and its probes end without a RST (tcp_probe_timer)
  const isHeldBack = closedTo(wire, reset) !== null;
  const probes = isHeldBack ? NO_PROBES : timedOut(wire.unansweredKeepalives(side, packet), packet);
  if (probes.count >= 2) {
    const because = () => `${count(probes.count, 'keepalive probe')} before it went unanswered`;
    return [
      make('keepalive-timeout-reset', 'inferred', because),
      ...named(['socket-destroy-reset', 'linger-zero-reset'], SIDE_NAMES[side]),
    ];
  }
  const lost = givenUp(f, wire, reset, make);
  const list = wire.finTime(side) === null ? withoutFin(f, wire, reset, make) : afterFin(wire, reset, make);
  // a device that follows the connection can make all of it, timestamps too
  const foreign = list[0]?.confidence === 'possible' ? named(['middlebox-reset'], 'path') : [];
  if (lost) return [lost, ...list, ...foreign];
  const { last } = probes;
  if (last === null) return [...list, ...foreign];
  const because = () =>
    `a keepalive probe ${span(packet.time - last)} before it went unanswered, the last it sent`;
  return [make('keepalive-timeout-reset', 'possible', because), ...list, ...foreign];
}

/** TCP_KEEPINTVL is at least so long, and by default that on other systems. */
const SHORTEST_INTERVAL = NS_PER_S;
const HALF = 1 / 2;

const NO_PROBES: Keepalives = { count: 0, last: null, interval: null };

/** The RST comes an interval after the last probe, when the next would be due; one that comes sooner has another cause. */
function timedOut(probes: Keepalives, reset: KeyPacket): Keepalives {
  const { last, interval } = probes;
  if (last === null) return NO_PROBES;
  return reset.time - last < (interval ?? SHORTEST_INTERVAL) * HALF ? NO_PROBES : probes;
}

/** What it sent again and again had no answer: other systems than Linux end that with a RST. */
function givenUp(f: Facts, wire: WireFacts, { packet, side }: WireReset, make: Make): Candidate | null {
  const repeats = wire.unansweredRepeats(side);
  if (repeats === null || repeats.count < MANY || repeats.last > packet.time) return null;
  const because = `${repeated(f.name(side), repeats)}; ${span(packet.time - repeats.last)} later it sent the RST. Linux gives up silently: another system, or its program, did`;
  return make('retransmission-timeout', 'possible', because);
}

/** It had not begun to close. Was data waiting that its process had not read? */
function withoutFin(f: Facts, wire: WireFacts, reset: WireReset, make: Make): Candidate[] {
  const { packet, side } = reset;
  const peer = otherSide(side);
  const neverSent = wire.sentNothing(side, packet);
  const neverReceived = wire.sentNothing(peer, packet);
  const silentServer = side === SERVER && neverSent ? named(['listener-closed-reset'], 'server') : [];
  const rest = [make('disconnect-reset', 'possible', ''), make('socket-destroy-reset', 'possible', '')];
  // tcp_check_oom at close, or tcp_out_of_resources when its window is probed
  if (closedTo(wire, reset) !== null) rest.push(make('memory-pressure-reset', 'possible', ''));
  const seen = whatItHadReceived(f, side) ?? whatFilledItsWindow(f, wire, reset);
  const relief = reliefByCounters(f, side);
  const linger = make(
    'linger-zero-reset',
    relief === 'linger-zero-reset' ? 'inferred' : 'possible',
    neverReceived
      ? () => `${f.name(side)} had received no data, so none can have been unread`
      : 'close() with SO_LINGER set to 0 ends a connection this way',
  );
  if (!seen && !(side === SERVER && neverSent)) {
    const disconnected = disconnection(f, side, relief, make);
    if (disconnected) return [disconnected, rest[1]!, linger, make('unread-data-reset', 'possible', '')];
  }
  if (neverReceived && !seen) return [linger, ...silentServer, ...rest];
  const last = lastReceived(wire, packet, peer);
  const waiting = last !== null && !answeredSince(wire, packet, side, last);
  const because = () =>
    seen?.because() ??
    (waiting
      ? `the last it had received were data (${span(packet.time - last.time)} before), and it sent nothing but ACKs since`
      : 'it had received data, and nothing shows that they were read');
  const sure = seen || relief === 'unread-data-reset' ? 'inferred' : 'possible';
  const unread = withSight(make('unread-data-reset', sure, because), seen);
  if (relief === 'linger-zero-reset' && !seen) return [linger, unread, ...silentServer, ...rest];
  return waiting || seen || relief !== null
    ? [unread, linger, ...silentServer, ...rest]
    : [linger, unread, ...silentServer, ...rest];
}

/** No Abort counter of its host rose, and the socket lives on: R-DISCONNECT. */
export function disconnection(
  f: Facts,
  side: SideIndex,
  relief: ReturnType<typeof reliefByCounters>,
  make: Make,
): Candidate | null {
  const life = f.life(side)?.life;
  const next = life ? f.world.nextAtAddress(life) : null;
  const birth = next?.role === 'client' ? next.transitions[0] : undefined;
  const again = birth !== undefined && birth.pid === life?.transitions.at(-1)?.pid;
  const none =
    'neither TCPAbortOnClose nor TCPAbortOnData rose, as close() with unread data or SO_LINGER 0 makes them';
  if (relief === 'disconnect-reset') {
    const why = again ? `${none}, and the same socket connected again` : none;
    return make('disconnect-reset', again ? 'inferred' : 'possible', why);
  }
  return again && relief === null
    ? make(
        'disconnect-reset',
        'possible',
        'a socket at the same kernel address was connected again by the same process',
      )
    : null;
}

/**
 * It had sent its FIN, and reset afterwards: close() of a socket that had been shut down finds unread data, or SO_LINGER
 * 0, like any other (__tcp_close asks for them in every state).
 */
function afterFin(wire: WireFacts, reset: WireReset, make: Make): Candidate[] {
  const { packet, side } = reset;
  const peer = otherSide(side);
  const fin = wire.finTime(side)!;
  const between = wire.before(packet, peer).filter((p) => p.time >= fin);
  const received = wire.of(wire.wire.bytes, peer);
  // what its FIN does not acknowledge it had not taken by then, whichever came first to the capture
  const ownFin = wire.finPacket(side);
  const isUntaken = (p: KeyPacket) => ownFin !== null && seqDiff(nextSeq(p), ownFin.ack) > 0;
  const data = wire.before(packet, peer).some((p) => p.payload > 0 && (p.time >= fin || isUntaken(p)));
  const unread = make(
    'unread-data-reset',
    'possible',
    data
      ? 'data came after its FIN'
      : () =>
          `${wire.oneDirection ? 'what it had received is not in the capture' : `it had received ${count(received, 'byte')}`}, and the RST came ${span(packet.time - fin)} after its FIN`,
  );
  const linger = make(
    'linger-zero-reset',
    'possible',
    'it had shut down its sending side, and reset when it was closed',
  );
  const rest: RuleId[] = ['linger2-reset', 'disconnect-reset', 'socket-destroy-reset'];
  // tcp_check_oom, with the FIN of the same close() or before any answer to it
  rest.push(between.length === 0 ? 'memory-pressure-reset' : 'fin-wait2-expired-reset');
  const others = rest.map((r) => make(r, 'possible', ''));
  // mid-stream, what was received before the capture began may be unread as well
  const first = data || (between.length === 0 && (received > 0 || !wire.sawHandshake));
  return first ? [unread, linger, ...others] : [linger, ...others, unread];
}

function lastReceived(wire: WireFacts, reset: KeyPacket, peer: SideIndex): KeyPacket | null {
  return wire.before(reset, peer).find((p) => p.payload > 0) ?? null;
}

/** Its process sent something when it had received this, as the numbers say: it had most likely read it. */
function answeredSince(wire: WireFacts, reset: KeyPacket, side: SideIndex, data: KeyPacket): boolean {
  // what is not kept may have been sent then
  if (sentUnkept(wire, side, reset)) return true;
  return wire
    .before(reset, side)
    .some((p) => p.payload > 0 && seqDiff(p.ack, nextSeq(data)) >= 0 && !(p.flags & FIN));
}

/** Bytes that nobody had read, and the row of a socket table that shows them. */
interface UnreadSight {
  because(): string;
  evidence: Citation;
}

export function withSight(candidate: Candidate, seen: UnreadSight | null): Candidate {
  return seen ? { ...candidate, evidence: [...candidate.evidence, seen.evidence] } : candidate;
}

/** The last socket table before the end shows bytes that nobody had read; null when none does. */
export function whatItHadReceived(f: Facts, side: SideIndex): UnreadSight | null {
  const row = f.rows(side).at(-1);
  if (!row || row.recvQ === 0 || (row.state !== 'ESTABLISHED' && row.state !== 'CLOSE_WAIT')) return null;
  // a received FIN counts as one in CLOSE_WAIT
  const unread = row.state === 'CLOSE_WAIT' ? row.recvQ - 1 : row.recvQ;
  if (unread <= 0) return null;
  const because = () => `a socket table showed ${count(unread, 'byte')} that nobody had read`;
  return { because, evidence: rowEvidence(f.world, row, 'not read before it was closed') };
}

/** A window that it had closed itself: what it had received lay there and was not read. A proxy may begin with one of 0. */
function whatFilledItsWindow(f: Facts, wire: WireFacts, { packet, side }: WireReset): UnreadSight | null {
  const closed = wire.of(wire.wire.closedWindow, side);
  const shut = wire.before(packet, side).find((p) => p.window === 0);
  if (!closed || !shut || wire.windowless || closed.since > packet.time) return null;
  const wasOpen = wire.before(packet, side).some((p) => p.window > 0);
  if (!wasOpen || wire.sentNothing(otherSide(side), packet)) return null;
  return {
    because: () =>
      `its receive window had been closed for ${span(packet.time - closed.since)}, full of what its process had not read`,
    evidence: packetEvidence(f, wire, shut, 'window 0: what it had received was not read'),
  };
}

/**
 * Counters that tell unread data from SO_LINGER 0 on the side's host: only one of the two rose, and by at least as
 * much as there are resets of that side to explain.
 */
export function reliefByCounters(
  f: Facts,
  side: SideIndex,
): 'unread-data-reset' | 'linger-zero-reset' | 'disconnect-reset' | null {
  const [end, peer] = [f.endpoint(side), f.endpoint(otherSide(side))];
  const onClose = f.world.rise('TCPAbortOnClose', end, peer);
  const onData = f.world.rise('TCPAbortOnData', end, peer);
  if (onClose === null || onData === null || (onClose > 0 && onData > 0)) return null;
  // readings that began later, or ended before, say nothing of this one
  const own = f.rise(side, onClose > 0 ? 'TCPAbortOnClose' : 'TCPAbortOnData', [f.resetSpell]);
  if (!own || (onClose + onData === 0 ? !own.covered : own.sum === 0)) return null;
  // a disconnect and SOCK_DESTROY raise neither
  if (onClose + onData === 0) return 'disconnect-reset';
  if (onClose + onData < (f.world.ownResets.byAddress.get(end.address) ?? 0)) return null;
  if (onClose > 0) return 'unread-data-reset';
  return onData > 0 ? 'linger-zero-reset' : null;
}
