/** What a tool that records raw packets shows of a TCP segment: its ends and flags, straight from the bytes. */
import { formatWords, MAPPED_WORD } from '../../../model/address.ts';
import type { PacketHeader } from '../../../model/event.ts';

/** https://www.tcpdump.org/linktypes.html */
const LINK_ETHERNET = 1;
const LINK_RAW_IP = 101;

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const VLANS = new Set([0x8100, 0x88a8]);
const TCP = 6;

/**
 * Link type of a packet as the kernel holds it: with its Ethernet header where there is one, else from the IP header on
 * (on its way out the link layer comes last). Null when it is neither.
 */
export function linkTypeOf(bytes: Uint8Array): number | null {
  if (ipStart(bytes) > 0) return LINK_ETHERNET;
  return isIp(bytes, 0) ? LINK_RAW_IP : null;
}

/** The header of a TCP segment over IPv4 or IPv6; null for anything else, and for fragments without one. */
export function segmentHeader(bytes: Uint8Array): PacketHeader | null {
  const ip = Math.max(ipStart(bytes), 0);
  if (!isIp(bytes, ip)) return null;
  return bytes[ip]! >> 4 === 4 ? overIpv4(bytes, ip) : overIpv6(bytes, ip);
}

/** Where the IP header begins behind an Ethernet header with any VLAN tags; -1 when this is no such frame. */
function ipStart(bytes: Uint8Array): number {
  for (let at = 12; at + 2 <= bytes.length; at += 4) {
    const type = word16(bytes, at);
    if (type === IPV4 || type === IPV6) return isIp(bytes, at + 2) ? at + 2 : -1;
    if (!VLANS.has(type)) return -1;
  }
  return -1;
}

function isIp(bytes: Uint8Array, at: number): boolean {
  const version = (bytes[at] ?? 0) >> 4;
  if (version === 4) return (bytes[at]! & 15) >= 5 && at + 20 <= bytes.length;
  return version === 6 && at + 40 <= bytes.length;
}

function overIpv4(bytes: Uint8Array, ip: number): PacketHeader | null {
  const isLaterFragment = (word16(bytes, ip + 6) & 0x1fff) !== 0;
  if (bytes[ip + 9] !== TCP || isLaterFragment) return null;
  const header = (bytes[ip]! & 15) * 4;
  const address = (at: number) => formatWords(0, 0, MAPPED_WORD, word32(bytes, at));
  return overTcp(bytes, ip + header, word16(bytes, ip + 2) - header, address(ip + 12), address(ip + 16));
}

function overIpv6(bytes: Uint8Array, ip: number): PacketHeader | null {
  if (bytes[ip + 6] !== TCP) return null;
  const address = (at: number) =>
    formatWords(word32(bytes, at), word32(bytes, at + 4), word32(bytes, at + 8), word32(bytes, at + 12));
  return overTcp(bytes, ip + 40, word16(bytes, ip + 4), address(ip + 8), address(ip + 24));
}

function overTcp(
  bytes: Uint8Array,
  at: number,
  length: number,
  from: string,
  to: string,
): PacketHeader | null {
  if (at + 14 > bytes.length) return null;
  return {
    from: { address: from, port: word16(bytes, at) },
    to: { address: to, port: word16(bytes, at + 2) },
    flags: word16(bytes, at + 12) & 0x1ff,
    seq: word32(bytes, at + 4),
    ack: word32(bytes, at + 8),
    payload: Math.max(0, length - (bytes[at + 12]! >> 4) * 4),
  };
}

function word16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/** Signed view. */
function word32(bytes: Uint8Array, at: number): number {
  return (word16(bytes, at) << 16) | word16(bytes, at + 2);
}
