/** What the packets of one connection say, read once, with sides as the case has them. */
import { type Endpoint, sameEndpoint } from '../../model/address.ts';
import type { Case } from '../../model/case.ts';
import {
  type KeyPacket,
  type Pair,
  type Repeats,
  type SideIndex,
  WHY_DATA_AFTER_FIN,
  WHY_FIN,
  WHY_KEEPALIVE,
  WHY_RETRANSMIT,
  type WireConnection,
} from '../../model/connection.ts';
import { ACK, RST, SYN, seqDiff } from '../../model/tcp.ts';
import type { SourceTime } from '../../model/time.ts';
import { carriesTimestamp } from './reset-shape.ts';
import { RTO_MIN } from './timing.ts';
import { isOneDirection, startsMidStream, unseenOf } from './unseen.ts';
import { goesOn, resetsOf, type WireReset } from './wire-resets.ts';

/** Probes that nothing answered: how many, when the last was sent, and the time between two; null where it is not known. */
export interface Keepalives {
  count: number;
  last: SourceTime | null;
  interval: number | null;
}

/** With those of them that were kept. */
export interface UnansweredRepeats extends Repeats {
  packets: KeyPacket[];
}

export class WireFacts {
  readonly wire: WireConnection;
  readonly windowless: boolean;
  readonly #flipped: boolean;
  #packets: KeyPacket[] | null = null;
  #resets: WireReset[] | null = null;
  #decisive: WireReset | null | undefined;

  /** `windowless`: see Source. */
  constructor(wire: WireConnection, of: Case, windowless = false) {
    this.wire = wire;
    this.windowless = windowless;
    this.#flipped = !sameEndpoint(wire.client, of.client) && sameEndpoint(wire.server, of.client);
  }

  /** A per-side value of the wire for a side of the case. */
  of<T>(pair: Pair<T>, side: SideIndex): T {
    return this.#flipped ? pair[1 - side]! : pair[side];
  }

  sideOf(packet: KeyPacket): SideIndex {
    return this.#flipped ? ((1 - packet.side) as SideIndex) : packet.side;
  }

  /** Whose end it is in this capture, where a NAT may have given it another address; null when neither's. */
  sideAt(end: Endpoint): SideIndex | null {
    const { client, server } = this.wire;
    if (sameEndpoint(end, client)) return this.#flipped ? 1 : 0;
    return sameEndpoint(end, server) ? (this.#flipped ? 0 : 1) : null;
  }

  /** Key packets in the order of the capture. */
  get packets(): KeyPacket[] {
    this.#packets ??= this.wire.keyPackets;
    return this.#packets;
  }

  /** No SYN of either side is in the file. */
  get startsMidStream(): boolean {
    return startsMidStream(this.wire);
  }

  /** Only one side's packets are in the file, and they acknowledge those of the other. */
  get oneDirection(): boolean {
    return isOneDirection(this.wire);
  }

  /** Bytes of a side that the file lacks although they were sent; null where its SYN was not seen. */
  unseen(side: SideIndex): number | null {
    return unseenOf(this.wire, this.#flipped ? ((1 - side) as SideIndex) : side);
  }

  /** The file holds all that a side sent, and that are no data; nor do the numbers of a RST that a socket sent say more. */
  sentNothing(side: SideIndex, reset: KeyPacket | null = null): boolean {
    if (this.of(this.wire.bytes, side) > 0 || this.unseen(side) !== 0) return false;
    const said = reset && (this.sideOf(reset) === side ? reset.seq : reset.ack);
    const isClosed = this.of(this.wire.fins, side) > 0;
    return said === null || seqDiff(said, this.of(this.wire.isn, side)!) <= (isClosed ? 2 : 1);
  }

  get sawHandshake(): boolean {
    return this.of(this.wire.syns, 0) > 0;
  }

  /** null when the capture lacks one of the SYNs. */
  get timestamps(): boolean | null {
    const syns = this.packets.filter((p) => p.flags & SYN);
    const has = (answer: boolean) => syns.find((p) => Boolean(p.flags & ACK) === answer);
    const [syn, synAck] = [has(false), has(true)];
    if (!syn || !synAck) return this.packets.some(carriesTimestamp) ? true : null;
    return carriesTimestamp(syn) && carriesTimestamp(synAck);
  }

  /** Time of a side's first FIN; null when it sent none here. */
  finTime(side: SideIndex): SourceTime | null {
    return this.of(this.wire.finTime, side);
  }

  finPacket(side: SideIndex): KeyPacket | null {
    return this.packets.find((p) => p.why & WHY_FIN && this.sideOf(p) === side) ?? null;
  }

  /** Whose FIN was first, by what the FINs acknowledge. */
  get firstFin(): SideIndex | 'both' | null {
    const { firstFin } = this.wire;
    return typeof firstFin === 'number' && this.#flipped ? ((1 - firstFin) as SideIndex) : firstFin;
  }

  /** The first packet of the other side that acknowledges this side's FIN. */
  ackOfFin(side: SideIndex): KeyPacket | null {
    const time = this.of(this.wire.finAckedTime, side);
    if (time === null) return null;
    return this.packets.find((p) => p.time === time && this.sideOf(p) !== side && p.flags & ACK) ?? null;
  }

  /** FIN_WAIT2 as the wire has it: from the ACK of this side's FIN to the peer's FIN, ns; null unless in that order. */
  finWait2(side: SideIndex): number | null {
    const acked = this.of(this.wire.finAckedTime, side);
    const fin = this.finTime((1 - side) as SideIndex);
    return acked === null || fin === null || fin < acked ? null : fin - acked;
  }

  /** Data beyond what the side had acknowledged, which the peer sent when it had sent its FIN. */
  dataAfterFin(closer: SideIndex): KeyPacket | null {
    return (
      this.packets.find(
        (p) => p.why & WHY_DATA_AFTER_FIN && this.sideOf(p) !== closer && p.payload > 0 && !(p.flags & RST),
      ) ?? null
    );
  }

  /** Packets of one side before another packet, newest first. */
  before(packet: KeyPacket, side: SideIndex): KeyPacket[] {
    const all: KeyPacket[] = [];
    for (let i = this.packets.indexOf(packet) - 1; i >= 0; i--)
      if (this.sideOf(this.packets[i]!) === side) all.push(this.packets[i]!);
    return all;
  }

  get resets(): WireReset[] {
    this.#resets ??= resetsOf(this);
    return this.#resets;
  }

  /**
   * The RST that ended the connection: after it its sender sent nothing but RSTs, or it was sent in its sender's name
   * (`disowned`). null when none did.
   */
  get decisiveReset(): WireReset | null {
    if (this.#decisive === undefined)
      this.#decisive = this.resets.find((r) => r.disowned || !goesOn(this, r.side, r.packet)) ?? null;
    return this.#decisive;
  }

  /** The side sent SYN-ACKs (and RSTs) and nothing else: on its host no socket ever came of the handshake. */
  sentOnlySynAcks(side: SideIndex): boolean {
    const { wire } = this;
    const synAcks = this.of(wire.synAcks, side);
    const isAll = this.of(wire.packets, side) === synAcks + this.of(wire.rsts, side);
    return synAcks > 0 && isAll && this.unseen(side) === 0;
  }

  /** Keepalive probes of a side after the last packet of the other. */
  unansweredKeepalives(side: SideIndex, until: KeyPacket): Keepalives {
    if (this.oneDirection) return { count: 0, last: null, interval: null };
    const lastOfPeer = this.before(until, (1 - side) as SideIndex)[0];
    const own = this.before(until, side);
    const kept = own.filter((p) => p.why & WHY_KEEPALIVE && (!lastOfPeer || p.time > lastOfPeer.time));
    // of many a few are kept; what the other side sends after the RST ends the count
    const count = Math.max(kept.length, this.of(this.wire.unansweredKeepalives, side));
    const last = count > 0 ? (own[0]?.time ?? null) : null;
    const [one, other] = kept;
    return { count, last, interval: one && other ? one.time - other.time : null };
  }

  /**
   * What a side sent again after the last packet of the other: it had no answer to the end. A timeout takes longer than
   * the smallest RTO, and the silence of a direction that is not in the file is none. null when there was nothing.
   */
  unansweredRepeats(side: SideIndex): UnansweredRepeats | null {
    const repeats = this.of(this.wire.repeats, side);
    if (repeats === null || repeats.last - repeats.since < RTO_MIN || this.oneDirection) return null;
    const kept = this.packets.filter(
      (p) =>
        (p.why & WHY_RETRANSMIT || p.time === repeats.last) &&
        this.sideOf(p) === side &&
        p.time > repeats.since,
    );
    const packets = kept.filter((p) => !(p.flags & (SYN | RST)));
    return { ...repeats, packets };
  }
}
