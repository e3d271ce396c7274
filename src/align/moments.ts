/**
 * Moments that two sources must both have seen on one connection: the raw material of clock offsets.
 * Kernel events and packets lie within microseconds on one host, and within the one-way delay between hosts.
 */
import { sameEndpoint } from '../model/address.ts';
import {
  CLIENT,
  type KeyPacket,
  SERVER,
  type SideIndex,
  type SocketLife,
  type Transition,
  type WireConnection,
} from '../model/connection.ts';
import { ACK, SYN } from '../model/tcp.ts';
import type { SourceTime } from '../model/time.ts';
import type { ClockPair } from './robust.ts';

/** Nanoseconds of a transition on the clock to be fitted: the source's own, or the life's own since its birth. */
type LifeClock = (t: Transition) => number | null;

/** Side of the connection that a socket is, by its local end. */
export function sideOf(
  life: SocketLife,
  wire: { client: SocketLife['local']; server: SocketLife['local'] },
): SideIndex {
  return sameEndpoint(life.local, wire.client) ? CLIENT : SERVER;
}

/** Pairs (life's clock, packet's source time) of one connection. */
export function packetMoments(life: SocketLife, wire: WireConnection, clock: LifeClock): ClockPair[] {
  const own = sideOf(life, wire);
  const peer = (1 - own) as SideIndex;
  const pairs: ClockPair[] = [];
  const pair = (t: Transition | undefined, packet: SourceTime | null | undefined) => {
    const local = t ? clock(t) : null;
    if (local !== null && packet !== null && packet !== undefined) pairs.push({ local, reference: packet });
  };
  const to = (state: string, from?: string) =>
    life.transitions.find(
      (t) => t.to === state && t.from !== state && (from === undefined || t.from === from),
    );
  const handshake = (own === CLIENT ? SYN : SYN | ACK) as number;
  const { keyPackets } = wire;
  const synTime = (flags: number) =>
    keyPackets.find((p) => (p.flags & (SYN | ACK)) === flags && (flags === SYN) === (p.side === CLIENT))
      ?.time;

  if (own === CLIENT) {
    pair(to('SYN_SENT'), synTime(handshake));
    // the SYN-ACK may have been repeated: the third ACK is what the transition sends
    pair(to('ESTABLISHED', 'SYN_SENT'), thirdAck(keyPackets));
  } else {
    pair(to('ESTABLISHED', 'SYN_RECV'), thirdAck(keyPackets));
  }
  pair(to('FIN_WAIT1') ?? to('LAST_ACK'), wire.finTime[own]);
  pair(to('CLOSE_WAIT', 'ESTABLISHED'), wire.finTime[peer]);
  pair(to('FIN_WAIT2', 'FIN_WAIT1'), wire.finAckedTime[own]);
  const close = life.transitions.find((t) => t.to === 'CLOSE');
  if (close && close.from !== 'FIN_WAIT2') {
    pair(
      close,
      wire.rstTime[own] ?? wire.rstTime[peer] ?? (close.from === 'LAST_ACK' ? wire.finAckedTime[own] : null),
    );
  }
  return pairs;
}

function thirdAck(keyPackets: readonly KeyPacket[]): SourceTime | null {
  const packet = keyPackets.find((p) => p.side === CLIENT && (p.flags & (SYN | ACK)) === ACK);
  const synAck = keyPackets.find((p) => p.side === SERVER && (p.flags & SYN) !== 0);
  return packet && synAck ? packet.time : null;
}

/** Pairs of the two ends of one connection, `life` to be fitted to `peer`; apart by the one-way delay. */
export function lifeMoments(
  life: SocketLife,
  clock: LifeClock,
  peer: SocketLife,
  peerClock: LifeClock,
): ClockPair[] {
  const pairs: ClockPair[] = [];
  const at = (l: SocketLife, c: LifeClock, state: string) => {
    const t = l.transitions.find((x) => x.to === state && x.from !== state);
    return t ? c(t) : null;
  };
  const pair = (state: string, peerState: string) => {
    const local = at(life, clock, state);
    const reference = at(peer, peerClock, peerState);
    if (local !== null && reference !== null) pairs.push({ local, reference });
  };
  pair('ESTABLISHED', 'ESTABLISHED');
  pair('FIN_WAIT1', 'CLOSE_WAIT');
  pair('CLOSE_WAIT', 'FIN_WAIT1');
  return pairs;
}
