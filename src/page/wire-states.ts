/**
 * The TCP states of an end as the packets alone imply them (RFC 9293 §3.3.2): for pictures of connections about which
 * no kernel said anything. What the host really did may differ: it may have dropped what the capture shows.
 */
import { ACK, FIN, parseFlagNames, RST, SYN, type TcpState } from '../model/tcp.ts';

interface WirePacket {
  /** This end sent it, or received it. */
  sent: boolean;
  flags: number;
  /** Sequence number of its first byte, and behind its last one with SYN and FIN counted. */
  seq: number;
  next: number;
  ack: number;
}

/** Reads what a packet's row of the timeline says: `FIN|ACK, 5 bytes, seq 10, ack 20, win 64`. Null for other text. */
export function parsePacket(what: string, sent: boolean): WirePacket | null {
  const match = /^([A-Z|]+)(?:, (\d+) bytes)?, seq (\d+), ack (\d+)/.exec(what);
  if (!match) return null;
  const flags = parseFlagNames(match[1]!);
  const seq = Number(match[3]);
  const length = Number(match[2] ?? 0) + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
  return { sent, flags, seq, next: (seq + length) | 0, ack: Number(match[4]) | 0 };
}

/** The state after each packet, in order; CLOSE when the connection is over, null while nothing is known. */
export function impliedStates(packets: readonly WirePacket[]): (TcpState | null)[] {
  let state: TcpState | null = null;
  let fin: number | null = null;
  const taken = handshakeTaken(packets);
  return packets.map((p, i) => {
    if (p.sent && p.flags & FIN) fin = p.next;
    const acked = !p.sent && (p.flags & ACK) !== 0 && fin !== null && ((p.ack - fin) | 0) >= 0;
    if (taken > 0 && i === taken && !(p.flags & RST)) state = 'ESTABLISHED';
    const held = state === 'SYN_RECV' && i < taken && !(p.flags & (SYN | RST));
    state = p.flags & RST ? 'CLOSE' : held ? state : after(state, p, acked);
    return state;
  });
}

/**
 * An end that sends its SYN-ACK again has not taken the ACK that came (a full accept queue drops it): it stays in
 * SYN_RECV until it sends something else. Index from which on the handshake may be taken for complete.
 */
function handshakeTaken(packets: readonly WirePacket[]): number {
  const synAck = (p: WirePacket) => p.sent && (p.flags & (SYN | ACK)) === (SYN | ACK);
  const first = packets.findIndex((p) => !p.sent && (p.flags & ACK) !== 0);
  const again = packets.findIndex((p, i) => i > first && synAck(p));
  if (first < 0 || again < 0) return 0;
  const other = packets.findIndex((p, i) => i > again && p.sent && !(p.flags & SYN));
  return other < 0 ? packets.length : other;
}

/** `acked`: it acknowledges this end's FIN. */
function after(state: TcpState | null, p: WirePacket, acked: boolean): TcpState | null {
  if (p.flags & SYN) return afterSyn(state, p);
  const open: TcpState | null = state === null || state === 'SYN_RECV' ? 'ESTABLISHED' : state;
  if (state === 'SYN_RECV' && p.sent && !(p.flags & FIN)) return state;
  if (p.sent) return p.flags & FIN ? afterOwnFin(open) : open;
  const told = acked ? afterAck(open) : open;
  return p.flags & FIN ? afterTheirFin(told) : told;
}

function afterSyn(state: TcpState | null, p: WirePacket): TcpState | null {
  const answer = (p.flags & ACK) !== 0;
  if (answer) return p.sent ? 'SYN_RECV' : state === 'SYN_SENT' || state === null ? 'ESTABLISHED' : state;
  if (p.sent) return state ?? 'SYN_SENT';
  // nothing is kept for a SYN until it is answered
  return state;
}

function afterOwnFin(state: TcpState): TcpState {
  if (state === 'ESTABLISHED') return 'FIN_WAIT1';
  return state === 'CLOSE_WAIT' ? 'LAST_ACK' : state;
}

function afterAck(state: TcpState): TcpState {
  if (state === 'FIN_WAIT1') return 'FIN_WAIT2';
  if (state === 'CLOSING') return 'TIME_WAIT';
  return state === 'LAST_ACK' ? 'CLOSE' : state;
}

function afterTheirFin(state: TcpState): TcpState {
  if (state === 'ESTABLISHED') return 'CLOSE_WAIT';
  if (state === 'FIN_WAIT1') return 'CLOSING';
  return state === 'FIN_WAIT2' ? 'TIME_WAIT' : state;
}
