/**
 * Plain connections: those of which the packets of one capture admit one reading that needs no other connection and no
 * other evidence. They never become cases; their rows are written straight from the tracker's records.
 */
import type { KeyPacket, Pair, Side, SideIndex, SocketLife, WireConnection } from './connection.ts';
import type { TcpState } from './tcp.ts';
import { NS_PER_MS, type SourceTime } from './time.ts';

/** Both FINs acknowledged, one after the other, no RST: closed in good order. */
export const ORDERLY = 1;
/** One SYN, answered; then nothing of the client. */
export const HALF_OPEN = 2;
/** One SYN, without an answer. */
export const UNANSWERED = 3;
/** One SYN, answered with a RST. */
export const REFUSED = 4;
/** Nothing went wrong as long as it was seen; its end is not in the capture. */
export const OPEN = 5;
export const PLAIN_KINDS = [ORDERLY, HALF_OPEN, UNANSWERED, REFUSED, OPEN] as const;
export type PlainKind = (typeof PLAIN_KINDS)[number];

/** The rule of the group fin-wait2 that the states of the sockets and the packets prove of an orderly one; '' for none. */
export type ToldByStates = '' | 'fin-with-ack' | 'fin-wait2-in-minisock';

/**
 * The whole life of a socket that closed in good order, every state of it once. Steps are numbered from 0; step n leads
 * from states[n] to states[n + 1]. One object is filled with one life after the other.
 */
export interface PlainLife {
  readonly source: number;
  readonly side: Side;
  readonly states: readonly TcpState[];
  /** Its process, where a step in its own context names it. */
  readonly pid: number | null;
  readonly comm: string;
  line(step: number): number;
  time(step: number): SourceTime | null;
  /** Time in the state before, ns; null when not printed. */
  duration(step: number): number | null;
}

/** What packets of an orderly connection tell of its beginning and its end; NaN for what is not there. */
export interface PlainMoments {
  /** Reasons for which packets were kept. */
  whys: number;
  /** From the SYN to the SYN-ACK that answers it, where its packets stand in the order of a handshake. */
  answered: number;
  /** The third packet of the handshake. */
  thirdAck: number;
  /** Data that were sent again: how often, and when last. */
  repeats: number;
  lastRepeat: number;
  /** The first packet that acknowledges the first FIN. */
  ackTime: number;
  ackFlags: number;
  ackPayload: number;
}

/**
 * What a row about a plain connection needs. One object is filled with one connection after the other. Arrays are
 * [client, server]; times are of the capture's clock.
 */
export interface PlainConnection {
  /** n of its id `cn`. */
  number: number;
  kind: PlainKind;
  source: number;
  readonly clientAddress: string;
  /** See addressKey. */
  clientKey: number;
  clientPort: number;
  readonly serverAddress: string;
  serverPort: number;
  start: SourceTime;
  end: SourceTime;
  startFrame: number;
  readonly packets: readonly [number, number];
  readonly bytes: readonly [number, number];
  readonly syns: readonly [number, number];
  readonly synAcks: readonly [number, number];
  readonly retransmits: readonly [number, number];
  /** Of ORDERLY: the first FIN of each side, and the first packet of the other that acknowledges it. */
  readonly finTime: readonly [SourceTime, SourceTime];
  readonly finAckedTime: readonly [SourceTime, SourceTime];
  /** The whole lives of its sockets, where logs of states have them: those of orderly ones that agree with the packets. */
  readonly lives: Readonly<Pair<PlainLife | null>>;
  readonly finWait2: ToldByStates;
  readonly connState: string;
  readonly history: string;
  readonly completeness: number;
  readonly encapsulation: string;
  /**
   * The time from the SYN to the SYN-ACK that follows it, ns, NaN where the capture does not show that; times of all
   * SYN-ACKs are added to the list.
   */
  handshake(synAcks: { push(time: number): unknown }): number;
  /** `first`: the side whose FIN came first. The object is the same each time. */
  moments(first: SideIndex): PlainMoments;
  /** FINs and packets that acknowledge one, in the order of the capture. */
  closing(): KeyPacket[];
  /** The same as a view, valid until the next one is read. */
  view(): WireConnection;
}

/** The plain connections of the captures, those told of as cases left out. */
export interface PlainConnections {
  readonly count: number;
  /** Every time from the first on, in the order of first sight. The object is the same each time. */
  each(): Iterable<PlainConnection>;
  /** The life of a socket of one of them that came next at the kernel address of this one; null when none did. */
  nextAtAddress(life: SocketLife): SocketLife | null;
}

/** A peer that closes when it reads the end of file does so before its delayed ACK would be due (TCP_DELACK_MAX and a tick). */
const DELAYED_ACK_MAX = 210 * NS_PER_MS;

/**
 * Whether two FINs, both acknowledged, came one after the other without a wait between: neither crossing nor with a
 * half-open rest. Of either side the time of its FIN, and of that FIN's acknowledgment; false when one is NaN.
 */
export function closesPromptly(finA: number, finB: number, ackedA: number, ackedB: number): boolean {
  const crossed = finA < ackedB && finB < ackedA;
  return !crossed && Math.max(finA, finB) - Math.min(ackedA, ackedB) < DELAYED_ACK_MAX;
}
