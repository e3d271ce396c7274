/** Seeded mutation of real files: the same numbers give the same input. */

export type Random = () => number;

const below = (random: Random, limit: number) => Math.floor(random() * limit);
const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)]!;

/** Numbers that lengths, offsets and counts are wrong at. */
const EDGES = [0, 1, 2, 3, 4, 7, 8, 15, 16, 20, 127, 128, 255, 256, 1023, 65_535, 65_536, 262_144, 262_145];
const WORDS = [...EDGES, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** Somewhere, more often near the beginning, where headers are. */
function place(bytes: Uint8Array, random: Random): number {
  return below(random, random() < 0.3 ? Math.min(bytes.length, 128) : bytes.length);
}

function stretch(bytes: Uint8Array, random: Random): [number, number] {
  const from = place(bytes, random);
  return [from, Math.min(bytes.length, from + 1 + below(random, pick(random, [4, 32, 500])))];
}

const BYTES: readonly Mutation[] = [
  (bytes, random) => {
    const out = Uint8Array.from(bytes);
    for (let n = 1 + below(random, 8); n > 0; n--) out[place(out, random)]! ^= 1 << below(random, 8);
    return out;
  },
  (bytes, random) => {
    const out = Uint8Array.from(bytes);
    for (let n = 1 + below(random, 4); n > 0; n--) out[place(out, random)] = pick(random, EDGES);
    return out;
  },
  (bytes, random) => {
    const out = Buffer.from(bytes);
    const at = place(out, random) & (random() < 0.7 ? ~3 : ~0);
    const word = pick(random, WORDS);
    if (at + 4 > out.length) return out;
    if (random() < 0.5) out.writeUInt32LE(word, at);
    else out.writeUInt32BE(word, at);
    return out;
  },
  (bytes, random) => {
    const out = Buffer.from(bytes);
    const at = place(out, random) & (random() < 0.7 ? ~1 : ~0);
    const half = pick(random, EDGES) & 0xffff;
    if (at + 2 > out.length) return out;
    if (random() < 0.5) out.writeUInt16LE(half, at);
    else out.writeUInt16BE(half, at);
    return out;
  },
  (bytes, random) => bytes.subarray(0, place(bytes, random)),
  (bytes, random) => {
    const [from, to] = stretch(bytes, random);
    return join(bytes.subarray(0, from), bytes.subarray(to));
  },
  (bytes, random) => {
    const [from, to] = stretch(bytes, random);
    const at = place(bytes, random);
    return join(bytes.subarray(0, at), bytes.subarray(from, to), bytes.subarray(at));
  },
  (bytes, random) => {
    const at = place(bytes, random);
    const noise = Uint8Array.from({ length: 1 + below(random, 40) }, () => below(random, 256));
    return join(bytes.subarray(0, at), noise, bytes.subarray(at));
  },
  (bytes, random) => {
    const [from, to] = stretch(bytes, random);
    return Uint8Array.from(bytes).fill(pick(random, EDGES) & 255, from, to);
  },
  (bytes, random, other) => {
    const [from, to] = stretch(other, random);
    const at = place(bytes, random);
    return join(bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(at));
  },
  (bytes, random, other) =>
    join(bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random))),
];

/** What breaks those who read text. */
const TOKENS = [
  ...['', '0', '-1', '-', '*', '65536', '99999999999999999999', '1e400', 'NaN', '0.0.0.0', '255.255.255.256'],
  ...['::', '::1', '::ffff:10.0.0.1', '[::1]:80', 'fe80::1%eth0', '*:*', ':', '10.0.0.1.80', '1.2.3.4:99999'],
  ...[
    '\u0000',
    '\u001b[31m',
    '\u202e',
    '\r',
    '\t',
    ' ',
    '\ufeff',
    '💥',
    '"',
    "'",
    '\\',
    ',',
    '=',
    '<b>',
    '|',
  ],
  ...[
    'ESTABLISHED',
    'LISTEN',
    'CLOSE',
    'SYN_RECV',
    'FIN_WAIT2',
    '->',
    'State',
    'PID',
    'TIME',
    '$ ',
    '# ',
    '```',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    'null',
    'true',
    '__proto__',
    'constructor',
    'toString',
    '12:60:61',
    '24:00:00.000000',
  ],
  ...['(((((((((', '[[[[[[[[[', 'a'.repeat(300), '9'.repeat(300), ' '.repeat(300)],
];

type LineMutation = (lines: string[], random: Random, other: readonly string[]) => void;

function token(line: string, random: Random): string {
  const words = line.split(/(\s+|[,:=()[\]])/);
  const at = below(random, words.length);
  if (random() < 0.2) words.splice(at, 1);
  else words[at] = pick(random, TOKENS);
  return words.join('');
}

const LINES: readonly LineMutation[] = [
  (lines, random) => void lines.splice(below(random, lines.length), 1 + below(random, 3)),
  (lines, random) => {
    const at = below(random, lines.length);
    lines.splice(below(random, lines.length), 0, ...lines.slice(at, at + 1 + below(random, 3)));
  },
  (lines, random) => {
    const [a, b] = [below(random, lines.length), below(random, lines.length)];
    [lines[a], lines[b]] = [lines[b]!, lines[a]!];
  },
  (lines, random) => {
    for (let n = 1 + below(random, 6); n > 0; n--) {
      const at = below(random, lines.length);
      lines[at] = token(lines[at]!, random);
    }
  },
  (lines, random) => {
    const at = below(random, lines.length);
    const cut = below(random, lines[at]!.length + 1);
    if (random() < 0.5) lines[at] = lines[at]!.slice(0, cut);
    else lines.splice(at, 1, lines[at]!.slice(0, cut), lines[at]!.slice(cut));
  },
  (lines, random) => {
    const at = below(random, lines.length);
    lines[at] = lines[at]! + (lines[at + 1] ?? '');
  },
  (lines, random, other) => {
    const at = below(random, other.length);
    lines.splice(below(random, lines.length), 0, ...other.slice(at, at + 1 + below(random, 8)));
  },
  (lines, random) => {
    const at = below(random, lines.length);
    lines.splice(at, 0, ...Array(below(random, 40)).fill(lines[at]!));
  },
];

function mutateLines(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const split = (part: Uint8Array) => Buffer.from(part).toString('latin1').split('\n');
  const lines = split(bytes);
  const others = split(other);
  for (let n = 1 + below(random, 3); n > 0 && lines.length > 0; n--)
    pick(random, LINES)(lines, random, others);
  return Buffer.from(lines.join('\n'), 'latin1');
}

/** One to four mutations of `bytes`; `other` is a file to take parts from. Text is mostly mutated by lines. */
export function mutate(bytes: Uint8Array, isText: boolean, random: Random, other: Uint8Array): Uint8Array {
  let out = bytes;
  for (let n = 1 + below(random, 4); n > 0 && out.length > 0; n--) {
    if (isText && random() < 0.8) out = mutateLines(out, random, other);
    else out = pick(random, BYTES)(out, random, other.length > 0 ? other : out);
  }
  return out;
}
