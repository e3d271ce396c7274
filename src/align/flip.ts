/** A captured connection with its sides named the other way round, for who knows which end was listening. */
import type { Pair, SideIndex, WireConnection } from '../model/connection.ts';

/** Labels (history, conn_state) keep the orientation the tracker gave them, as in Zeek. */
export function flipWire(w: WireConnection): WireConnection {
  return {
    ...w,
    client: w.server,
    server: w.client,
    packets: swap(w.packets),
    bytes: swap(w.bytes),
    isn: swap(w.isn),
    syns: swap(w.syns),
    synAcks: swap(w.synAcks),
    fins: swap(w.fins),
    rsts: swap(w.rsts),
    retransmits: swap(w.retransmits),
    outOfOrder: swap(w.outOfOrder),
    keepalives: swap(w.keepalives),
    windowProbes: swap(w.windowProbes),
    zeroWindows: swap(w.zeroWindows),
    finTime: swap(w.finTime),
    finAckedTime: swap(w.finAckedTime),
    rstTime: swap(w.rstTime),
    lastTime: swap(w.lastTime),
    nextSeq: swap(w.nextSeq),
    acked: swap(w.acked),
    window: swap(w.window),
    windowScale: swap(w.windowScale),
    ttl: swap(w.ttl),
    direction: swap(w.direction),
    processes: swap(w.processes),
    keyPackets: w.keyPackets.map((p) => ({ ...p, side: (1 - p.side) as SideIndex })),
  };
}

function swap<T>([a, b]: Pair<T>): Pair<T> {
  return [b, a];
}
