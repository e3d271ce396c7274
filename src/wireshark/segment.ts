/**
 * A decoded segment as bytes again: IP and TCP headers (RFC 791, 8200, 9293), no link layer and no payload. For text
 * that has no bytes, and for redacted files: what is not put in here cannot leak.
 */
import { MAPPED_WORD } from '../model/address.ts';
import { OPT_MSS, OPT_SACK_PERMITTED, OPT_TIMESTAMP, OPT_WSCALE, type Packet } from '../model/packet.ts';

/** https://www.tcpdump.org/linktypes.html */
export const LINKTYPE_RAW = 101;

export type Words = readonly [number, number, number, number];

interface Rebuilt {
  bytes: Uint8Array;
  /** With the payload that is left out. */
  length: number;
}

export function rebuild(p: Packet, source: Words, destination: Words): Rebuilt {
  const options = tcpOptions(p);
  const tcp = Buffer.alloc(20 + options.length);
  tcp.writeUInt16BE(p.srcPort, 0);
  tcp.writeUInt16BE(p.dstPort, 2);
  tcp.writeUInt32BE(p.seq >>> 0, 4);
  tcp.writeUInt32BE(p.ack >>> 0, 8);
  tcp.writeUInt16BE(((tcp.length / 4) << 12) | (p.flags & 0x1ff), 12);
  tcp.writeUInt16BE(p.window & 0xffff, 14);
  options.copy(tcp, 20);
  const carried = tcp.length + Math.max(0, p.payload);
  const ip = isV4(source) && isV4(destination) ? ipv4 : ipv6;
  const header = ip(p, source, destination, carried);
  return { bytes: Buffer.concat([header, tcp]), length: header.length + carried };
}

function isV4(words: Words): boolean {
  return (words[0] | words[1]) === 0 && words[2] >>> 0 === MAPPED_WORD;
}

/** Its length field has 16 bits; larger (GSO) segments write 0, as Linux does. */
function ipv4(p: Packet, source: Words, destination: Words, carried: number): Buffer {
  const header = Buffer.alloc(20);
  const total = 20 + carried;
  header[0] = 0x45;
  header.writeUInt16BE(total > 0xffff ? 0 : total, 2);
  header.writeUInt16BE(p.ipId & 0xffff, 4);
  header[8] = p.ttl;
  header[9] = 6;
  header.writeInt32BE(source[3] | 0, 12);
  header.writeInt32BE(destination[3] | 0, 16);
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += header.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  header.writeUInt16BE(~sum & 0xffff, 10);
  return header;
}

function ipv6(p: Packet, source: Words, destination: Words, carried: number): Buffer {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(carried > 0xffff ? 0 : carried, 4);
  header[6] = 6;
  header[7] = p.ttl;
  for (let i = 0; i < 4; i++) {
    header.writeInt32BE(source[i]! | 0, 8 + 4 * i);
    header.writeInt32BE(destination[i]! | 0, 24 + 4 * i);
  }
  return header;
}

/** Those that decoding keeps; each padded to four bytes with NOPs as Linux does. */
function tcpOptions(p: Packet): Buffer {
  const parts: Buffer[] = [];
  if (p.options & OPT_MSS) parts.push(Buffer.from([2, 4, (p.mss >>> 8) & 255, p.mss & 255]));
  if (p.options & OPT_SACK_PERMITTED) parts.push(Buffer.from([1, 1, 4, 2]));
  if (p.options & OPT_TIMESTAMP) {
    const option = Buffer.from([1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0]);
    option.writeUInt32BE(p.tsVal >>> 0, 4);
    option.writeUInt32BE(p.tsEcr >>> 0, 8);
    parts.push(option);
  }
  if (p.options & OPT_WSCALE) parts.push(Buffer.from([1, 3, 3, p.windowScale & 255]));
  return Buffer.concat(parts);
}
