/** Kernel-notes §1.1 (1, 2): a RST that answers a packet (tcp_v4_send_reset). What it answers tells the cause. */
import { CLIENT, SERVER, WHY_KEEPALIVE } from '../../model/connection.ts';
import { OPT_TIMESTAMP } from '../../model/packet.ts';
import { ACK, FIN, flagNames, isSenseless, SYN } from '../../model/tcp.ts';
import { packetEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { synAckTtl } from '../facts/handshakes-at.ts';
import { MARGIN, SHORTEST_FIN_WAIT2, TIME_WAIT } from '../facts/timing.ts';
import type { WireFacts } from '../facts/wire.ts';
import type { WireReset } from '../facts/wire-resets.ts';
import type { RuleId } from '../rules/index.ts';
import { count, span } from '../words.ts';
import { behindLoss } from './behind-loss.ts';
import type { Candidate } from './candidate.ts';
import { type Make, maker, named, otherSide, SIDE_NAMES, timeWaitOverflow } from './common.ts';
import { rejectedSyn } from './drop-events.ts';
import { keepAliveRace } from './idle.ts';
import { AN_ANSWER, ANSWERED, REFUSAL_CAUSES, REFUSED_BECAUSE } from './refusal.ts';
import { isForeignTtl } from './ttl.ts';
import { answersHandshake, whileConnecting } from './while-connecting.ts';

export function passiveReset(f: Facts, wire: WireFacts, reset: WireReset): Candidate[] {
  const { packet, side, answers } = reset;
  const bare = !wire.windowless && packet.window === 0 && !(packet.options & OPT_TIMESTAMP);
  const text = bare && reset.answered !== 'late' ? AN_ANSWER : '';
  const evidence = [packetEvidence(f, wire, packet, text)];
  if (answers) evidence.unshift(packetEvidence(f, wire, answers, ANSWERED));
  const make = maker({ side: SIDE_NAMES[side], moment: f.atPacket(wire, packet), evidence });
  if (reset.refuses) return refused(f, wire, reset, make);
  if (reset.answered === 'late') return unprompted(f, wire, reset, make);
  if (reset.answered === 'none' || packet.flags & ACK) return unseen(f, reset, make);
  if (side === CLIENT && answersHandshake(wire, reset)) return whileConnecting(f, wire, reset, make);
  const found =
    wire.finTime(side) !== null && wire.finTime(side)! < packet.time
      ? afterFin(f, wire, reset, make)
      : vanished(f, wire, reset, make);
  // which of the packets with this number it answers is not known
  return answers ? found : found.map((c) => ({ ...c, confidence: 'possible' }));
}

/** (1) A SYN met no listener, or a firewall that rejects. */
function refused(f: Facts, wire: WireFacts, { side, packet }: WireReset, make: Make): Candidate[] {
  const rejected = rejectedSyn(f, f.atPacket(wire, packet));
  if (rejected) return [rejected];
  const others = named(REFUSAL_CAUSES, 'path').map((c) => ({ ...c, side: SIDE_NAMES[side] }));
  if (f.listener.sights.length > 0) {
    const because =
      'a SYN was answered with a RST although a socket table shows a listener on that port: it listens on another address, was closed at that moment, or a firewall rejects';
    return [make('connection-refused', 'possible', because), ...others];
  }
  const usual = synAckTtl(f.listener)(String(wire.wire.source));
  if (isForeignTtl(usual, packet.ttl)) {
    const because = () =>
      `a SYN was answered with a RST of TTL ${packet.ttl}, where the SYN-ACKs of ${f.name(side)} have ${usual}: a firewall or another host answered in its name`;
    return [make('connection-refused', 'possible', because), ...others];
  }
  if (packet.payload > 0) {
    const because = () =>
      `${REFUSED_BECAUSE}. Linux puts no data into its RSTs, this one has ${count(packet.payload, 'byte')}: another system refused it, or a device did`;
    return [make('connection-refused', 'inferred', because), ...others];
  }
  if (packet.seq === 0) return [make('connection-refused', 'inferred', REFUSED_BECAUSE), ...others];
  const because = () =>
    `${REFUSED_BECAUSE}. Linux answers so with sequence number 0, this RST has another: another system refused it, a device did, or the SYN-ACK of a connection that was reset right after it is not in the capture`;
  const accepted = named(['listener-closed-reset', 'linger-zero-reset'], SIDE_NAMES[side]);
  return [make('connection-refused', 'inferred', because), ...others, ...accepted];
}

/** Causes of a RST without ACK, by what it may answer. */
const ANSWERS_SOMETHING: readonly RuleId[] = [
  'no-socket-reset',
  'data-after-close-reset',
  'time-wait-data-reset',
  'fin-wait2-expired-reset',
  'linger2-reset',
  'stray-ack-reset',
];

/** What it answers is not in the capture: nobody there is known to have been refused, or to have lost a socket. */
function unseen(f: Facts, { side, packet, answers }: WireReset, make: Make): Candidate[] {
  const peer = f.name(otherSide(side));
  if (answers && isSenseless(answers.flags)) {
    const because = () =>
      `${f.name(side)} sent a RST to ${peer}, whose segment had flags that no TCP sends (${flagNames(answers.flags)}): a port scan, or damage`;
    return [make('unexplained-reset', 'possible', because), ...named(['middlebox-reset'], 'path')];
  }
  const what = packet.flags & ACK && packet.seq === 0 ? 'SYN' : 'packet';
  const because = () =>
    `${f.name(side)} sent a RST that answers no packet of ${peer} in the capture: the ${what} came from a forger of that address (backscatter), took another way, or came before the capture began`;
  return [
    make('unexplained-reset', 'possible', because),
    ...named(what === 'SYN' ? ['connection-refused'] : ANSWERS_SOMETHING, SIDE_NAMES[side]),
    ...named(['middlebox-reset'], 'path'),
  ];
}

/** Linux sends a RST without ACK only in answer, at once. What ends connections that nobody uses needs no packet for it. */
function unprompted(f: Facts, wire: WireFacts, { side, packet }: WireReset, make: Make): Candidate[] {
  const peer = otherSide(side);
  const last = wire.before(packet, peer)[0]!;
  const because = () =>
    `a RST without ACK came in the name of ${f.name(side)} ${span(packet.time - last.time)} after the last packet of ${f.name(peer)}: Linux sends such only at once, in answer to a packet, and none is in the capture`;
  return [
    { ...make('middlebox-reset', 'possible', because), side: 'path' },
    ...named(['unexplained-reset', 'no-socket-reset'], SIDE_NAMES[side]),
  ];
}

/** The side had sent its FIN: which of its sockets, if any, met the packet? */
function afterFin(f: Facts, wire: WireFacts, reset: WireReset, make: Make): Candidate[] {
  const { packet, side, answers } = reset;
  const acked = wire.ackOfFin(side);
  const since = acked ? packet.time - acked.time : null;
  if (acked && answers === acked && answers.payload === 0 && !(answers.flags & FIN)) {
    const because = () =>
      `the RST answers the very packet that acknowledged its FIN, ${span(since ?? 0)} later`;
    const others = named(['fin-wait2-expired-reset', 'no-socket-reset'], SIDE_NAMES[side]);
    if (isPrompt(wire, since ?? 0)) return [make('linger2-reset', 'inferred', because), ...others];
    // what it answers may be a packet that the file lacks
    const later = named(['data-after-close-reset', 'time-wait-data-reset'], SIDE_NAMES[side]);
    return [make('linger2-reset', 'possible', because), ...later, ...others];
  }
  const timeout = (f.sysctl(side, 'net.ipv4.tcp_fin_timeout') ?? TIME_WAIT / 1e9) * 1e9;
  if (since !== null && since > timeout) {
    return [
      make(
        'fin-wait2-expired-reset',
        'inferred',
        () =>
          `the peer sent again ${span(since)} after the FIN of ${f.name(side)} was acknowledged: longer than tcp_fin_timeout keeps FIN_WAIT2`,
      ),
      ...named(['time-wait-overflow', 'no-socket-reset'], SIDE_NAMES[side]),
    ];
  }
  const data = answers !== null && answers.payload > 0;
  return data ? dataAfterFin(f, wire, reset, make) : finAfterFin(f, wire, reset, make);
}

/** As soon as the handshake shows that an answer comes; true where no handshake shows it. */
function isPrompt(wire: WireFacts, after: number): boolean {
  const syn = wire.packets.find((p) => p.flags & SYN);
  const ack = syn && wire.packets.find((p) => !(p.flags & SYN) && p.time > syn.time);
  return !syn || !ack || after <= ack.time - syn.time + MARGIN;
}

/** A FIN or ACK that FIN_WAIT2 would have taken: nothing of the connection was left. */
function finAfterFin(f: Facts, wire: WireFacts, { side, packet }: WireReset, make: Make): Candidate[] {
  const peer = otherSide(side);
  const what = wire.finTime(peer) === null ? 'a packet' : 'the FIN';
  const because = () =>
    `${what} of ${f.name(peer)} was answered with a RST: nothing of the connection was left at ${f.name(side)}`;
  const acked = wire.ackOfFin(side);
  if (acked && packet.time - acked.time < SHORTEST_FIN_WAIT2) {
    const early = () =>
      `${because()}, ${span(packet.time - acked.time)} after its FIN was acknowledged: too early for FIN_WAIT2 to have expired`;
    return [
      make('no-socket-reset', 'possible', early),
      ...named(['time-wait-overflow', 'linger2-reset'], SIDE_NAMES[side]),
    ];
  }
  const shown = f.rows(side).some((r) => r.state === 'FIN_WAIT2' && r.owner !== 'known');
  const expired = make('fin-wait2-expired-reset', shown ? 'inferred' : 'possible', because);
  const rise = timeWaitOverflow(f, side) ?? 0;
  if (rise > 0 && !shown) {
    const none = () =>
      `${because()}, and TCPTimeWaitOverflow rose by ${rise}, so no timewait socket was made`;
    return [make('no-socket-reset', 'inferred', none), expired];
  }
  return [expired, ...named(['time-wait-overflow', 'linger2-reset', 'no-socket-reset'], SIDE_NAMES[side])];
}

/** Data met the full socket, the minisock in its place, or nothing any more. */
function dataAfterFin(f: Facts, wire: WireFacts, reset: WireReset, make: Make): Candidate[] {
  const { packet, side, answers } = reset;
  const name = f.name(side);
  const acked = wire.ackOfFin(side);
  const bytes = answers!.payload;
  const ackedBefore = acked !== null && acked !== answers && acked.time < answers!.time;
  const life = f.life(side);
  const gap = acked ? packet.time - acked.time : 0;
  const stay = life?.find('FIN_WAIT2', 'CLOSE') ? life.finWait2 : null;
  const inFull = stay !== null && stay >= gap - MARGIN;
  // a FIN that is sent again in vain is given up some time, in silence
  const inVain = !ackedBefore && wire.before(packet, side).filter((p) => p.flags & FIN).length > 1;
  const again = inVain ? ', which it had sent more than once,' : '';
  const unacked = `, while its FIN${again} was not acknowledged yet`;
  const full = make(
    'data-after-close-reset',
    (ackedBefore && !inFull) || inVain ? 'possible' : 'inferred',
    () => `${bytes} bytes reached ${name} after it had closed${ackedBefore ? '' : unacked}`,
  );
  if (!ackedBefore) {
    const race = keepAliveRace(f, wire, reset, make);
    const others = named(
      inVain ? ['no-socket-reset', 'fin-unacknowledged', 'time-wait-data-reset'] : ['time-wait-data-reset'],
      SIDE_NAMES[side],
    );
    return [...(race ? [race] : []), full, ...others];
  }
  const timer = f.rows(side).find((r) => r.timer?.name === 'timewait')?.timer?.left ?? null;
  const late = timer !== null && gap > timer;
  const minisock = make(
    'time-wait-data-reset',
    stay !== null && !inFull && !late ? 'inferred' : 'possible',
    () => `${bytes} bytes reached ${name} ${span(gap)} after its FIN had been acknowledged`,
  );
  const expired = make(
    'fin-wait2-expired-reset',
    'possible',
    late
      ? `${bytes} bytes reached ${name} ${span(gap)} after its FIN had been acknowledged, when the ${span(timer)} that a socket table gave its timewait socket may have been over`
      : '',
  );
  const rest = named(['linger2-reset'], SIDE_NAMES[side]);
  const maybe = gap < SHORTEST_FIN_WAIT2 ? [] : [expired];
  if (inFull) return [full, minisock, ...maybe, ...rest];
  return late ? [expired, minisock, full, ...rest] : [minisock, full, ...maybe, ...rest];
}

/** A live connection's packet met no socket. */
function vanished(f: Facts, wire: WireFacts, reset: WireReset, make: Make): Candidate[] {
  const late = behindLoss(f, wire, reset, make);
  if (late) return late;
  const { side, answers, packet } = reset;
  const name = f.name(side);
  const own = wire.before(packet, side)[0];
  const idle = own ? packet.time - own.time : null;
  const probe = answers !== null && answers.why & WHY_KEEPALIVE ? 'a keepalive probe' : 'a packet';
  const quiet = idle === null ? '' : ` (its last packet was ${span(idle)} before)`;
  const because = () =>
    `${probe} of the connection reached ${name}, which no longer had a socket for it${quiet}`;
  const midstream = !wire.sawHandshake || (answers !== null && (answers.flags & FIN) !== 0);
  // a lone segment to a port that listens: it met the listener
  if (!wire.sawHandshake && side === SERVER && f.case.listener && wire.of(wire.wire.packets, CLIENT) === 1) {
    const stray = 'the server knew nothing of a connection, and the segment met its listener';
    return [
      make('stray-ack-reset', 'possible', stray),
      ...named(['no-socket-reset', 'request-expired-reset'], 'server'),
    ];
  }
  return [
    make('no-socket-reset', 'possible', because),
    ...named(
      midstream
        ? ['data-after-close-reset', 'time-wait-data-reset', 'fin-wait2-expired-reset', 'stray-ack-reset']
        : ['stray-ack-reset', 'retransmission-timeout', 'request-expired-reset'],
      SIDE_NAMES[side],
    ),
    ...named(['middlebox-reset', 'untranslated-packet-reset'], 'path'),
  ];
}
