/**
 * Makes classic captures (pcap, microseconds, Ethernet), seeded: connections in flight whose packets are interleaved,
 * with the TCP options Linux sends and sequence numbers that add up. Checksums are left zero. Also the log that
 * `tcpstates -t` would have printed on a host that holds both ends.
 */

const FIN = 1;
const SYN = 2;
const RST = 4;
const PSH = 8;
const ACK = 16;

/**
 * One packet of a script: sender (0 client, 1 server), flags, payload bytes; state changes it goes with, as
 * `C CLOSE SYN_SENT` (`C` the client's socket, `S` the server's); how else it differs.
 * @typedef {'again' | 'later' | 'refusal'} Manner
 * @typedef {{ by: 0 | 1, flags: number, payload: number, states: string[], manner: Manner | null }} Step
 */

/**
 * `again`: what the sender sent last is sent once more; `later`: the same, a second after; `refusal`: no socket sends it.
 * @param {0 | 1} by @param {number} flags @param {number} [payload] @param {string} [states] @param {Manner | null} [manner]
 * @returns {Step}
 */
function step(by, flags, payload = 0, states = '', manner = null) {
  return { by, flags, payload, states: states === '' ? [] : states.split(', '), manner };
}

const HANDSHAKE = [
  step(0, SYN, 0, 'C CLOSE SYN_SENT'),
  step(1, SYN | ACK, 0, 'S LISTEN SYN_RECV, C SYN_SENT ESTABLISHED'),
  step(0, ACK, 0, 'S SYN_RECV ESTABLISHED'),
];
const REQUEST = [step(0, PSH | ACK, 60), step(1, ACK)];
const RESPONSE = [step(1, PSH | ACK, 120), step(0, ACK)];
const CLIENT_CLOSES = [
  step(0, FIN | ACK, 0, 'C ESTABLISHED FIN_WAIT1, S ESTABLISHED CLOSE_WAIT'),
  step(1, FIN | ACK, 0, 'S CLOSE_WAIT LAST_ACK, C FIN_WAIT1 FIN_WAIT2, C FIN_WAIT2 CLOSE'),
  step(0, ACK, 0, 'S LAST_ACK CLOSE'),
];
const SERVER_CLOSES = [
  step(1, FIN | ACK, 0, 'S ESTABLISHED FIN_WAIT1, C ESTABLISHED CLOSE_WAIT'),
  step(0, ACK, 0, 'S FIN_WAIT1 FIN_WAIT2, S FIN_WAIT2 CLOSE'),
  step(0, FIN | ACK, 0, 'C CLOSE_WAIT LAST_ACK'),
  step(1, ACK, 0, 'C LAST_ACK CLOSE'),
];

const ORDERLY = [...HANDSHAKE, ...REQUEST, ...RESPONSE, ...CLIENT_CLOSES];

/** How connections go, and how many of a hundred go so. @type {[number, Step[]][]} */
const MIXED = [
  [70, ORDERLY],
  [15, [...HANDSHAKE, ...REQUEST, ...RESPONSE, ...SERVER_CLOSES]],
  [
    4,
    [
      ...HANDSHAKE,
      ...REQUEST,
      step(1, PSH | ACK, 120),
      step(1, PSH | ACK, 120, '', 'again'),
      step(0, ACK),
      ...CLIENT_CLOSES,
    ],
  ],
  [3, [...HANDSHAKE, ...REQUEST, step(1, RST | ACK, 0, 'S ESTABLISHED CLOSE, C ESTABLISHED CLOSE')]],
  [
    2,
    [
      ...HANDSHAKE,
      ...REQUEST,
      ...RESPONSE,
      step(0, RST | ACK, 0, 'C ESTABLISHED CLOSE, S ESTABLISHED CLOSE'),
    ],
  ],
  [3, [HANDSHAKE[0], step(1, RST | ACK, 0, 'C SYN_SENT CLOSE', 'refusal')]],
  [2, [HANDSHAKE[0], step(0, SYN, 0, '', 'later'), step(0, SYN, 0, '', 'later')]],
  [1, [...HANDSHAKE, ...REQUEST]],
].map(([share, steps]) => /** @type {[number, Step[]]} */ ([share, steps]));

/** @param {number} packets */
const longConnection = (packets) => [
  ...HANDSHAKE,
  ...Array.from({ length: Math.ceil(packets / 4) }, () => [...REQUEST, ...RESPONSE]).flat(),
];
const DOWNLOAD = [
  ...HANDSHAKE,
  ...REQUEST,
  ...Array.from({ length: 500 }, () => [step(1, ACK, 1448), step(1, ACK, 1448), step(0, ACK)]).flat(),
  ...CLIENT_CLOSES,
];

/**
 * `orderly`: connections that all end well. `small`: nine in ten do, the others are reset, refused, unanswered or left
 * open. `full`: downloads in full-size segments. `long`: one connection. `flood`: SYNs of ever new clients, each
 * answered once; `silent`: without an answer.
 * @typedef {'orderly' | 'small' | 'full' | 'long' | 'flood' | 'silent'} Kind
 * @typedef {{ kind: Kind, packets: number, inFlight?: number, seed?: number, ipv6?: boolean }} Shape
 */

/** @param {Shape} shape @returns {[number, Step[]][]} */
function scriptsOf({ kind, packets }) {
  if (kind === 'small') return MIXED;
  if (kind === 'long') return [[100, longConnection(packets)]];
  if (kind === 'full') return [[100, DOWNLOAD]];
  if (kind === 'flood') return [[100, HANDSHAKE.slice(0, 2)]];
  if (kind === 'silent') return [[100, HANDSHAKE.slice(0, 1)]];
  return [[100, ORDERLY]];
}

/**
 * mulberry32: small, seeded, good enough to mix connections.
 * @param {number} seed
 */
export function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A connection under way: its number, its script and place in it, the next sequence number of either end. */
class Talk {
  /** @param {number} number @param {Step[]} script */
  constructor(number, script) {
    this.number = number;
    this.script = script;
    this.at = 0;
    this.next = [Math.imul(number, 0x9e3779b1) >>> 0, Math.imul(number, 0x85ebca77) >>> 0];
    /** Time of the last change of either socket, µs. */
    this.changed = [0, 0];
  }
}

/** Microseconds from packet to packet, and until a SYN is repeated. */
const PACE = 10;
const RETRY = 1_000_000;

/** One connection at a time. @type {Kind[]} */
const ALONE = ['long', 'flood', 'silent'];

/**
 * The packets of a capture in order: calls `emit` with the connection, its step and the time in µs.
 * @param {Shape} shape @param {(talk: Talk, step: Step, time: number, n: number) => void} emit
 */
export function play(shape, emit) {
  const { packets, inFlight = ALONE.includes(shape.kind) ? 1 : 1000, seed = 1 } = shape;
  const next = random(seed);
  const hundred = scriptsOf(shape).flatMap(([share, script]) => Array.from({ length: share }, () => script));
  let made = 0;
  const begin = () => new Talk(made++, hundred[Math.floor(next() * 100)]);
  const talks = Array.from({ length: inFlight }, begin);
  /** Waiting for a retry; the delay is one, so they stand in the order of time. @type {{ talk: Talk, due: number }[]} */
  let parked = [];
  let served = 0;
  const advance = (/** @type {Talk} */ talk, /** @type {number} */ n) => {
    emit(talk, talk.script[talk.at++], n * PACE, n);
    const following = talk.script[talk.at];
    if (following?.manner === 'later') parked.push({ talk, due: n * PACE + RETRY });
    return following === undefined || following.manner === 'later';
  };
  for (let n = 0; n < packets; n++) {
    if (served < parked.length && parked[served].due <= n * PACE) {
      advance(parked[served++].talk, n);
      if (served === 4096) parked = parked.slice(served);
      served %= 4096;
      continue;
    }
    const slot = Math.floor(next() * inFlight);
    if (advance(talks[slot], n)) talks[slot] = begin();
  }
}

const RECORD_HEADER = 16;
const LINK = 14;
const FIRST_SECOND = 1_700_000_000;
const SERVER_PORTS = [80, 443, 8080];
const BLOCK = 1 << 20;
const LARGEST_RECORD = RECORD_HEADER + LINK + 40 + 40 + 1460;

/**
 * A whole capture: `write` is called with one piece after the other; a piece is valid during the call.
 * @param {Shape} shape @param {(piece: Buffer) => void} write
 */
export function writeCapture(shape, write) {
  const block = Buffer.alloc(BLOCK + LARGEST_RECORD);
  let at = writeFileHeader(block);
  play(shape, (talk, s, time, n) => {
    at += writeRecord(block, at, talk, s, time, n, shape.ipv6 ?? false);
    if (at < BLOCK) return;
    write(block.subarray(0, at));
    at = 0;
  });
  write(block.subarray(0, at));
}

/** A capture in memory. @param {Shape} shape */
export function generateCapture(shape) {
  /** @type {Buffer[]} */
  const pieces = [];
  writeCapture(shape, (piece) => pieces.push(Buffer.from(piece)));
  return Buffer.concat(pieces);
}

/** @param {Buffer} out */
function writeFileHeader(out) {
  out.writeUInt32LE(0xa1b2c3d4, 0);
  out.writeUInt16LE(2, 4);
  out.writeUInt16LE(4, 6);
  out.writeUInt32LE(262_144, 16);
  out.writeUInt32LE(1, 20);
  return 24;
}

/**
 * Writes one record and returns its length.
 * @param {Buffer} out @param {number} at @param {Talk} talk @param {Step} s @param {number} time µs
 * @param {number} n @param {boolean} ipv6
 */
function writeRecord(out, at, talk, s, time, n, ipv6) {
  const isRefusal = s.manner === 'refusal';
  const header = s.flags & SYN ? 40 : isRefusal ? 20 : 32;
  const length = header + s.payload;
  const ip = at + RECORD_HEADER + LINK;
  const tcp = ip + (ipv6 ? 40 : 20);
  const size = tcp + length - at - RECORD_HEADER;
  out.writeUInt32LE(FIRST_SECOND + Math.floor(time / 1e6), at);
  out.writeUInt32LE(time % 1e6, at + 4);
  out.writeUInt32LE(size, at + 8);
  out.writeUInt32LE(size, at + 12);
  out.fill(0, at + RECORD_HEADER, tcp + length);
  out.writeUInt16BE(ipv6 ? 0x86dd : 0x0800, ip - 2);
  if (ipv6) writeIpv6(out, ip, talk, s, length);
  else writeIpv4(out, ip, talk, s, length, n);
  const { client, server } = portsOf(talk);
  out.writeUInt16BE(s.by === 0 ? client : server, tcp);
  out.writeUInt16BE(s.by === 0 ? server : client, tcp + 2);
  const own = talk.next[s.by];
  const numbers = s.payload + (s.flags & (SYN | FIN) ? 1 : 0);
  const isRepeated = s.manner === 'again' || s.manner === 'later';
  out.writeUInt32BE(isRefusal ? 0 : (own - (isRepeated ? numbers : 0)) >>> 0, tcp + 4);
  out.writeUInt32BE(s.flags & ACK ? talk.next[1 - s.by] : 0, tcp + 8);
  out[tcp + 12] = (header >> 2) << 4;
  out[tcp + 13] = s.flags;
  out.writeUInt16BE(isRefusal ? 0 : 502, tcp + 14);
  if (!isRefusal) writeOptions(out, tcp + 20, s.flags, n);
  if (!isRepeated) talk.next[s.by] = (own + numbers) >>> 0;
  return RECORD_HEADER + size;
}

/** @param {Talk} talk */
function portsOf({ number }) {
  return { client: 20_000 + (number & 0x3fff), server: SERVER_PORTS[number % SERVER_PORTS.length] };
}

const SERVER_ADDRESS = 0x0a63_6363;

/** @param {Talk} talk */
function clientAddress({ number }) {
  return 0x0a00_0000 + (number >>> 14);
}

/** @param {Buffer} out @param {number} ip @param {Talk} talk @param {Step} s @param {number} length @param {number} n */
function writeIpv4(out, ip, talk, s, length, n) {
  const client = clientAddress(talk);
  out[ip] = 0x45;
  out.writeUInt16BE(20 + length, ip + 2);
  out.writeUInt16BE(n & 0xffff, ip + 4);
  out[ip + 8] = 64;
  out[ip + 9] = 6;
  out.writeUInt32BE(s.by === 0 ? client : SERVER_ADDRESS, ip + 12);
  out.writeUInt32BE(s.by === 0 ? SERVER_ADDRESS : client, ip + 16);
}

/** 2001:db8::CLIENT. @param {Buffer} out @param {number} ip @param {Talk} talk @param {Step} s @param {number} length */
function writeIpv6(out, ip, talk, s, length) {
  const client = clientAddress(talk);
  out[ip] = 0x60;
  out.writeUInt16BE(length, ip + 4);
  out[ip + 6] = 6;
  out[ip + 7] = 64;
  for (const at of [ip + 8, ip + 24]) out.writeUInt32BE(0x2001_0db8, at);
  out.writeUInt32BE(s.by === 0 ? client : SERVER_ADDRESS, ip + 20);
  out.writeUInt32BE(s.by === 0 ? SERVER_ADDRESS : client, ip + 36);
}

/**
 * As Linux: MSS, SACK permitted, timestamps, window scale 7; then timestamps.
 * @param {Buffer} out @param {number} at @param {number} flags @param {number} clock
 */
function writeOptions(out, at, flags, clock) {
  if (flags & SYN) {
    out.set([2, 4, 5, 180, 4, 2, 8, 10], at);
    out.writeUInt32BE(clock, at + 8);
    out.set([1, 3, 3, 7], at + 16);
  } else {
    out.set([1, 1, 8, 10], at);
    out.writeUInt32BE(clock, at + 4);
  }
}

/** Lines that per-CPU buffers may have shuffled lie this close together. */
const SHUFFLED = 64;

/**
 * What `tcpstates -t` would have printed of the capture of the same shape: both ends live on one host.
 * @param {Shape & { shuffled?: boolean }} shape @param {(piece: string) => void} write
 */
export function writeStates(shape, write) {
  const next = random(shape.seed ?? 1);
  /** @type {string[]} */
  let lines = [];
  const flush = () => {
    if (shape.shuffled)
      lines = lines
        .map((line) => ({ line, at: next() }))
        .sort((a, b) => a.at - b.at)
        .map((l) => l.line);
    write(lines.join(''));
    lines = [];
  };
  write(
    'TIME(s)   SKADDR           C-PID   C-COMM     LADDR           LPORT RADDR           RPORT OLDSTATE    -> NEWSTATE    MS\n',
  );
  play(shape, (talk, s, time) => {
    for (const change of s.states) lines.push(stateLine(talk, change, time));
    if (lines.length >= SHUFFLED) flush();
  });
  flush();
}

/** @param {Talk} talk @param {string} change @param {number} time µs */
function stateLine(talk, change, time) {
  const [socket, from, to] = change.split(' ');
  const end = socket === 'C' ? 0 : 1;
  const spent = talk.changed[end] === 0 ? 0 : time - talk.changed[end];
  talk.changed[end] = time;
  const { client, server } = portsOf(talk);
  const [a, b] = [dotted(clientAddress(talk)), dotted(SERVER_ADDRESS)];
  const address = (0xffff_8880_0000_0000n + BigInt(talk.number * 2 + end) * 2048n).toString(16);
  const process = end === 0 ? '4242    curl      ' : '808     nginx     ';
  const ends = end === 0 ? [a, client, b, server] : [b, server, a, client];
  const columns = [15, 5, 15, 5].map((width, i) => String(ends[i]).padEnd(width)).join(' ');
  return `${(time / 1e6).toFixed(6).padEnd(9)} ${address} ${process} ${columns} ${from.padEnd(11)} -> ${to.padEnd(11)} ${(spent / 1000).toFixed(3)}\n`;
}

/** @param {number} address */
function dotted(address) {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}
