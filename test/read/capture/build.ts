/** Builds capture files for the tests: malformed ones, and other notations of the packets of real ones. */

export interface Plain {
  second: number;
  /** In the file's unit. */
  fraction: number;
  data: Uint8Array;
  /** On the wire; as captured when left out. */
  length?: number;
  /** What the header claims; the truth when left out. */
  captured?: number;
}

function numbers(big: boolean, ...fields: readonly [bytes: 2 | 4 | 8, value: number | bigint][]): Buffer {
  const out = Buffer.alloc(fields.reduce((sum, [size]) => sum + size, 0));
  let at = 0;
  for (const [size, value] of fields) {
    let rest = BigInt.asUintN(size * 8, BigInt(value));
    for (let i = 0; i < size; i++) {
      out[big ? at + size - 1 - i : at + i] = Number(rest & 255n);
      rest >>= 8n;
    }
    at += size;
  }
  return out;
}

export interface PcapKind {
  magic?: number;
  big?: boolean;
  linkType?: number;
  version?: readonly [major: number, minor: number];
  /** The lengths of a record stand the other way round. */
  swapped?: (index: number) => boolean;
}

export function buildPcap(packets: readonly Plain[], kind: PcapKind = {}): Buffer {
  const { magic = 0xa1b2c3d4, big = false, linkType = 1, version = [2, 4], swapped = () => false } = kind;
  const extra = magic === 0xa1b2cd34 ? Buffer.alloc(8, 7) : Buffer.alloc(0);
  const parts = [
    numbers(big, [4, magic], [2, version[0]], [2, version[1]], [4, 0], [4, 0], [4, 262_144], [4, linkType]),
  ];
  for (const [
    i,
    { second, fraction, data, length = data.length, captured = data.length },
  ] of packets.entries()) {
    const lengths = swapped(i) ? [length, captured] : [captured, length];
    parts.push(
      numbers(big, [4, second], [4, fraction], [4, lengths[0]!], [4, lengths[1]!]),
      extra,
      Buffer.from(data),
    );
  }
  return Buffer.concat(parts);
}

const pad = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

export function block(type: number, body: Uint8Array, big = false): Buffer {
  const size = numbers(big, [4, 12 + pad(body).length]);
  return Buffer.concat([numbers(big, [4, type]), size, pad(body), size]);
}

export function option(code: number, value: Uint8Array, big = false): Buffer {
  return Buffer.concat([numbers(big, [2, code], [2, value.length]), pad(value)]);
}

export const section = (big = false, major = 1): Buffer =>
  block(0x0a0d0d0a, numbers(big, [4, 0x1a2b3c4d], [2, major], [2, 0], [8, -1]), big);

export interface InterfaceKind {
  linkType?: number;
  snapLength?: number;
  name?: string;
  /** The byte of if_tsresol. */
  resolution?: number;
  offset?: bigint;
  big?: boolean;
}

export function describe(kind: InterfaceKind = {}): Buffer {
  const { linkType = 1, snapLength = 0, name, resolution, offset, big = false } = kind;
  const parts = [numbers(big, [2, linkType], [2, 0], [4, snapLength])];
  if (name !== undefined) parts.push(option(2, Buffer.from(name), big));
  if (resolution !== undefined) parts.push(option(9, Buffer.of(resolution), big));
  if (offset !== undefined) parts.push(option(14, numbers(big, [8, offset]), big));
  return block(1, Buffer.concat(parts), big);
}

/** An enhanced packet block; with `obsolete` a packet block. */
export function enhanced(
  itf: number,
  ticks: bigint,
  data: Uint8Array,
  more: { big?: boolean; captured?: number; length?: number; options?: Uint8Array; obsolete?: boolean } = {},
): Buffer {
  const {
    big = false,
    captured = data.length,
    length = captured,
    options = Buffer.alloc(0),
    obsolete,
  } = more;
  const head = obsolete ? numbers(big, [2, itf], [2, 0xffff]) : numbers(big, [4, itf]);
  const time = numbers(big, [4, ticks >> 32n], [4, ticks & 0xffffffffn], [4, captured], [4, length]);
  return block(obsolete ? 2 : 6, Buffer.concat([head, time, pad(data), options]), big);
}

export function simple(data: Uint8Array, length = data.length, big = false): Buffer {
  return block(3, Buffer.concat([numbers(big, [4, length]), data]), big);
}

export function statistics(itf: number, dropped: number, big = false): Buffer {
  const body = [numbers(big, [4, itf], [4, 0], [4, 0]), option(5, numbers(big, [8, dropped]), big)];
  return block(5, Buffer.concat(body), big);
}

/** The packets of a classic little-endian microsecond file, read without the code under test. */
export function packetsOf(file: Buffer): Plain[] {
  const packets: Plain[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const captured = file.readUInt32LE(at + 8);
    const data = file.subarray(at + 16, at + 16 + captured);
    packets.push({
      second: file.readUInt32LE(at),
      fraction: file.readUInt32LE(at + 4),
      data,
      length: file.readUInt32LE(at + 12),
    });
    at += 16 + captured;
  }
  return packets;
}

/** The same packets as a pcapng file of one section. */
export function buildPcapng(packets: readonly Plain[], big = false): Buffer {
  const blocks = packets.map(({ second, fraction, data, length }) =>
    enhanced(0, BigInt(second) * 1_000_000n + BigInt(fraction), data, { big, length: length ?? data.length }),
  );
  return Buffer.concat([section(big), describe({ big }), ...blocks]);
}
