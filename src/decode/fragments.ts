/**
 * Fragments of IP packets with TCP (RFC 791 §3.2, RFC 8200 §4.5), held until the packet is whole: as far as its TCP
 * header, and which bytes of the rest were seen. Memory is bounded; payload is not kept.
 */
import type { Diagnostics } from '../model/diagnostic.ts';
import { type Frame, Packet } from '../model/packet.ts';
import { fileOf, type Source } from '../model/source.ts';
import { NS_PER_S } from '../model/time.ts';
import { type Cursor, ipProtocol } from './cursor.ts';
import { BAD_IP_HEADER, FRAGMENT } from './outcomes.ts';

const TCP_PROTOCOL = 6;
/** More than any TCP header has. */
const HEAD = 64;
/** Packets waiting for their fragments at one time; with more, the oldest is given up. */
const MAX_WAITING = 256;
/** Separate stretches of one packet, beyond which it is left as it is. */
const MAX_STRETCHES = 16;
/** Linux's ipfrag_time. */
const TIMEOUT = 30 * NS_PER_S;
const MAX_IP_PAYLOAD = 65_535;

/** One IP packet of which not all fragments have come. */
class Datagram {
  /** Addresses, vantage point and, from the fragment that came first, frame and time. */
  readonly packet = new Packet();
  readonly head = new Uint8Array(HEAD);
  /** 1 where `head` holds a byte. */
  readonly held = new Uint8Array(HEAD);
  /** Stretches seen, in order and apart from each other. */
  readonly from = new Int32Array(MAX_STRETCHES + 1);
  readonly to = new Int32Array(MAX_STRETCHES + 1);
  stretches = 0;
  /** Length of the whole, -1 before the last fragment. */
  total = -1;
  isSnapped = false;

  /** Adds bytes [from, to) of the packet; true when they overlap with some that were there and are not the same. */
  add(from: number, to: number): boolean {
    let low = from;
    let high = to;
    let seen = 0;
    let first = 0;
    while (first < this.stretches && this.to[first] < from) first++;
    let last = first;
    for (; last < this.stretches && this.from[last] <= to; last++) {
      seen += Math.max(0, Math.min(to, this.to[last]) - Math.max(from, this.from[last]));
      low = Math.min(low, this.from[last]);
      high = Math.max(high, this.to[last]);
    }
    if (first === last && this.stretches >= MAX_STRETCHES) return false;
    this.from.copyWithin(first + 1, last, this.stretches);
    this.to.copyWithin(first + 1, last, this.stretches);
    this.from[first] = low;
    this.to[first] = high;
    this.stretches += 1 - (last - first);
    return seen > 0 && seen < to - from;
  }

  get isWhole(): boolean {
    return this.total >= 0 && this.from[0] === 0 && this.to[0] >= this.total;
  }

  reset(packet: Packet): void {
    Object.assign(this.packet, packet);
    this.held.fill(0);
    this.stretches = 0;
    this.total = -1;
    this.isSnapped = false;
  }
}

export class Fragments {
  readonly #waiting: Datagram[] = [];
  readonly #free: Datagram[] = [];
  /** Identifications of #waiting, to be searched fast. */
  readonly #identifications: number[] = [];
  #overlaps = 0;
  #firstOverlap = 0;
  #incomplete = 0;
  #firstIncomplete = 0;

  /**
   * Takes the fragment whose IP payload starts at cursor.pos; `packet` holds its addresses. Returns FRAGMENT while the
   * packet is not whole; else the announcement of TCP, with the cursor at its header.
   */
  take(cursor: Cursor, packet: Packet, identification: number, offset: number, more: boolean): number {
    const length = cursor.wireEnd - cursor.pos;
    if (length <= 0 || offset + length > MAX_IP_PAYLOAD || (more && (length & 7) !== 0)) return BAD_IP_HEADER;
    const datagram =
      this.#find(cursor, packet, identification) ?? this.#begin(cursor.frame, packet, identification);
    const { bytes, pos } = cursor;
    const captured = Math.max(0, cursor.end - pos);
    if (captured < length && cursor.frame.captured < cursor.frame.length) datagram.isSnapped = true;
    for (let i = 0; i < captured && offset + i < HEAD; i++) {
      if (datagram.held[offset + i] !== 0) continue;
      datagram.head[offset + i] = bytes[pos + i];
      datagram.held[offset + i] = 1;
    }
    if (!more && datagram.total < 0) datagram.total = offset + length;
    if (datagram.add(offset, offset + length) && this.#overlaps++ === 0)
      this.#firstOverlap = cursor.frame.number;
    if (!datagram.isWhole) return FRAGMENT;
    this.#remove(this.#waiting.indexOf(datagram));
    packet.snapped = datagram.isSnapped ? 1 : 0;
    return stand(cursor, datagram, datagram.total);
  }

  /** At the end of the source: nothing that waits becomes whole any more. */
  report(source: Source, diagnostics: Diagnostics): void {
    while (this.#waiting.length > 0) this.#giveUp();
    if (this.#overlaps > 0) {
      const first = fileOf(source, this.#firstOverlap);
      const place = { source: first.name, locator: `frame ${first.number}`, count: this.#overlaps };
      const message = 'fragments that overlap with others of their packet: what came first is taken';
      diagnostics.add({ code: 'fragment-overlap', severity: 'info', ...place, message });
    }
    if (this.#incomplete > 0) {
      const first = fileOf(source, this.#firstIncomplete);
      const place = { source: first.name, locator: `frame ${first.number}`, count: this.#incomplete };
      const message =
        'IP packets with TCP of which fragments are missing: not counted, as in Wireshark and Zeek';
      diagnostics.add({ code: 'fragment-missing', severity: 'data-loss', ...place, message });
    }
  }

  #find(cursor: Cursor, p: Packet, identification: number): Datagram | undefined {
    for (let i = 0; i < this.#waiting.length; i++) {
      if (this.#identifications[i] !== identification) continue;
      const { packet } = this.#waiting[i]!;
      if (isSame(packet, p) && cursor.frame.time - packet.time <= TIMEOUT) return this.#waiting[i];
    }
    return undefined;
  }

  /** When another has waited too long, or too many wait, the oldest is given up. */
  #begin(frame: Frame, packet: Packet, identification: number): Datagram {
    const oldest = this.#waiting[0];
    if (oldest && (this.#waiting.length >= MAX_WAITING || frame.time - oldest.packet.time > TIMEOUT)) {
      this.#giveUp();
    }
    const datagram = this.#free.pop() ?? new Datagram();
    datagram.reset(packet);
    datagram.packet.frame = frame.number;
    datagram.packet.time = frame.time;
    this.#identifications.push(identification);
    this.#waiting.push(datagram);
    return datagram;
  }

  #giveUp(): void {
    const oldest = this.#waiting[0]!;
    this.#remove(0);
    if (this.#incomplete++ === 0) this.#firstIncomplete = oldest.packet.frame;
  }

  #remove(index: number): void {
    const [datagram] = this.#waiting.splice(index, 1);
    this.#identifications.splice(index, 1);
    this.#free.push(datagram!);
  }
}

function isSame(a: Packet, b: Packet): boolean {
  return (
    a.src3 === b.src3 &&
    a.dst3 === b.dst3 &&
    a.vantage === b.vantage &&
    a.src0 === b.src0 &&
    a.src1 === b.src1 &&
    a.src2 === b.src2 &&
    a.dst0 === b.dst0 &&
    a.dst1 === b.dst1 &&
    a.dst2 === b.dst2
  );
}

/** Puts the cursor at the TCP header of a packet put together, of which `length` bytes are known. */
function stand(cursor: Cursor, { head, held }: Datagram, length: number): number {
  const gap = held.indexOf(0);
  cursor.bytes = head;
  cursor.pos = 0;
  cursor.end = Math.min(length, gap < 0 ? HEAD : gap);
  cursor.wireEnd = length;
  cursor.isReassembled = true;
  return ipProtocol(TCP_PROTOCOL);
}
