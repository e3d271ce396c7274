/**
 * Connections that the client holds for made and the server does not (kernel-notes §3: S-ACCEPTQ-ACK,
 * S-ABORT-OVERFLOW, S-REQ-EXPIRED, S-SYNQ-COOKIE): the third ACK met a full accept queue. What follows depends on
 * whether the server kept a request for the connection, and on tcp_abort_on_overflow.
 */
import { sameEndpoint } from '../../model/address.ts';
import { CLIENT, type KeyPacket, SERVER } from '../../model/connection.ts';
import { ACK, seqDiff } from '../../model/tcp.ts';
import { NS_PER_S } from '../../model/time.ts';
import { dropEvidence, packetEvidence, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { completion, repeatedSynAcks, synAcksOf } from '../facts/handshake.ts';
import type { ListenerFacts } from '../facts/listener.ts';
import { REQUEST_LIFE, RTO_MIN, retransmissionAt, SHORTEST_REQUEST } from '../facts/timing.ts';
import type { WireFacts } from '../facts/wire.ts';
import { memoised } from '../memo.ts';
import type { Moment } from '../rule.ts';
import { span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { type Make, maker, named } from './common.ts';
import { cookiesInUse } from './cookies.ts';
import { acceptQueueOverflowAck, fullQueue } from './overflow-ack.ts';

/**
 * Whether the server made a socket of the handshake in the end. `unknown`: it sent bare ACKs that acknowledge the SYN and no
 * more. A request sends such an ACK too (tcp_check_req, send_ack): for a segment outside its window, and from 7.2 and the
 * stable queues of August 2026 on for a RST with an inexact number (RFC 5961 §3.2; from source, not run).
 */
function serverSocket(f: Facts): 'seen' | 'none' | 'unknown' {
  if (f.life(SERVER) || f.rows(SERVER).some((r) => r.state !== 'SYN_RECV')) return 'seen';
  const { wire } = f;
  if (!wire || wire.of(wire.wire.synAcks, SERVER) === 0 || wire.sentOnlySynAcks(SERVER)) return 'none';
  const [isn, acked] = [wire.of(wire.wire.isn, CLIENT), wire.of(wire.wire.acked, SERVER)];
  const isOfSyn = isn !== null && acked !== null && seqDiff(acked, isn) === 1;
  const isSilent = wire.sentNothing(SERVER) && wire.finTime(SERVER) === null;
  return isOfSyn && isSilent && wire.of(wire.wire.keepalives, SERVER) === 0 ? 'unknown' : 'seen';
}

/** A reset of such a connection: which of the ways the server may take. Empty when this is none of them. */
export const halfHandshakeReset = memoised((f: Facts): Candidate[] => {
  const socket = serverSocket(f);
  if (socket === 'seen') return [];
  const { wire } = f;
  const reset = wire?.decisiveReset;
  if (!wire || !reset) return socket === 'none' ? inStates(f) : [];
  const fits = reset.side === SERVER && reset.shape === 'passive' && wire.of(wire.wire.synAcks, SERVER) > 0;
  if (!fits || !completion(f)) return [];
  if (socket === 'none') return onWire(f);
  // only a request repeats its SYN-ACK; a socket may have come of it after that
  return repeatedSynAcks(f).length > 0 ? onWire(f).map((c) => ({ ...c, confidence: 'possible' })) : [];
});

/** On the wire: which of the client's segments was reset, and when. */
function onWire(f: Facts): Candidate[] {
  const wire = f.wire!;
  const reset = wire.decisiveReset!;
  const { packet, answers } = reset;
  const first = completion(f)!;
  const synAck = synAcksOf(wire)[0];
  const waited = synAck ? packet.time - synAck.time : 0;
  const evidence = [
    packetEvidence(f, wire, packet, 'no window, no options: an answer to a packet, not from a socket'),
  ];
  if (answers) evidence.unshift(packetEvidence(f, wire, answers, 'the packet it answers'));
  const make = maker({ side: 'server', moment: f.atPacket(wire, packet), evidence });
  const excluded = abortExcluded(f);

  const gone = listenerGone(f, f.atPacket(wire, packet));
  if (gone) return [make('no-socket-reset', 'inferred', gone), ...named(['request-expired-reset'], 'server')];
  if (isBeforeTimer(wire, packet)) {
    return [
      make(
        'no-socket-reset',
        'possible',
        () =>
          `the listener may have been closed in between: the RST came ${span(waited)} after the first of ${wire.of(wire.wire.synAcks, SERVER)} SYN-ACKs, before the next was due`,
      ),
      make('abort-on-overflow-reset', 'possible', 'its first segments may have been lost before the server'),
      ...named(['request-expired-reset'], 'server'),
    ];
  }
  if (repeatedSynAcks(f).length > 0 || waited >= SHORTEST_REQUEST) {
    const because = () =>
      `the RST came ${span(waited)} after the SYN-ACK, of which there were ${wire.of(wire.wire.synAcks, SERVER)}`;
    const sure = repeatedSynAcks(f).length > 0 && waited >= SHORTEST_REQUEST;
    return [
      make('request-expired-reset', sure ? 'inferred' : 'possible', because),
      make('no-socket-reset', 'possible', 'the listener may have been closed in between'),
      make('abort-on-overflow-reset', 'possible', 'its first segments may have been lost before the server'),
    ];
  }
  const later = answers !== null && answers.seq !== first.seq && answers.time > first.time;
  const cookie = make(
    'cookie-overflow-reset',
    later && (excluded !== null || cookiesInUse(f.listener)) ? 'inferred' : 'possible',
    'the ACK that completed the handshake went unanswered and a later segment was reset',
  );
  const queueKnown = fullQueue(f).length > 0;
  const abort = make(
    'abort-on-overflow-reset',
    f.sysctl(SERVER, 'net.ipv4.tcp_abort_on_overflow') === 1 && queueKnown ? 'inferred' : 'possible',
    'the very ACK that completed the handshake was reset',
  );
  const rest = [
    make(
      'stray-ack-reset',
      'possible',
      'the ACK may have matched neither a half-open connection nor a valid cookie',
    ),
    make(
      'request-expired-reset',
      'possible',
      'the half-open connection may have been dropped early from a crowded queue',
    ),
    make('no-socket-reset', 'possible', 'the listener may have been closed in between'),
  ];
  if (later) return excluded ? [cookie, ...rest] : [cookie, abort, ...rest];
  return excluded ? [...rest, cookie] : [abort, ...rest, cookie];
}

/** TCP_RTO_MAX, ns: no timer waits longer. */
const LONGEST_WAIT = 120 * NS_PER_S;

/**
 * A request is given up where its timer would send the SYN-ACK again (reqsk_timer_handler), and the timer waits twice as
 * long as the time before; an eighth is the granularity of the timer wheel. A SYN that comes again moves the timer.
 */
function isBeforeTimer(wire: WireFacts, reset: KeyPacket): boolean {
  const [last, previous] = synAcksOf(wire).reverse();
  if (!last || !previous || wire.of(wire.wire.syns, CLIENT) > 1) return false;
  const wait = Math.min(2 * (last.time - previous.time), LONGEST_WAIT);
  return reset.time - last.time < (wait * 7) / 8;
}

/** The listener was closed before: its requests went with it. Null when nothing shows that. */
function listenerGone(f: Facts, moment: Moment): string | null {
  const before = (earlier: Moment) => {
    const apart = f.world.between(moment, earlier);
    return apart !== null && apart >= 0 && apart < REQUEST_LIFE;
  };
  if (f.listener.closings.some((c) => before(c.moment))) {
    return 'the listener had been closed before, and its half-open connections went with it';
  }
  return f.listener.bursts.some(before)
    ? 'the server had reset the connections of its accept queue before, as it does when the listener is closed'
    : null;
}

/** Without packets of it: the client's socket went straight to CLOSE. */
function inStates(f: Facts): Candidate[] {
  const life = f.life(CLIENT);
  const abort = life?.abort;
  if (!life || !abort || life.byOwner(abort) || !life.was('ESTABLISHED')) return [];
  const elapsed = life.find('FIN_WAIT1', 'CLOSE') ? life.finWait1 : abort.duration;
  if (elapsed === null) return [];
  const queue = fullQueue(f);
  const overflow = acceptQueueOverflowAck(f);
  const drops = f.resetDrops.filter((d) => sameEndpoint(d.from, f.case.server));
  const bare = drops.filter((d) => !(d.flags! & ACK));
  const evidence = [
    transitionEvidence(f, life, abort, 'straight to CLOSE, without an answer to its FIN'),
    ...bare.map((d) =>
      dropEvidence(f.world, d, 'the RST itself, without ACK: an answer to a packet, not from a socket'),
    ),
    ...(overflow ? overflow.evidence : queue),
  ];
  const make = maker({ side: 'server', moment: f.atTransition(life, abort), evidence });
  if (overflow) return expired(f, elapsed, bare.length > 0, make);
  if (queue.length === 0 || elapsed >= RTO_MIN) return [];
  return resetAtOnce(f, elapsed, make);
}

function expired(f: Facts, elapsed: number, bare: boolean, make: Make): Candidate[] {
  const resend = retransmissionAt(elapsed, f.connectTime);
  const because = () =>
    resend
      ? `the reset came ${span(elapsed)} after the FIN: the moment of the client's ${ordinal(resend.n)} retransmission ` +
        `(${span(resend.rto)} doubled each time: ${2 ** resend.n - 1} × ${span(resend.rto)})`
      : `the reset came ${span(elapsed)} after the FIN`;
  const known = resend !== null || bare;
  const list = [make('request-expired-reset', known ? 'inferred' : 'possible', because)];
  if (!outlived(f, elapsed))
    list.push(make('no-socket-reset', 'possible', 'the listener may have been closed in between'));
  list.push(...named(['middlebox-reset'], 'path'));
  return list;
}

/** A connection of the same burst waited longer than this for the listener: it was still there. */
function outlived(f: Facts, elapsed: number): boolean {
  return f.listener.longestCloseWait > elapsed;
}

function resetAtOnce(f: Facts, elapsed: number, make: Make): Candidate[] {
  const excluded = abortExcluded(f);
  const cookies = cookiesInUse(f.listener);
  const cookie = make(
    'cookie-overflow-reset',
    cookies && excluded !== null ? 'inferred' : 'possible',
    () =>
      `the reset came ${span(elapsed)} after the FIN, before anything could have been sent again` +
      (excluded === null ? '' : `; ${excluded}`) +
      (cookies ? '; and this listener was sending SYN cookies' : ''),
  );
  const abort = make(
    'abort-on-overflow-reset',
    'possible',
    'with tcp_abort_on_overflow=1 the ACK of the handshake itself is reset',
  );
  const rest = [
    make(
      'stray-ack-reset',
      'possible',
      'the segment may have matched neither a half-open connection nor a valid cookie',
    ),
    ...named(['middlebox-reset'], 'path'),
  ];
  if (excluded !== null) return [cookie, ...rest];
  return cookies ? [cookie, abort, ...rest] : [abort, cookie, ...rest];
}

/** Why tcp_abort_on_overflow cannot have been on; null when it can. */
function abortExcluded(f: Facts): string | null {
  if (f.sysctl(SERVER, 'net.ipv4.tcp_abort_on_overflow') === 0) return 'tcp_abort_on_overflow is 0';
  const survivor = overflowSurvivor(f.listener);
  return survivor && survivor !== f
    ? `tcp_abort_on_overflow cannot have been on, or port ${survivor.case.client.port} would have been reset at its ACK as well`
    : null;
}

/** A connection whose ACK met the full queue and was not reset for it. */
const overflowSurvivor = memoised((listener: ListenerFacts) =>
  listener.notable.find((o) => acceptQueueOverflowAck(o)?.confidence === 'inferred'),
);

function ordinal(n: number): string {
  return ['', 'first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth'][n] ?? `${n}th`;
}
