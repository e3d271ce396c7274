/**
 * bcc and libbpf-tools `tcpstates`: every change of a socket's state (sock:inet_sock_set_state). Text, wide text (-w)
 * and CSV (-s), with none, one or both of TIME (-T) and TIME(s) (-t); headers and columns of all versions.
 */
import type { StateEvent } from '../../model/event.ts';
import type { Source } from '../../model/source.ts';
import { parseState, type TcpState } from '../../model/tcp.ts';
import { NS_PER_MS, NS_PER_S, NS_PER_US, type SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { isAddressText } from './shared/endpoints.ts';
import { Fields } from './shared/fields.ts';
import { Interner } from './shared/interner.ts';
import { clockOf, NO_CLOCK, SectionSource } from './shared/section.ts';
import { TextCache } from './shared/text-cache.ts';
import { timeOfDay, WallClock } from './shared/times.ts';

const HEADER = /^(?:TIME\s+)?(?:TIME\(s\)\s+)?SKADDR\s+(?:C-)?PID\s+(?:C-)?COMM\s/;
const CSV_HEADER = /^(?:TIME,)?(?:TIME\(s\),)?SKADDR,C-PID,C-COMM,IP,/;
/** Padded width of COMM in wide output, and the blank after it. In narrow output COMM is cut to 10. */
const WIDE_COMM = 17;
/** Lines remembered to tell an excerpt of them in an article; a log longer than this is not pasted in pieces. */
const REMEMBERED = 10_000;

export const tcpstates: LineFormat = {
  id: 'tcpstates',
  title: 'tcpstates (bcc, libbpf-tools)',
  clock: 'relative',
  proves:
    'Every state a full socket went through and how long it stayed there, for the lines that are present.',
  cannotProve:
    'That a transition did not happen (lines are lost silently), SYNs that made no socket, life as a timewait socket; long IPv6 addresses, when it is of libbpf-tools, which leaves others in their place.',
  example:
    'ffff90cdd53c8a40 0     swapper/0  172.16.58.147   43794 172.16.58.146   8080  FIN_WAIT1   -> FIN_WAIT2   40.370',
  command: runs('tcpstates(?:-bpfcc|\\.py)?'),
  recognises: (line) => isHeader(line) || parse(line, recognised),
  open: (section) => new TcpstatesReader(section),
};

function isHeader(line: string): boolean {
  return line.includes('SKADDR') && (HEADER.test(line) || CSV_HEADER.test(line));
}

/** One parsed line; reused. */
class StateLine {
  readonly fields = new Fields();
  /** TIME, TIME(s): field indexes, -1 when absent. */
  wall = -1;
  seconds = -1;
  socket = 0;
  localPort = 0;
  remotePort = 0;
  /** Index of LADDR; LPORT, RADDR and RPORT follow. */
  address = 0;
  local = '';
  remote = '';
  /** First and last field of COMM. */
  firstComm = 0;
  lastComm = 0;
  from: TcpState = 'UNKNOWN';
  to: TcpState = 'UNKNOWN';
  duration = 0;
}

const recognised = new StateLine();

// what lines of all logs repeat
const interner = new Interner();
const states = new TextCache(parseState);
/** Canonical addresses; '' for what is none. */
const addresses = new TextCache((text) =>
  (text.includes('.') || text.includes(':')) && isAddressText(text) ? interner.address(text) : '',
);
const texts = new TextCache((text) => text);

/** Text or CSV; false when the line is no record. Anchored on the right, because COMM may hold spaces and commas. */
function parse(line: string, out: StateLine): boolean {
  const csv = line.includes(',') && !line.includes(' -> ');
  const f = csv ? out.fields.separated(line, ',') : out.fields.blanks(line);
  const n = f.count;
  if (n < 10 || f.tooMany) return false;
  if (!csv && !f.is(n - 3, '->')) return false;
  const address = csv ? n - 7 : n - 8;
  return (
    times(f, out) &&
    isSocket(f, out.socket) &&
    f.integer(out.socket + 1) >= 0 &&
    change(f, csv ? n - 3 : n - 4, n - 2, n - 1, out) &&
    ports(f, address, out) &&
    comm(f, csv, out)
  );
}

function times(f: Fields, out: StateLine): boolean {
  let i = 0;
  out.wall = f.end(0) - f.start(0) === 8 && timeOfDay(f.text(0)) >= 0 ? i++ : -1;
  out.seconds = f.isDecimal(i, 9) ? i++ : -1;
  out.socket = i;
  return true;
}

/** A kernel address: 8 to 16 hex digits; `0x` in hand-made tools. */
function isSocket(f: Fields, index: number): boolean {
  const length = f.end(index) - f.start(index);
  return length >= 8 && length <= 18 && f.isHex(index);
}

function change(f: Fields, from: number, to: number, ms: number, out: StateLine): boolean {
  const old = f.cached(states, from);
  const next = f.cached(states, to);
  // always three decimals: fewer are a line that was cut
  out.duration = f.line[f.end(ms) - 4] === '.' ? f.decimal(ms, NS_PER_MS) : -1;
  if (old === null || next === null || out.duration < 0) return false;
  out.from = old;
  out.to = next;
  return true;
}

function ports(f: Fields, address: number, out: StateLine): boolean {
  out.address = address;
  out.localPort = f.port(address + 1);
  out.remotePort = f.port(address + 3);
  if (address <= out.socket + 1 || out.localPort < 0 || out.remotePort < 0) return false;
  out.local = f.cached(addresses, address);
  out.remote = f.cached(addresses, address + 2);
  return out.local !== '' && out.remote !== '';
}

/** COMM is what stands between PID and LADDR, without the IP column of wide and CSV output. */
function comm(f: Fields, csv: boolean, out: StateLine): boolean {
  const first = out.socket + 2;
  let last = out.address - 1;
  if (csv || (last >= first && isWideIp(f, first, last))) {
    if (!f.is(last, '4') && !f.is(last, '6')) return false;
    last--;
  }
  [out.firstComm, out.lastComm] = [first, last];
  return true;
}

function isWideIp(f: Fields, first: number, last: number): boolean {
  return (f.is(last, '4') || f.is(last, '6')) && f.start(last) - f.start(first) >= WIDE_COMM;
}

class TcpstatesReader implements LineReader {
  readonly #source: SectionSource;
  readonly #line = new StateLine();
  readonly #wall = new WallClock();
  readonly #sockets = new Set<string>();
  readonly #remembered = new Set<string>();
  /** Set once the section is resumed after other text: then a line seen before is an excerpt, not a new event. */
  #resumed = false;
  #records = 0;
  #headed = false;

  constructor(section: Section) {
    this.#source = new SectionSource(section, tcpstates.id);
  }

  line(text: string, number: number): boolean {
    // a second header is a second run of the tool, with a clock of its own
    if (isHeader(text)) {
      this.#headed = true;
      return this.#records === 0;
    }
    if (!parse(text, this.#line)) return false;
    this.#records++;
    if (this.#resumed && this.#remembered.has(text)) {
      this.#source.diagnose(
        'excerpt-repeated',
        'info',
        number,
        'lines that repeat earlier ones of the log, not counted again',
      );
      return true;
    }
    this.#emit(number);
    if (this.#records <= REMEMBERED) this.#remembered.add(interner.keep(text));
    return true;
  }

  continues(text: string): boolean {
    if (isHeader(text) || !parse(text, this.#line)) return false;
    this.#resumed = this.#sockets.has(this.#line.fields.text(this.#line.socket));
    return this.#resumed;
  }

  #emit(number: number): void {
    const { fields: f, socket, firstComm, lastComm } = this.#line;
    const source = this.#source.open(this.#clock());
    const id = f.cached(texts, socket);
    if (this.#sockets.size < REMEMBERED) this.#sockets.add(id);
    const event: StateEvent = {
      kind: 'state',
      source: source.id,
      line: number,
      time: this.#time(source),
      socket: id,
      pid: f.integer(socket + 1),
      comm: f.cached(texts, firstComm, lastComm),
      local: { address: this.#line.local, port: this.#line.localPort },
      remote: { address: this.#line.remote, port: this.#line.remotePort },
      from: this.#line.from,
      to: this.#line.to,
      duration: this.#line.duration,
    };
    this.#source.event(source, event);
  }

  /** From the first record: libbpf-tools heads the time of day `TIME(s)`. */
  #clock() {
    if (this.#line.seconds >= 0) return clockOf('relative', NS_PER_US);
    return this.#line.wall >= 0 ? clockOf('wall', NS_PER_S) : NO_CLOCK;
  }

  #time(source: Source): SourceTime | null {
    const { fields: f, wall, seconds } = this.#line;
    if (source.clock.kind === 'relative') {
      if (seconds < 0) return null;
      const time = f.decimal(seconds, NS_PER_S) as SourceTime;
      if (wall >= 0) noteWall(source, this.#wall.read(f.text(wall)), time);
      return time;
    }
    return source.clock.kind === 'wall' && wall >= 0 ? this.#wall.read(f.text(wall)) : null;
  }

  /** A header alone is a log of nothing, but it is a log. */
  end(): void {
    if (this.#headed) this.#source.open(NO_CLOCK);
  }
}

/** Each line that shows both times bounds the time of day of the log's zero: it lies in [TIME - t, TIME - t + 1 s). */
function noteWall(source: Source, wall: SourceTime | null, time: SourceTime): void {
  if (wall === null) return;
  const low = wall - time;
  const known = source.wallOfZero;
  if (!known) {
    source.wallOfZero = { from: low, to: low + NS_PER_S };
    return;
  }
  const from = Math.max(known.from, low);
  const to = Math.min(known.to, low + NS_PER_S);
  // printed late (a full buffer), a line bounds nothing
  if (from < to) source.wallOfZero = { from, to };
}
