/** Frames around the IP packets of a real capture, for the decoder's tests. */
import { readFileSync } from 'node:fs';
import { Decoder } from '../../src/decode/decode.ts';
import { OUTCOMES } from '../../src/decode/outcomes.ts';
import { Frame, Packet } from '../../src/model/packet.ts';
import type { SourceTime } from '../../src/model/time.ts';
import { packetsOf } from '../read/capture/build.ts';

/** IPv4 packets with TCP from a real capture, without their Ethernet header and padding. */
export const ipPackets: readonly Buffer[] = packetsOf(readFileSync('node_modules/pcap-parser/test/smtp.pcap'))
  .map(({ data }) => Buffer.from(data).subarray(14))
  .filter((ip) => ip[0] === 0x45 && ip[9] === 6)
  .map((ip) => ip.subarray(0, ip.readUInt16BE(2)));

export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
export const ethernet = (type: number): Buffer => Buffer.concat([Buffer.alloc(12, 2), u16(type)]);

export function u16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 255);
}

export interface FrameKind {
  linkType?: number;
  captured?: number;
  length?: number;
  interfaceId?: number;
}

/** Puts the frame in the middle of a larger block, whose other bytes must not matter. */
export function frameOf(bytes: Uint8Array, kind: FrameKind = {}): Frame {
  const { linkType = 1, captured = bytes.length, length = bytes.length, interfaceId = 0 } = kind;
  const block = Buffer.concat([Buffer.alloc(33, 0x45), bytes.subarray(0, captured), Buffer.alloc(99, 0x45)]);
  const time = 5 as SourceTime;
  return Object.assign(new Frame(), {
    bytes: block,
    start: 33,
    captured,
    length,
    linkType,
    interfaceId,
    number: 7,
    time,
  });
}

export function decode(bytes: Uint8Array, kind: FrameKind = {}) {
  const decoder = new Decoder();
  const packet = new Packet();
  const outcome = OUTCOMES[decoder.decode(frameOf(bytes, kind), packet)]!.id;
  return { outcome, packet, path: decoder.encapsulations[packet.encapsulation]! };
}

/** An IPv6 packet around a payload. */
export function ipv6(next: number, payload: Uint8Array, length = payload.length): Buffer {
  const head = Buffer.concat([hex('60000000'), u16(length), Buffer.of(next, 61)]);
  const addresses = hex('20010db8000000000000000000000001 20010db80000000000000000000000ff');
  return Buffer.concat([head, addresses, payload]);
}

/** An IPv4 packet around a payload. */
export function ipv4(protocol: number, payload: Uint8Array, fragment = 0): Buffer {
  const head = Buffer.concat([
    hex('4500'),
    u16(20 + payload.length),
    hex('0001'),
    u16(fragment),
    Buffer.of(63, protocol),
  ]);
  return Buffer.concat([head, hex('0000 c0000201 c0000202'), payload]);
}

export function udp(from: number, to: number, payload: Uint8Array): Buffer {
  return ipv4(17, Buffer.concat([u16(from), u16(to), u16(8 + payload.length), u16(0), payload]));
}
