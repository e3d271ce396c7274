/** What a layer works on and answers with. One cursor is reused for every frame. */
import { DIRECTION_IN, DIRECTION_OUT, Frame, type Packet } from '../model/packet.ts';
import type { Fragments } from './fragments.ts';

/** What an ICMP error says besides the segment it quotes; one is reused. Addresses in four words. */
export class IcmpError {
  isV6 = false;
  type = 0;
  code = 0;
  /** The word behind the checksum: the MTU of the next link, where it tells one. */
  word = 0;
  by0 = 0;
  by1 = 0;
  by2 = 0;
  by3 = 0;
  /** IP length of the quoted packet. */
  size = 0;
  /** The quote ends before the sequence number (snap length): that of the packet is 0. */
  isCut = false;
}

const NO_BYTES = new Uint8Array(0);
const NO_FRAME = new Frame();

/** Where decoding stands in a frame. */
export class Cursor {
  /** Bytes of the capture; nothing at or beyond `end` may be read. */
  bytes: Uint8Array = NO_BYTES;
  /** Start of the current layer's header. A layer moves it past that header. */
  pos = 0;
  /** End of what was captured of the current layer. */
  end = 0;
  /** End of the current layer on the wire, as an index into `bytes` that may lie beyond `end` (snap length). */
  wireEnd = 0;
  /** A second announcement to try when the first is of no layer: the source port of UDP. 0 for none. */
  alternative = 0;
  /** The frame that is being decoded. */
  frame = NO_FRAME;
  /** Fragments of earlier frames. */
  readonly fragments: Fragments;
  /** `bytes` is what was put together of fragments: the header alone. */
  isReassembled = false;
  /** TCP checksums are to be verified. */
  readonly verifiesChecksums: boolean;
  /** What follows was only guessed from a port number: when it makes no sense it was something else. */
  guessed = false;
  /** Of the last frame whose outcome was ICMP_ERROR. */
  readonly icmp = new IcmpError();
  /** Where the payload of the segment begins in Frame.bytes; -1 where it is not of one frame. */
  payloadAt = -1;

  constructor(fragments: Fragments, verifiesChecksums: boolean) {
    this.fragments = fragments;
    this.verifiesChecksums = verifiesChecksums;
  }

  /** Keeps hold of no bytes of a file that is read. */
  letGo(): void {
    this.bytes = NO_BYTES;
    this.frame = NO_FRAME;
  }
}

/**
 * What a header announces as the next one: a number space and a value in it. A layer lists the announcements it
 * answers to, so that layers do not know each other.
 */
export type Announcement = number;

export const SPACE_SIZE = 1 << 16;
export const linkType = (type: number): Announcement => SPACE_SIZE + type;
export const etherType = (type: number): Announcement => 2 * SPACE_SIZE + type;
export const ipProtocol = (protocol: number): Announcement => 3 * SPACE_SIZE + protocol;
export const udpPort = (port: number): Announcement => 4 * SPACE_SIZE + port;
export const SPACES = 5;

/** IEEE 802.2 LLC, in the number space of EtherTypes as Linux cooked headers have it (LINUX_SLL_P_802_2). */
export const LLC = etherType(4);
export const IPV4 = etherType(0x0800);
export const IPV6 = etherType(0x86dd);
/** A whole Ethernet frame (transparent Ethernet bridging). */
export const ETHERNET = etherType(0x6558);
export const PPP = etherType(0x880b);
export const NSH = etherType(0x894f);
/** An IP packet of either version. */
export const RAW_IP = linkType(101);

/** 32 bits in network order, as a signed view. */
export function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

/** One protocol header. */
export interface Layer {
  /** As shown in encapsulation paths. */
  id: string;
  /** Announcements it answers to. */
  over: readonly Announcement[];
  /**
   * `ip`: the path up to the innermost one is the encapsulation of a packet. `tunnel`: named in that path.
   * `plain`: not named.
   */
  role: 'ip' | 'tunnel' | 'plain';
  /** For tunnels without a port of their own: whether the UDP payload at cursor.pos can be nothing else. */
  recognises?(cursor: Cursor): boolean;
  /**
   * Reads the header at cursor.pos, moves the cursor past it and fills in what the packet takes from it.
   * Returns what comes next, or an outcome (see outcomes.ts) when the frame ends here.
   */
  decode(cursor: Cursor, packet: Packet): Announcement | number;
}

const KIND_BITS = 3;

/**
 * A number for the place within a file where a packet was seen: interface, and what the cooked header says of the
 * direction (its packet type + 1; 0 without such a header, or kindOf() what the file says). `ifindex` is the kernel's number from a version 2 cooked
 * header, which stands for several interfaces in one: both are folded into 28 bits, without clashes while indexes
 * stay below 65,537.
 */
export function vantageOf(interfaceId: number, ifindex: number, kind: number): number {
  const place = (Math.imul(interfaceId, SPACE_SIZE + 1) + ifindex) & 0x0fffffff;
  return (place << KIND_BITS) | kind;
}

/** The packet type + 1 that a cooked header would have for a direction that the file itself gives. */
export function kindOf(direction: number): number {
  if (direction === DIRECTION_OUT) return 5;
  return direction === DIRECTION_IN ? 1 : 0;
}
