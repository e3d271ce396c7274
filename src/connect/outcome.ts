/** What became of a connection, told from its record alone. */
import { HALF_OPEN, OPEN, ORDERLY, type Outcome, REFUSED, UNANSWERED } from '../model/outcome.ts';
import { OPT_TIMESTAMP } from '../model/packet.ts';
import { ACK, RST } from '../model/tcp.ts';
import { NS_PER_MS } from '../model/time.ts';
import {
  ACKED,
  ADDRESS,
  BITS,
  BYTES,
  CLIENT_BIT,
  FIN_ACKED,
  FIN_ACKED_AT,
  FIN_AT,
  FINS,
  FIRST_FIN_MASK,
  FIRST_FIN_SHIFT,
  FIRST_IS_BOTH,
  ISN,
  LAST_PACKET,
  ORIENTATION_MASK,
  ORIENTED_BY_SYN,
  PACKED_ACK,
  PACKED_FLAGS,
  PACKED_OPTIONS,
  PACKED_SEQ,
  PACKED_WINDOW,
  PACKETS,
  PORTS,
  PROCESS,
  REUSED,
  RSTS,
  SIDE_BITS,
  SYN_ACKS,
  SYNS,
  TROUBLE,
} from './layout.ts';
import { type Store, sideOf } from './store.ts';

/** More SYN-ACKs than this may not all be kept. */
const FEW = 8;

/** A peer that closes when it reads the end of file does so before its delayed ACK would be due (TCP_DELACK_MAX and a tick). */
const DELAYED_ACK_MAX = 210 * NS_PER_MS;

/**
 * Whether two FINs that did not cross, both acknowledged, came without a wait between: no half-open rest. Of either side
 * the time of its FIN, and of that FIN's acknowledgment; false when one is NaN.
 */
export function closesPromptly(finA: number, finB: number, ackedA: number, ackedB: number): boolean {
  return Math.max(finA, finB) - Math.min(ackedA, ackedB) < DELAYED_ACK_MAX;
}

export function outcomeOf(store: Store, at: number): Outcome {
  const words = store.connections.words;
  const ports = words[at + PORTS]!;
  if (words[at + BITS]! & REUSED || ports >>> 16 === 0 || (ports & 0xffff) === 0) return 0;
  if (words[at + TROUBLE] !== 0) {
    if (store.troubled(at, 0, PROCESS) !== 0 || store.troubled(at, 1, PROCESS) !== 0) return 0;
  }
  const a = words[sideOf(at, 0) + SIDE_BITS]!;
  const b = words[sideOf(at, 1) + SIDE_BITS]!;
  if (a & b & FIN_ACKED) return orderly(store, at);
  return isOpen(words, at) ? OPEN : attempt(store, at);
}

/** Neither a FIN nor a RST nor anything sent again, and a handshake that is whole or lies before the capture. */
function isOpen(words: Int32Array, at: number): boolean {
  if (words[at + TROUBLE] !== 0) return false;
  const client = words[at + BITS]! & CLIENT_BIT ? 1 : 0;
  const [mine, peers] = [sideOf(at, client), sideOf(at, 1 - client)];
  return (
    words[mine + FINS]! + words[peers + FINS]! === 0 &&
    words[mine + SYNS]! <= 1 &&
    words[mine + SYNS] === words[peers + SYN_ACKS] &&
    words[peers + SYNS]! + words[mine + SYN_ACKS]! === 0 &&
    words[mine + PACKETS]! > words[mine + SYNS]!
  );
}

function orderly(store: Store, at: number): Outcome {
  const { words, doubles } = store.connections;
  const client = words[at + BITS]! & CLIENT_BIT ? 1 : 0;
  const [mine, peers] = [sideOf(at, client), sideOf(at, 1 - client)];
  if (
    words[mine + SYNS]! > 1 ||
    words[peers + SYNS]! > 0 ||
    words[peers + SYN_ACKS]! > 1 ||
    words[mine + SYN_ACKS]! > 0
  )
    return 0;
  if (store.troubled(at, 0, RSTS) + store.troubled(at, 1, RSTS) > 0) return 0;
  if (((words[at + BITS]! >> FIRST_FIN_SHIFT) & FIRST_FIN_MASK) === FIRST_IS_BOTH) return 0;
  const of = (side: number, offset: number) => doubles[(sideOf(at, side) + offset) >> 1]!;
  // false as well when one of them is not there
  return closesPromptly(of(0, FIN_AT), of(1, FIN_AT), of(0, FIN_ACKED_AT), of(1, FIN_ACKED_AT)) ? ORDERLY : 0;
}

/** A connection that never came to be. */
function attempt(store: Store, at: number): Outcome {
  const { words, doubles } = store.connections;
  const bits = words[at + BITS]!;
  // the client is who was seen first
  if ((bits & ORIENTATION_MASK) !== ORIENTED_BY_SYN || bits & CLIENT_BIT) return 0;
  const [client, server] = [sideOf(at, 0), sideOf(at, 1)];
  const syns = words[client + SYNS]!;
  const answers = words[server + PACKETS]!;
  if (words[client + PACKETS] !== syns || answers > FEW) return 0;
  if (words[client + FINS]! + words[server + FINS]! > 0) return 0;
  if (doubles[(client + BYTES) >> 1] !== 0 || doubles[(server + BYTES) >> 1] !== 0) return 0;
  if (store.troubled(at, 0, RSTS) !== 0) return 0;
  if (syns !== 1) return 0;
  if (answers === 0) return isOfItself(words, at) ? 0 : UNANSWERED;
  const isAnswered = words[server + ACKED] === ((words[client + ISN]! + 1) | 0);
  if (words[server + SYN_ACKS] === answers) return isAnswered ? HALF_OPEN : 0;
  return answers === 1 && isRefusal(words, server + LAST_PACKET, words[client + ISN]!) ? REFUSED : 0;
}

/** RST with ACK of the SYN, window, number and timestamp of none: tcp_v4_send_reset, in answer to it. */
function isRefusal(words: Int32Array, packet: number, isn: number): boolean {
  const flags = words[packet + PACKED_FLAGS]!;
  return (
    (flags & 0x1ff & (ACK | RST)) === (ACK | RST) &&
    flags >>> 9 === 0 &&
    words[packet + PACKED_ACK] === ((isn + 1) | 0) &&
    words[packet + PACKED_SEQ] === 0 &&
    (words[packet + PACKED_WINDOW]! & 0xffff) === 0 &&
    (words[packet + PACKED_OPTIONS]! & OPT_TIMESTAMP) === 0
  );
}

/** Between one address and itself: what comes from outside so is another story. */
function isOfItself(words: Int32Array, at: number): boolean {
  for (let i = at + ADDRESS; i < at + ADDRESS + 4; i++) if (words[i] !== words[i + 4]) return false;
  return true;
}
