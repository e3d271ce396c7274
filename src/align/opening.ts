/**
 * The numbers with which a connection began, as packets or the sockets of its ends tell: the same tuple used again has
 * others, whatever the clocks say (secure_tcp_seq adds one every 64 ns; a SYN into TIME_WAIT gets tw_snd_nxt + 65537).
 */
import { type Endpoint, sameEndpoint } from '../model/address.ts';
import { CLIENT, SERVER, type SocketLife, type WireConnection } from '../model/connection.ts';

/** First number behind each end's SYN, null where it is not known; as 32 bits, signed. */
export interface Opening {
  end: Endpoint;
  sent: number | null;
  received: number | null;
}

export function openingOfWire({ client, isn }: WireConnection): Opening | null {
  const [sent, received] = [isn[CLIENT], isn[SERVER]];
  if (sent === null && received === null) return null;
  const behind = (n: number | null) => (n === null ? null : (n + 1) | 0);
  return { end: client, sent: behind(sent), received: behind(received) };
}

/** snd_nxt and rcv_nxt as the socket became ESTABLISHED: nothing but SYNs is behind them (or what a SYN carried). */
export function openingOfLife({ local, transitions }: SocketLife): Opening | null {
  const fields = transitions.find((t) => t.to === 'ESTABLISHED')?.fields;
  if (fields?.sendNext === undefined || fields.receiveNext === undefined) return null;
  return { end: local, sent: fields.sendNext, received: fields.receiveNext };
}

/** More than a SYN carries (TCP Fast Open). */
const FAR = 1 << 16;

/** One of the ends began with another number: two connections. Behind a NAT the ends have other names. */
export function differ(a: Opening | null, b: Opening | null): boolean {
  if (a === null || b === null) return false;
  const straight = apart(a.sent, b.sent) || apart(a.received, b.received);
  const crossed = apart(a.sent, b.received) || apart(a.received, b.sent);
  return straight && (crossed || sameEndpoint(a.end, b.end));
}

function apart(a: number | null, b: number | null): boolean {
  return a !== null && b !== null && Math.abs((a - b) | 0) > FAR;
}
