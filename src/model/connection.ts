/** Connections as the wire shows them and socket lives as the kernel tells them. */
import type { Endpoint } from './address.ts';
import type { SocketFields } from './event.ts';
import type { CapturedProcess } from './process.ts';
import type { Stack } from './stack.ts';
import type { TcpState } from './tcp.ts';
import type { SourceTime } from './time.ts';

/** Index of a side in pairs: the client sent the SYN (else: is not the listener's port; else: was seen first). */
export const CLIENT = 0;
export const SERVER = 1;
export type SideIndex = 0 | 1;
export type Side = 'client' | 'server';
export const SIDES: readonly Side[] = ['client', 'server'];

/** A value per side, [client, server]. */
export type Pair<T> = [T, T];

/** Why a packet was kept as a key moment. Bits of KeyPacket.why. */
export const WHY_SYN = 1;
export const WHY_SYN_ACK = 2;
/** First pure ACK of the SYN sender: the third segment of the handshake. */
export const WHY_THIRD_ACK = 4;
export const WHY_FIRST_DATA = 8;
export const WHY_FIN = 16;
export const WHY_RST = 32;
/** The last packet of either side before a RST: what a passive RST may answer. */
export const WHY_BEFORE_RST = 64;
/** Sequence space below the highest already seen from that side was sent again. */
export const WHY_RETRANSMIT = 128;
/** Acknowledges the other side's FIN for the first time. */
export const WHY_ACK_OF_FIN = 256;
/** Payload towards a side that has sent its FIN. */
export const WHY_DATA_AFTER_FIN = 512;
export const WHY_KEEPALIVE = 1024;
export const WHY_ZERO_WINDOW = 2048;
/** Last packet of that side in the evidence. */
export const WHY_LAST = 4096;

/** One packet that matters to an explanation, kept after its frame is gone. Numbers as in Packet; seq, ack signed. */
export interface KeyPacket {
  source: number;
  frame: number;
  time: SourceTime;
  side: SideIndex;
  vantage: number;
  why: number;
  flags: number;
  seq: number;
  ack: number;
  payload: number;
  window: number;
  options: number;
  tsVal: number;
  tsEcr: number;
  ttl: number;
  ipId: number;
}

/** Data and FINs sent again: how often, when something new had last been sent, and when something again for the last time. */
export interface Repeats {
  count: number;
  since: SourceTime;
  last: SourceTime;
}

/** Since a side closed its window for the latest time: its segments with window 0, and probes of the other side. */
export interface ClosedWindow {
  since: SourceTime;
  answers: number;
  probes: number;
}

/**
 * One life of a 4-tuple in one capture. Sides are oriented client → server. Counts exclude sightings of the same
 * segment at a second interface. Made by the tracker; a light view over its columns, read when it is needed.
 */
export interface WireConnection {
  source: number;
  client: Endpoint;
  server: Endpoint;
  /** What the orientation rests on; `guess`: the side seen first is called the client. */
  orientation: 'syn' | 'syn-ack' | 'guess';
  start: SourceTime;
  end: SourceTime;
  startFrame: number;
  packets: Pair<number>;
  /** Payload bytes without retransmissions. */
  bytes: Pair<number>;
  /** Initial sequence number when the side's SYN (or SYN-ACK) was seen, else null. */
  isn: Pair<number | null>;
  /** SYN without ACK per side, SYN with ACK per side, repeats included. */
  syns: Pair<number>;
  synAcks: Pair<number>;
  fins: Pair<number>;
  rsts: Pair<number>;
  /** As Wireshark counts them, and so are the four below: see connect/again.ts. */
  retransmits: Pair<number>;
  /** What the side sent again since the other was last heard; null when nothing. */
  repeats: Pair<Repeats | null>;
  /** The longest time without any packet, of a second or more, that something new ended; rounded to ms. null for none. */
  silence: { from: SourceTime; to: SourceTime } | null;
  /** Segments that came behind later ones, within a round trip: too soon to have been sent again. */
  outOfOrder: Pair<number>;
  /** Segments just below what was sent before (also Linux's probes of a zero window, which are no other). */
  keepalives: Pair<number>;
  /** Of these, the ones since the other side was last heard. */
  unansweredKeepalives: Pair<number>;
  /** One byte into a window that the peer has closed. */
  windowProbes: Pair<number>;
  zeroWindows: Pair<number>;
  /** null where the window last advertised is not 0. */
  closedWindow: Pair<ClosedWindow | null>;
  /**
   * Whose FIN was first: of two the one that acknowledges the other is second, and `both` are first when neither does.
   * FINs outside the receiver's window are none. null without any.
   */
  firstFin: SideIndex | 'both' | null;
  /** Time of the side's first FIN, and of the first packet of the other side that acknowledges it. */
  finTime: Pair<SourceTime | null>;
  finAckedTime: Pair<SourceTime | null>;
  /** Time of the first RST, by side. */
  rstTime: Pair<SourceTime | null>;
  lastTime: Pair<SourceTime | null>;
  /** From the side's first SYN to its ACK that completes the handshake, ns; null without, or where that brings data. */
  handshake: Pair<number | null>;
  /** Highest sequence number after the side's data, SYN and FIN; null when it sent nothing. */
  nextSeq: Pair<number | null>;
  /** Highest acknowledgment the side sent; null when it sent none. */
  acked: Pair<number | null>;
  /** Last window advertised, scaled when both scales are known. */
  window: Pair<number | null>;
  /** Window scale announced in SYN or SYN-ACK, null when not seen. */
  windowScale: Pair<number | null>;
  ttl: Pair<number | null>;
  /** Whose the side's SYN or SYN-ACK is; `unknown` when none was seen. */
  stack: Pair<Stack>;
  /** 1 when the capturing host received this side's packets, 2 when it sent them, 0 unknown. */
  direction: Pair<number>;
  /** Process at each end, where comments of the capture's packets name it (ptcpdump); null elsewhere. */
  processes: Pair<CapturedProcess | null>;
  /** Packets seen again at another interface of the same capture. */
  duplicateSightings: number;
  /** Zeek's labels, of the client as the originator, and Wireshark's completeness bits. */
  connState: string;
  history: string;
  completeness: number;
  encapsulation: string;
  keyPackets: KeyPacket[];
  /** Key packets beyond the bound per connection, counted but not kept. */
  keyPacketsDropped: number;
  /** The same with its sides, and the labels, named the other way round. */
  flipped(): WireConnection;
}

/** Protocol-level FIN_WAIT2: from the ACK of the first FIN to the other side's FIN. Null unless both were seen. */
export function finWait2Wire(w: Pick<WireConnection, 'finTime' | 'finAckedTime'>): number | null {
  const { finTime, finAckedTime } = w;
  for (let side = CLIENT; side <= SERVER; side++) {
    const acked = finAckedTime[side as SideIndex];
    const fin = finTime[(1 - side) as SideIndex];
    if (acked !== null && fin !== null && acked <= fin) return fin - acked;
  }
  return null;
}

export interface Transition {
  from: TcpState;
  to: TcpState;
  /** On the source's clock; null when it has none. */
  time: SourceTime | null;
  /** Nanoseconds since the first transition of the life, from the durations the tool printed; null when unknown. */
  sinceBirth: number | null;
  /** Nanoseconds spent in `from`. */
  duration: number | null;
  pid: number | null;
  comm: string | null;
  line: number;
  /** The line stood out of order in the log and was put right by the state machine. */
  reordered: boolean;
  /** Struct fields at that moment, where a capture read them. */
  fields?: SocketFields;
}

/** One socket from birth to destroy, from state events. */
export interface SocketLife {
  source: number;
  socket: string;
  /** Network namespace (inode number), where the kernel named it. */
  netns?: string;
  local: Endpoint;
  remote: Endpoint;
  /** From its first state: CLOSE→SYN_SENT client, LISTEN→SYN_RECV server, CLOSE→LISTEN listener; else null. */
  role: Side | 'listener' | null;
  transitions: Transition[];
  /** Steps the state machine needs that no line shows: the tool lost them (G17). `before` indexes transitions. */
  missing: { before: number; from: TcpState; to: TcpState }[];
  /** Process that connected, listened or closed, where an event of process context names it (G12). */
  owner: { pid: number; comm: string; line: number } | null;
  /** State after the last transition. */
  state: TcpState;
}

/** Nanoseconds the full socket spent in FIN_WAIT2 (the minisock that may follow is invisible to state events). */
export function finWait2Kernel(lives: Pair<SocketLife | null>): number | null {
  let total: number | null = null;
  for (const life of lives) {
    for (const t of life?.transitions ?? []) {
      if (t.from === 'FIN_WAIT2' && t.duration !== null) total = (total ?? 0) + t.duration;
    }
  }
  return total;
}
