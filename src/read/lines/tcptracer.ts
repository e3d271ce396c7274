/**
 * bcc and libbpf-tools `tcptracer`: connect, accept and close of established sockets. With -t (no separator after
 * the time), -U (UID) and -v (words for types, nanoseconds, network namespace).
 */
import type { CallEvent } from '../../model/event.ts';
import { NS_PER_MS, type SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { isAddressText } from './shared/endpoints.ts';
import { Fields } from './shared/fields.ts';
import { Interner } from './shared/interner.ts';
import { clockOf, NO_CLOCK, SectionSource } from './shared/section.ts';
import { secondsToNs } from './shared/times.ts';

const BANNER = 'Tracing TCP established connections. Ctrl-C to end.';
const HEADER =
  /^(?:TIME\((?:ns|s)\)\s*)?(?:UID\s+)?(?:T|TYPE)\s+PID\s+COMM\s+IP\s+SADDR\s+DADDR\s+SPORT\s+DPORT/;
/** Everything before PID, COMM …: time in seconds, UID, type; or with -v time in nanoseconds and a word. */
const BRIEF = /^(?:(\d{1,10}\.\d{3})\s*)?(?:\d{1,10}\s*)?([CAXU-])\s+(?=\d)/;
const VERBOSE = /^(?:(\d{1,19})\s*)?(connect|accept|close|unknown)\s+(?=\d)/;

const CALLS = new Map<string, CallEvent['call']>([
  ['C', 'connect'],
  ['A', 'accept'],
  ['X', 'close'],
  ['connect', 'connect'],
  ['accept', 'accept'],
  ['close', 'close'],
]);

export const tcptracer: LineFormat = {
  id: 'tcptracer',
  title: 'tcptracer (bcc, libbpf-tools)',
  clock: 'relative',
  proves: 'Which process connected, accepted or closed an established connection, and in which order.',
  cannotProve: 'How a connection ended, and anything about one that was never established or never accepted.',
  example: 'C  6099   client           4  172.16.58.147    172.16.58.146    43752  8080  ',
  command: runs('tcptracer(?:-bpfcc|\\.py)?'),
  recognises: (line) => line === BANNER || HEADER.test(line) || parse(line, recognised),
  open: (section) => new TcptracerReader(section),
};

/** One parsed line; reused. */
class CallLine {
  readonly fields = new Fields();
  seconds = '';
  nanoseconds = '';
  type = '';
  /** Field index of the IP column; SADDR, DADDR, SPORT, DPORT follow. Fields begin at PID. */
  ip = 0;
}

const recognised = new CallLine();

function parse(line: string, out: CallLine): boolean {
  const brief = BRIEF.exec(line);
  const match = brief ?? VERBOSE.exec(line);
  if (!match) return false;
  out.seconds = brief ? (match[1] ?? '') : '';
  out.nanoseconds = brief ? '' : (match[1] ?? '');
  out.type = match[2]!;
  const f = out.fields.blanks(line.slice(match[0].length));
  if (f.tooMany || f.count < 7) return false;
  // a network namespace may follow the ports
  out.ip = isTuple(f, f.count - 5) ? f.count - 5 : f.count - 6;
  return out.ip >= 2 && isTuple(f, out.ip) && f.integer(0) >= 0;
}

function isTuple(f: Fields, ip: number): boolean {
  const separator = f.is(ip, '4') ? '.' : f.is(ip, '6') ? ':' : null;
  const isAddress = (i: number) => f.text(i).includes(separator!) && isAddressText(f.text(i));
  return (
    separator !== null && isAddress(ip + 1) && isAddress(ip + 2) && f.port(ip + 3) >= 0 && f.port(ip + 4) >= 0
  );
}

class TcptracerReader implements LineReader {
  readonly #source: SectionSource;
  readonly #line = new CallLine();
  readonly #interner = new Interner();
  #records = 0;
  #headed = false;

  constructor(section: Section) {
    this.#source = new SectionSource(section, tcptracer.id);
  }

  line(text: string, number: number): boolean {
    if (text === BANNER || HEADER.test(text)) {
      this.#headed = true;
      return this.#records === 0;
    }
    if (!parse(text, this.#line)) return false;
    this.#records++;
    const call = CALLS.get(this.#line.type);
    if (call) this.#emit(call, number);
    return true;
  }

  #emit(call: CallEvent['call'], line: number): void {
    const { fields: f, ip, seconds, nanoseconds } = this.#line;
    const source = this.#source.open(this.#clock());
    const time = seconds !== '' ? secondsToNs(seconds) : nanoseconds !== '' ? Number(nanoseconds) : null;
    this.#source.event(source, {
      kind: 'call',
      source: source.id,
      line,
      time: source.clock.kind === 'relative' ? (time as SourceTime | null) : null,
      call,
      pid: f.integer(0),
      comm: this.#interner.keep(f.span(1, ip - 1)),
      local: { address: this.#interner.address(f.text(ip + 1)), port: f.port(ip + 3) },
      remote: { address: this.#interner.address(f.text(ip + 2)), port: f.port(ip + 4) },
    });
  }

  #clock() {
    if (this.#line.seconds !== '') return clockOf('relative', NS_PER_MS);
    return this.#line.nanoseconds !== '' ? clockOf('relative', 1) : NO_CLOCK;
  }

  end(): void {
    if (this.#headed) this.#source.open(NO_CLOCK);
  }
}
