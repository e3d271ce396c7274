/**
 * How Zeek divides packets among connections: which packets it takes for the first of a new one, and who it then
 * calls the originator. Times of day play no part: its timers run on packet time.
 */
import type { Packet } from '../../model/packet.ts';
import { ACK, SYN } from '../../model/tcp.ts';
import { NS_PER_S } from '../../model/time.ts';
import { ACKED, CLOSED_AT, DID_CLOSE, ISN, LAST_TIME, SIDE_BITS, START, STARTED } from '../layout.ts';
import { otherSide, type Store, sideOf } from '../store.ts';
import { endpointState, INACTIVE, originator, SYN_ACK_SENT, SYN_SENT } from './zeek-endpoint.ts';

/** tcp_attempt_delay: a SYN that nobody answered is forgotten. */
const ATTEMPT = 5 * NS_PER_S;
/** tcp_close_delay: a closed connection waits for stragglers. */
const CLOSE_DELAY = 5 * NS_PER_S;
/** tcp_inactivity_timeout, and before one endpoint is past the handshake udp_inactivity_timeout, which is set first. */
const INACTIVITY = 300 * NS_PER_S;
const HANDSHAKE_INACTIVITY = 60 * NS_PER_S;

/** likely_server_ports with the scripts that are loaded by default. */
const SERVER_PORTS = new Set([
  21, 22, 25, 53, 79, 80, 81, 88, 110, 135, 139, 143, 389, 443, 445, 502, 563, 585, 587, 614, 631, 636, 989,
  990, 992, 993, 995, 1080, 1434, 1883, 2811, 3128, 3268, 3306, 3389, 5222, 5223, 5269, 5432, 6379, 6666,
  6667, 6668, 6669, 8000, 8080, 8888, 20000,
]);

/** Whether the first packet of a connection, when it is no SYN, is taken for one of the responder. */
export function comesFromResponder(p: Packet): boolean {
  if ((p.flags & (SYN | ACK)) === SYN || !SERVER_PORTS.has(p.srcPort)) return false;
  if (!SERVER_PORTS.has(p.dstPort)) return true;
  return (p.flags & SYN) === 0 && p.srcPort < p.dstPort;
}

/** Whether Zeek would have forgotten the connection by the time of the packet, or takes it for a reuse of the tuple. */
export function isNewForZeek(store: Store, at: number, p: Packet): boolean {
  return hasExpired(store, at, p.time) || isReuse(store, at, p);
}

function hasExpired(store: Store, at: number, now: number): boolean {
  const { words, doubles } = store.connections;
  if (now >= doubles[(at + CLOSED_AT) >> 1]! + CLOSE_DELAY) return true;
  const start = doubles[(at + START) >> 1]!;
  const from = originator(words, at);
  const o = endpointState(words[sideOf(at, from) + SIDE_BITS]!);
  const r = endpointState(words[sideOf(at, otherSide(from)) + SIDE_BITS]!);
  if (r === INACTIVE && isHandshake(o) && now >= start + ATTEMPT) return true;
  const last = Math.max(
    start,
    doubles[(sideOf(at, 0) + LAST_TIME) >> 1]!,
    doubles[(sideOf(at, 1) + LAST_TIME) >> 1]!,
  );
  return now > last + (isHandshake(o) && isHandshake(r) ? HANDSHAKE_INACTIVITY : INACTIVITY);
}

function isHandshake(state: number): boolean {
  return state === INACTIVE || state === SYN_SENT || state === SYN_ACK_SENT;
}

/** A SYN after a close, or with another sequence number; a SYN-ACK only while the originator has not been seen. */
function isReuse(store: Store, at: number, p: Packet): boolean {
  if (!(p.flags & SYN)) return false;
  const words = store.connections.words;
  const from = originator(words, at);
  const orig = words[sideOf(at, from) + SIDE_BITS]!;
  const resp = words[sideOf(at, otherSide(from)) + SIDE_BITS]!;
  if (p.flags & ACK && endpointState(orig) !== INACTIVE) return false;
  if ((orig | resp) & DID_CLOSE) return true;
  if (p.seq === firstSequence(words, at, p.flags & ACK ? otherSide(from) : from)) return false;
  const isReversed =
    !(p.flags & ACK) && endpointState(orig) === SYN_ACK_SENT && endpointState(resp) === INACTIVE;
  return !(isReversed && p.seq === firstSequence(words, at, otherSide(from)));
}

/** The endpoint's initial sequence number, taken from the peer's acknowledgment while it has sent nothing. */
function firstSequence(words: Int32Array, at: number, side: number): number {
  const mine = sideOf(at, side);
  if (words[mine + SIDE_BITS]! & STARTED) return words[mine + ISN]!;
  return (words[sideOf(at, otherSide(side)) + ACKED]! - 1) | 0;
}
