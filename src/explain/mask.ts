/**
 * What a connection shows, as bits: known from counts before any rule looks at it. A rule is asked when one of the bits it
 * names is set; so nearly all connections, which open and close as they should, meet one rule.
 */
import { orderlyStates } from '../connect/orderly-lives.ts';
import { closesPromptly } from '../connect/outcome.ts';
import type { Case } from '../model/case.ts';
import type { SocketLife, WireConnection } from '../model/connection.ts';
import type { DropEvent, ProbedEvent } from '../model/event.ts';
import type { Outcome } from '../model/outcome.ts';
import * as outcome from '../model/outcome.ts';
import type { SocketEvent } from '../model/table-event.ts';
import { RST, SYN } from '../model/tcp.ts';
import { SHORTEST_RTO } from './facts/timing.ts';
import type { Rule } from './rule.ts';

export type Mask = number;

/** Both FINs acknowledged, one right after the other; no RST, and a handshake that repeats nothing. */
export const ORDERLY = 1 << 0;
/** A FIN, and not that. */
export const FIN_SEEN = 1 << 1;
export const RESET = 1 << 2;
/** A SYN that was sent again, crossed another, was not answered by a SYN-ACK, or after whose answer nothing came. */
export const SYN_TROUBLE = 1 << 3;
/** A SYN-ACK that was sent again. */
export const SYN_ACK_AGAIN = 1 << 4;
/** Something was sent again, or looks like that. */
export const SENT_AGAIN = 1 << 5;
/** Packets of it; of a connection with nothing else to tell this is the only bit. */
export const PACKETS = 1 << 6;
export const STATES = 1 << 7;
/** Rows of socket tables. */
export const ROWS = 1 << 8;
/** Packets of it that a kernel dropped on their way. */
export const DROPS = 1 << 9;
export const CALLS = 1 << 10;
/** What probes of a kernel said, but that its sockets were freed. */
export const EVENTS = 1 << 11;
/** More than one capture shows it. */
const SEVERAL = 1 << 12;
/** Its tuple had been used before. */
export const REUSED = 1 << 13;
/** Counters tell of SYN cookies. */
export const COOKIES = 1 << 14;
/** A socket whose states are not those of an orderly life, each once, or that had to wait for its SYN-ACK. */
export const ODD_STATES = 1 << 15;
/** ICMP errors about its segments. */
export const ICMP = 1 << 16;
/** Rows in another state than TIME_WAIT, which nothing waits for. */
export const OPEN_ROWS = 1 << 17;

/** Data or a FIN may have been sent again: a capture counts that, of a close in good order it is not asked. */
export const MAY_REPEAT = SENT_AGAIN | OPEN_ROWS | EVENTS | SEVERAL | ODD_STATES | ICMP;
/** A reset may have ended it. */
export const MAY_BE_RESET = RESET | ODD_STATES | EVENTS;
/** Its SYN, or the answer to it, may have been lost. */
export const MAY_LACK_ANSWER = SYN_TROUBLE | RESET | ODD_STATES | OPEN_ROWS | DROPS | EVENTS;
/** By what the packets of one capture say. */
export const MASK_OF: Readonly<Record<Exclude<Outcome, 0>, Mask>> = {
  [outcome.ORDERLY]: PACKETS | ORDERLY,
  // their SYN-ACK may have been sent again
  [outcome.HALF_OPEN]: PACKETS | SYN_TROUBLE | SYN_ACK_AGAIN | SENT_AGAIN,
  [outcome.UNANSWERED]: PACKETS | SYN_TROUBLE,
  [outcome.REFUSED]: PACKETS | SYN_TROUBLE | RESET,
  [outcome.OPEN]: PACKETS,
};

/** `reused`: the tuple had been used before. `cookies`: counters tell of SYN cookies. */
export function maskOf(c: Case, reused: boolean, cookies: boolean): Mask {
  const { lives, wires, drops, icmp, calls, rows, kernel } = c;
  let mask = (reused ? REUSED : 0) | (cookies ? COOKIES : 0);
  for (const life of lives) if (life) mask |= isOrderly(life) ? STATES : STATES | ODD_STATES;
  if (rows.length > 0) mask |= rows.some(isOpen) ? ROWS | OPEN_ROWS : ROWS;
  if (drops.some(wasUnderWay)) mask |= DROPS;
  if (icmp.length > 0) mask |= ICMP;
  if (calls.length > 0) mask |= CALLS;
  if (kernel.some(saysMore)) mask |= EVENTS;
  if (wires.length > 1) mask |= SEVERAL;
  for (const wire of wires) mask |= ofWire(wire);
  return mask;
}

function isOpen({ state }: SocketEvent): boolean {
  return state !== 'TIME_WAIT';
}

/** What is left in the receive queue of a socket that is freed is listed as dropped: its peer's FIN. */
function wasUnderWay({ flags, stack }: DropEvent): boolean {
  return flags === null || (flags & (SYN | RST)) !== 0 || stack[0] !== 'sk_stream_kill_queues';
}

/** No rule asks when a socket was freed. */
function saysMore(e: ProbedEvent): boolean {
  return e.kind !== 'probe' || e.name !== 'destroy';
}

/** Fields tell of trouble where there is an error; what else they say is of closes that such a path does not have. */
function isOrderly(life: SocketLife): boolean {
  if (orderlyStates(life) < 0 || life.transitions.some((t) => t.fields?.error !== undefined)) return false;
  const connected = life.transitions.find((t) => t.from === 'SYN_SENT');
  return connected === undefined || (connected.duration !== null && connected.duration < SHORTEST_RTO);
}

function ofWire(wire: WireConnection): Mask {
  const { syns, synAcks, rsts, fins } = wire;
  const [tries, answers] = [syns[0] + syns[1], synAcks[0] + synAcks[1]];
  const isReset = rsts[0] + rsts[1] > 0;
  if (!isReset && tries < 2 && answers < 2 && closedPromptly(wire)) return PACKETS | ORDERLY;
  const { packets, retransmits, outOfOrder, keepalives, windowProbes } = wire;
  const onlySyns = packets[0] === syns[0] || packets[1] === syns[1];
  let mask = PACKETS;
  if (isReset) mask |= RESET;
  if (tries > 1 || (tries > 0 && (answers === 0 || onlySyns))) mask |= SYN_TROUBLE;
  if (answers > 1) mask |= SYN_ACK_AGAIN;
  for (const [a, b] of [retransmits, outOfOrder, keepalives, windowProbes]) if (a + b > 0) mask |= SENT_AGAIN;
  return fins[0] + fins[1] > 0 ? mask | FIN_SEEN : mask;
}

function closedPromptly({ firstFin, finTime, finAckedTime }: WireConnection): boolean {
  if (firstFin === 'both') return false;
  const [a, b] = finTime;
  const [ackedA, ackedB] = finAckedTime;
  if (a === null || b === null || ackedA === null || ackedB === null) return false;
  return closesPromptly(a, b, ackedA, ackedB);
}

/** One capture shows that it closed in good order, and nothing else tells of it. */
export function isHealthy(mask: Mask): boolean {
  return mask === (PACKETS | ORDERLY);
}

/** Packets show it, and no close in good order: an attempt may have failed. */
export function isUnclear(mask: Mask): boolean {
  return (mask & (PACKETS | ORDERLY)) === PACKETS;
}

/** The rules that may hold for a mask: made once for each that occurs. */
export function rulesByMask(rules: readonly Rule[]): (mask: Mask) => readonly Rule[] {
  const table = new Map<Mask, readonly Rule[]>();
  return (mask) => {
    let own = table.get(mask);
    if (!own) {
      own = rules.filter((r) => (isHealthy(mask) ? r.when & ORDERLY : r.when & mask) !== 0);
      table.set(mask, own);
    }
    return own;
  };
}
