/** Real captures changed in one respect: cut off, shifted in time, behind a NAT. Written to a folder of the test's own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

const written: string[] = [];
afterAll(() => {
  for (const folder of written) rmSync(folder, { recursive: true });
});

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET = 14;

export interface Capture {
  header: Buffer;
  /** Each with its record header. */
  records: Buffer[];
}

/** A classic little-endian pcap, as the samples are. */
export function readCapture(file: string): Capture {
  const bytes = readFileSync(file);
  const records: Buffer[] = [];
  for (let at = FILE_HEADER; at + RECORD_HEADER <= bytes.length; ) {
    const end = at + RECORD_HEADER + bytes.readUInt32LE(at + 8);
    records.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  return { header: bytes.subarray(0, FILE_HEADER), records };
}

export function writeCapture(name: string, { header, records }: Capture): string {
  return writeText(name, Buffer.concat([header, ...records]));
}

export function writeText(name: string, content: string | Buffer): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tcpautopsy-'));
  written.push(folder);
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

/** Times moved by whole seconds. */
export function shifted({ header, records }: Capture, seconds: number): Capture {
  const moved = records.map((r) => {
    const copy = Buffer.from(r);
    copy.writeUInt32LE(copy.readUInt32LE(0) + seconds, 0);
    return copy;
  });
  return { header, records: moved };
}

/** One IPv4 address and every port of it replaced, as a NAT does; checksums stay, nothing here reads them. */
export function translated({ header, records }: Capture, from: string, to: string, port: number): Capture {
  const [old, now] = [from, to].map((a) => Buffer.from(a.split('.').map(Number)));
  const changed = records.map((r) => {
    const copy = Buffer.from(r);
    const ip = RECORD_HEADER + ETHERNET;
    const tcp = ip + (copy[ip]! & 15) * 4;
    for (const [address, ports] of [
      [ip + 12, tcp],
      [ip + 16, tcp + 2],
    ] as const) {
      if (copy.compare(old!, 0, 4, address, address + 4) !== 0) continue;
      now!.copy(copy, address);
      copy.writeUInt16BE((copy.readUInt16BE(ports) + port) & 0xffff, ports);
    }
    return copy;
  });
  return { header, records: changed };
}

/** TCP flags of a record. */
export function flagsOf(record: Buffer): number {
  const ip = RECORD_HEADER + ETHERNET;
  return record[ip + (record[ip]! & 15) * 4 + 13]!;
}

/** A record's segment as the RST that a host without a socket sends: no options, IP identification 0. */
export function resetOf(record: Buffer): Buffer {
  const ip = RECORD_HEADER + ETHERNET;
  const tcp = ip + (record[ip]! & 15) * 4;
  const reset = Buffer.from(record.subarray(0, tcp + 20));
  reset.writeUInt32LE(reset.length - RECORD_HEADER, 8);
  reset.writeUInt32LE(reset.length - RECORD_HEADER, 12);
  reset.writeUInt16BE(reset.length - ip, ip + 2);
  reset.writeUInt16BE(0, ip + 4);
  reset.writeUInt16BE(0x5004, tcp + 12);
  return reset;
}
