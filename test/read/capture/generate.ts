/**
 * Makes classic captures of small TCP packets, seeded: many connections in flight, whose packets are interleaved.
 * Each goes SYN, SYN-ACK, ACK, request, ACK, response, ACK, FIN, FIN, ACK over Ethernet and IPv4, with the options
 * Linux sends.
 */
import { ACK, FIN, PSH, SYN } from '../../../src/model/tcp.ts';

export interface CaptureShape {
  packets: number;
  /** Connections open at any moment. */
  inFlight: number;
  seed: number;
}

/** By step: sender (0 client, 1 server), flags, payload bytes. */
const STEPS: readonly (readonly [number, number, number])[] = [
  [0, SYN, 0],
  [1, SYN | ACK, 0],
  [0, ACK, 0],
  [0, PSH | ACK, 60],
  [1, ACK, 0],
  [1, PSH | ACK, 120],
  [0, ACK, 0],
  [0, FIN | ACK, 0],
  [1, FIN | ACK, 0],
  [0, ACK, 0],
];

const RECORD_HEADER = 16;
const LINK_AND_IP = 14 + 20;
const FIRST_SECOND = 1_700_000_000;

/** mulberry32: small, seeded, good enough to mix connections. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole little-endian microsecond pcap file. */
export function generateCapture({ packets, inFlight, seed }: CaptureShape): Buffer {
  const out = Buffer.alloc(24 + packets * (RECORD_HEADER + LINK_AND_IP + 32 + 120));
  out.writeUInt32LE(0xa1b2c3d4, 0);
  out.writeUInt16LE(2, 4);
  out.writeUInt16LE(4, 6);
  out.writeUInt32LE(262_144, 16);
  out.writeUInt32LE(1, 20);
  const next = random(seed);
  const steps = new Uint8Array(inFlight);
  const connections = Uint32Array.from(steps, (_, slot) => slot);
  let made = inFlight;
  let at = 24;
  for (let n = 0; n < packets; n++) {
    const slot = Math.floor(next() * inFlight);
    at += writeRecord(out, at, n, connections[slot]!, steps[slot]!);
    steps[slot] = (steps[slot]! + 1) % STEPS.length;
    if (steps[slot] === 0) connections[slot] = made++;
  }
  return out.subarray(0, at);
}

/** Writes one record and returns its length. Time advances 10 µs a packet. */
function writeRecord(out: Buffer, at: number, n: number, connection: number, step: number): number {
  const [sender, flags, payload] = STEPS[step]!;
  const header = flags & SYN ? 40 : 32;
  const size = LINK_AND_IP + header + payload;
  out.writeUInt32LE(FIRST_SECOND + Math.floor(n / 100_000), at);
  out.writeUInt32LE((n % 100_000) * 10, at + 4);
  out.writeUInt32LE(size, at + 8);
  out.writeUInt32LE(size, at + 12);
  const ip = at + RECORD_HEADER + 14;
  out.writeUInt16BE(0x0800, ip - 2);
  out[ip] = 0x45;
  out.writeUInt16BE(size - 14, ip + 2);
  out.writeUInt16BE(n & 0xffff, ip + 4);
  out[ip + 8] = 64;
  out[ip + 9] = 6;
  const client = 0x0a000000 + (connection >>> 14);
  const port = 20_000 + (connection & 0x3fff);
  out.writeUInt32BE(sender === 0 ? client : 0x0a636363, ip + 12);
  out.writeUInt32BE(sender === 0 ? 0x0a636363 : client, ip + 16);
  const tcp = ip + 20;
  out.writeUInt16BE(sender === 0 ? port : 80, tcp);
  out.writeUInt16BE(sender === 0 ? 80 : port, tcp + 2);
  out.writeUInt32BE((connection * 1000 + step) >>> 0, tcp + 4);
  out.writeUInt32BE(step === 0 ? 0 : (connection * 2000 + step) >>> 0, tcp + 8);
  out[tcp + 12] = (header >> 2) << 4;
  out[tcp + 13] = flags;
  out.writeUInt16BE(502, tcp + 14);
  writeOptions(out, tcp + 20, flags, n);
  return RECORD_HEADER + size;
}

function writeOptions(out: Buffer, at: number, flags: number, clock: number): void {
  if (flags & SYN) {
    out.set([2, 4, 5, 180, 4, 2, 8, 10], at);
    out.writeUInt32BE(clock, at + 8);
    out.set([1, 3, 3, 7], at + 16);
  } else {
    out.set([1, 1, 8, 10], at);
    out.writeUInt32BE(clock, at + 4);
  }
}
