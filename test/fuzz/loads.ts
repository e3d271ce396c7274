/** Inputs made to hurt: each much of one thing, of which a quadratic step would never come to an end. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { ACK, FIN, PSH, RST, SYN } from '../../src/model/tcp.ts';
import { random } from '../read/capture/generate.ts';

const HEADERS = 14 + 20 + 20;

export interface Sent {
  /** Microseconds since the first second. */
  at: number;
  from: number;
  fromPort: number;
  to: number;
  toPort: number;
  flags: number;
  seq: number;
  ack: number;
  payload?: number;
}

/** Writes text or bytes piece by piece, many at once. */
function writeFile(path: string, pieces: Iterable<string | Uint8Array>): void {
  const file = openSync(path, 'w');
  let held: Buffer[] = [];
  let size = 0;
  const flush = () => {
    const bytes = Buffer.concat(held);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    held = [];
    size = 0;
  };
  for (const piece of pieces) {
    held.push(Buffer.from(piece));
    size += piece.length;
    if (size > 1 << 20) flush();
  }
  flush();
  closeSync(file);
}

function* records(segments: Iterable<Sent>): Iterable<Uint8Array> {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt32LE(0x40002, 4);
  head.writeUInt32LE(262_144, 16);
  head.writeUInt32LE(1, 20);
  yield head;
  for (const { at, from, fromPort, to, toPort, flags, seq, ack, payload = 0 } of segments) {
    const out = Buffer.alloc(16 + HEADERS);
    out.writeUInt32LE(1_700_000_000 + Math.floor(at / 1e6), 0);
    out.writeUInt32LE(at % 1e6, 4);
    out.writeUInt32LE(HEADERS, 8);
    out.writeUInt32LE(HEADERS + payload, 12);
    out.writeUInt16BE(0x0800, 28);
    out[30] = 0x45;
    out.writeUInt16BE(40 + payload, 32);
    out[38] = 64;
    out[39] = 6;
    out.writeUInt32BE(from >>> 0, 42);
    out.writeUInt32BE(to >>> 0, 46);
    out.writeUInt16BE(fromPort, 50);
    out.writeUInt16BE(toPort, 52);
    out.writeUInt32BE(seq >>> 0, 54);
    out.writeUInt32BE(ack >>> 0, 58);
    out[62] = 0x50;
    out[63] = flags;
    // tcp_v4_send_reset writes no window
    out.writeUInt16BE(flags & RST ? 0 : 500, 64);
    yield out;
  }
}

export const writeCapture = (path: string, segments: Iterable<Sent>) => writeFile(path, records(segments));

const CLIENT = 0x0a000001;
const SERVER = 0x0a000002;
const up = (at: number, flags: number, seq: number, ack: number, payload = 0): Sent => ({
  ...{ at, from: CLIENT, fromPort: 40_000, to: SERVER, toPort: 80, flags, seq, ack, payload },
});
const down = (at: number, flags: number, seq: number, ack: number): Sent => ({
  ...{ at, from: SERVER, fromPort: 80, to: CLIENT, toPort: 40_000, flags, seq, ack },
});

/** SYNs of `count` clients, none answered. */
export function* syns(count: number): Iterable<Sent> {
  for (let i = 0; i < count; i++) {
    yield { ...up(i * 10, SYN, Math.imul(i, 7919), 0), from: CLIENT + (i >> 16), fromPort: i & 0xffff };
  }
}

/** `count` clients, each refused with a RST. */
export function* refusals(count: number): Iterable<Sent> {
  for (let i = 0; i < count; i++) {
    const [from, fromPort, isn] = [CLIENT + (i >> 15), 1024 + (i & 0x7fff), Math.imul(i, 7919)];
    yield { ...up(i * 10, SYN, isn, 0), from, fromPort };
    yield { ...down(i * 10 + 3, RST | ACK, 0, isn + 1), to: from, toPort: fromPort };
  }
}

/** Connections that the server resets when it gets the request. */
export function* resets(count: number): Iterable<Sent> {
  for (let i = 0; i < count; i++) {
    const [fromPort, isn, at] = [1024 + (i & 0x7fff), Math.imul(i, 7919), i * 100];
    const client = { from: CLIENT + (i >> 15), fromPort };
    const server = { to: client.from, toPort: fromPort };
    yield { ...up(at, SYN, isn, 0), ...client };
    yield { ...down(at + 10, SYN | ACK, 999, isn + 1), ...server };
    yield { ...up(at + 20, ACK, isn + 1, 1000), ...client };
    yield { ...up(at + 30, ACK | PSH, isn + 1, 1000, 60), ...client };
    yield { ...down(at + 40, RST | ACK, 1000, isn + 61), ...server };
  }
}

/** One connection, a segment of which is sent again and again. */
export function* retransmissions(count: number): Iterable<Sent> {
  yield up(0, SYN, 999, 0);
  yield down(10, SYN | ACK, 4999, 1000);
  yield up(20, ACK, 1000, 5000);
  for (let i = 0; i <= count; i++) yield up(30 + i * 10, ACK | PSH, 1000, 5000, 1000);
}

/** One 4-tuple used `count` times: SYN, SYN-ACK, ACK, RST. */
export function* reuses(count: number): Iterable<Sent> {
  for (let i = 0; i < count; i++) {
    const [isn, other, at] = [Math.imul(i, 100_003), Math.imul(i, 70_001), i * 2_000_000];
    yield up(at, SYN, isn, 0);
    yield down(at + 10, SYN | ACK, other, isn + 1);
    yield up(at + 20, ACK, isn + 1, other + 1);
    yield up(at + 30, RST | ACK, isn + 1, other + 1);
  }
}

/** One connection with `count` RSTs, FINs, zero windows and holes. */
export function* troubles(count: number): Iterable<Sent> {
  yield up(0, SYN, 999, 0);
  yield down(10, SYN | ACK, 4999, 1000);
  const rng = random(5);
  for (let i = 0; i < count; i++) {
    const seq = 1000 + Math.floor(rng() * 1e9);
    const flags = [ACK | PSH, ACK | FIN, RST, ACK, RST | ACK][i % 5]!;
    yield i % 2 === 0 ? up(20 + i * 10, flags, seq, 5000, i % 3) : down(20 + i * 10, flags, 5000 + i, seq);
  }
}

const HEADER =
  'SKADDR           C-PID C-COMM     LADDR           LPORT RADDR           RPORT OLDSTATE    -> NEWSTATE    MS\n';
const stateLine = (socket: string, port: number, from: string, to: string, ms: string) =>
  `${socket} 4711  python3    10.0.0.2        80    10.0.0.1        ${port} ${from.padEnd(11)} -> ${to.padEnd(11)} ${ms}\n`;

const LIFE = ['SYN_RECV', 'ESTABLISHED', 'FIN_WAIT1', 'FIN_WAIT2', 'CLOSE'];

function* life(socket: string, port: number): Iterable<string> {
  let from = 'LISTEN';
  for (const to of LIFE) {
    yield stateLine(socket, port, from, to, '1.000');
    from = to;
  }
}

/** A tcpstates log of `count` lives of one 4-tuple, on one socket address or on many. */
export function* lives(count: number, sockets: number): Iterable<string> {
  yield HEADER;
  for (let i = 0; i < count; i++) yield* life(`ffff9fd7${String(i % sockets).padStart(8, '0')}`, 40_000);
}

/**
 * A tcpstates log of `count` lines of many sockets, each line moved within its hundred lines (`seed` null: none is), as
 * per-CPU buffers do it. An address is used again only after thousands of lines.
 */
export function* disordered(count: number, seed: number | null): Iterable<string> {
  yield HEADER;
  const rng = random(seed ?? 0);
  let window: string[] = [];
  for (let i = 0; i < count / LIFE.length; i++) {
    window.push(...life(`ffff9fd7${String(i % 2000).padStart(8, '0')}`, 1024 + (i % 60_000)));
    if (window.length < 100) continue;
    for (let at = seed === null ? 0 : window.length - 1; at > 0; at--) {
      const other = Math.floor(rng() * (at + 1));
      [window[at], window[other]] = [window[other]!, window[at]!];
    }
    yield* window;
    window = [];
  }
  yield* window;
}

/** A tcpstates log of one socket whose lines are shuffled over the whole file. */
export function* shuffled(count: number): Iterable<string> {
  const lines: string[] = [];
  while (lines.length < count) lines.push(...life('ffff9fd7e5a6c800', 40_000));
  const rng = random(9);
  for (let i = lines.length - 1; i > 0; i--) {
    const j = Math.floor(rng() * (i + 1));
    [lines[i], lines[j]] = [lines[j]!, lines[i]!];
  }
  yield HEADER;
  yield* lines;
}

/** A log that is no log of anything but for its first lines. */
export function* unknownLines(count: number): Iterable<string> {
  yield HEADER;
  yield* life('ffff9fd7e5a6c800', 40_000);
  for (let i = 0; i < count; i++) yield `what is this? line ${i} of some other program, 10.0.0.1:80 -> x\n`;
}

/** A terminal log of `count` commands. */
export function* commands(count: number): Iterable<string> {
  for (let i = 0; i < count; i++) {
    yield `root@web:~# netstat -tan | grep ${i % 7}\n`;
    yield `tcp        0      0 10.0.0.2:80             10.0.0.1:${1024 + (i % 60_000)}          ESTABLISHED\n`;
    yield 'root@web:~# tcpstates\n';
    yield HEADER;
    yield stateLine('ffff9fd7e5a6c800', 40_000 + (i % 20_000), 'FIN_WAIT2', 'CLOSE', '0.001');
  }
}

/** A table of `count` listening sockets and as many connections to them. */
export function* tables(count: number): Iterable<string> {
  yield 'root@web:~# netstat -tan\nActive Internet connections (servers and established)\n';
  yield 'Proto Recv-Q Send-Q Local Address           Foreign Address         State\n';
  for (let i = 0; i < count; i++) {
    const local = `10.${i >> 16}.0.2:${i & 0xffff}`;
    yield `tcp        0      0 ${local}            0.0.0.0:*               LISTEN\n`;
    yield `tcp        1      0 ${local}            10.9.0.1:5000           CLOSE_WAIT\n`;
  }
}

/** A log of `count` drops on one 4-tuple. */
export function* drops(count: number): Iterable<string> {
  yield 'TIME     PID    IP SADDR:SPORT          > DADDR:DPORT          STATE (FLAGS)\n';
  for (let i = 0; i < count; i++) {
    yield `20:49:${String(i % 60).padStart(2, '0')} 0      4  10.0.0.1:40000       > 10.0.0.2:80          ESTABLISHED (ACK)\n`;
    yield "\tb'tcp_drop+0x1'\n\tb'tcp_rcv_established+0x1'\n\n";
  }
}

export const writeText = (path: string, lines: Iterable<string>) => writeFile(path, lines);
