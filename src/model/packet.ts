/**
 * A frame as read from a capture file, and a TCP segment as decoded from it. One object of each is reused for the
 * whole file: nothing is allocated per packet. All 32-bit fields hold signed views, which V8 keeps unboxed.
 */
import type { SourceTime } from './time.ts';

/**
 * What times begin with: zero as a double. Of 0 V8 makes a field of small integers, and compiles all that reads it once
 * more when the first 2.1 seconds (2^31 ns) of a capture have passed.
 */
const ZERO = -0 as SourceTime;

export class Frame {
  /** Bytes of the capture; the frame is bytes[start .. start + captured). Valid only during the call. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  captured = 0;
  /** Length on the wire. */
  length = 0;
  time = ZERO;
  /** Link type (https://www.tcpdump.org/linktypes.html). */
  linkType = 0;
  /** Interface number in its file: pcapng IDB order over all sections; 0 in classic pcap. */
  interfaceId = 0;
  /** 1-based, as Wireshark numbers frames. */
  number = 0;
  /** DIRECTION_IN or DIRECTION_OUT where the file says so (epb_flags), else 0. */
  direction = 0;
  /** 1 + index in Source.processes of the process that a comment of the packet names; 0 for none. */
  process = 0;
  /** Where pcapng options of the packet lie in `bytes`; 0 and 0 where there are none. */
  optionsStart = 0;
  optionsEnd = 0;
  /** Their byte order. */
  optionsBig = false;
}

/** Bits of Packet.options. */
export const OPT_MSS = 1;
export const OPT_WSCALE = 2;
export const OPT_SACK_PERMITTED = 4;
export const OPT_SACK = 8;
export const OPT_TIMESTAMP = 16;
export const OPT_MD5 = 32;
export const OPT_AO = 64;
export const OPT_FASTOPEN = 128;
export const OPT_MPTCP = 256;
/** The options end beyond the captured bytes or are malformed. */
export const OPT_DAMAGED = 512;

/** Kinds of Packet.optionOrder, those of a SYN ascending as Linux writes them. */
export const ORDER_MSS = 1;
export const ORDER_SACK_PERMITTED = 2;
export const ORDER_TIMESTAMP = 3;
export const ORDER_WSCALE = 4;
export const ORDER_NOP = 5;
export const ORDER_OTHER = 6;
/** Bits of one kind, and how many fit. */
export const ORDER_BITS = 3;
export const ORDER_PLACES = 10;

/** One TCP segment. */
export class Packet {
  frame = 0;
  time = ZERO;
  /** Distinguishes places the same segment can be seen at within one file: interface, and direction for cooked. */
  vantage = 0;
  /** Source and destination address, four words each (see address.ts). */
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  srcPort = 0;
  dstPort = 0;
  seq = 0;
  ack = 0;
  flags = 0;
  /** Window field as on the wire, not scaled. */
  window = 0;
  /** Payload bytes on the wire (from the IP length), whether captured or not. */
  payload = 0;
  /** Bit set OPT_*. */
  options = 0;
  /** The first ten options in their order, ORDER_*, the first in the lowest bits; what pads the end is none. */
  optionOrder = 0;
  mss = 0;
  windowScale = 0;
  tsVal = 0;
  tsEcr = 0;
  ttl = 0;
  /** IPv4 identification; 0 for IPv6. */
  ipId = 0;
  /** DIRECTION_IN received by the capturing host, _OUT sent by it, 0 unknown (cooked headers, epb_flags, -i any text). */
  direction = 0;
  /** Index into the table of encapsulation paths; 0 is none. */
  encapsulation = 0;
  /** 0 not verified, 1 good, 2 bad. */
  checksum = 0;
  /** 1 when the capture does not hold the whole payload (snap length). */
  snapped = 0;
  /** As Frame.process: a process of the capturing host, at the end that `direction` names. */
  process = 0;
}

export const DIRECTION_IN = 1;
export const DIRECTION_OUT = 2;
