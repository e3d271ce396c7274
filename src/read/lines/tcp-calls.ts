/**
 * Tables of calls by their headings: tcpconnect, tcpaccept and tcpconnlat of bcc, libbpf-tools and bpftrace, and those of
 * Inspektor Gadget. The columns of a row are told by the heading; a name of a process with blanks in it takes what is left.
 */
import type { Endpoint } from '../../model/address.ts';
import type { CallEvent } from '../../model/event.ts';
import { NS_PER_MS, NS_PER_S, type SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { isAddressText, parseEndpoint } from './shared/endpoints.ts';
import { Interner } from './shared/interner.ts';
import { clockOf, NO_CLOCK, SectionSource } from './shared/section.ts';
import { parsePort } from './shared/services.ts';
import { msToNs, secondsToNs, WallClock } from './shared/times.ts';

/** Ends in the order local, remote: of the accepting end, of the connecting end. */
const ENDS: readonly (readonly [string, string])[] = [
  ['LADDR', 'RADDR'],
  ['SADDR', 'DADDR'],
  ['SRC', 'DST'],
];
/** Columns that only other tools have: tcplife, tcpstates, tcpdrop, tcptracer of bcc. */
const OTHERS =
  /(?:^|\s)(?:TX_KB|RX_KB|SKADDR|OLDSTATE|NEWSTATE|STATE|REASON|SADDR:SPORT|LADDR:LPORT)(?:\s|$)/;
const TCPTRACER = /^(?:TIME\((?:ns|s)\)\s*)?(?:UID\s+)?(?:T|TYPE)\s+PID\s+COMM\s+IP\s+SADDR\s/;
const COLUMN = /^[A-Z][A-Z0-9_.]{0,31}(?:\([mnu]?s\))?$/;
const BANNER = /^Tracing (?:TCP accepts|tcp connections|TCP connect|connect)/i;
const CALLS: Readonly<Record<string, CallEvent['call']>> = {
  C: 'connect',
  A: 'accept',
  X: 'close',
  connect: 'connect',
  accept: 'accept',
  close: 'close',
};

export const tcpCalls: LineFormat = {
  id: 'tcp-calls',
  title: 'tcpconnect, tcpaccept, tcpconnlat (bcc, libbpf-tools, bpftrace, Inspektor Gadget)',
  clock: 'wall',
  proves:
    'Which process connected to where, or accepted from where, and how long connect() waited for an answer.',
  cannotProve:
    'How a connection ended, whether connect() succeeded (a RST is an answer too), and without LPORT which attempt it was.',
  example: 'PID     COMM         IP RADDR            RPORT LADDR            LPORT',
  command: runs('(?:bpftrace\\s+)?(?:\\S{0,200}/)?tcp(?:connect|accept|connlat)(?:-bpfcc|\\.py|\\.bt)?'),
  recognises: (line) => headingOf(line) !== null,
  open: (section) => new TcpCallsReader(section),
};

interface Heading {
  columns: readonly string[];
  local: string;
  remote: string;
  /** Both ends stand with their ports in one column each. */
  hasPorts: boolean;
}

function headingOf(line: string): Heading | null {
  if (!/\bCOMM\b/.test(line) || !/\bPID\b/.test(line) || OTHERS.test(line) || TCPTRACER.test(line.trim()))
    return null;
  const columns = line.trim().split(/\s+/);
  if (!columns.every((column) => COLUMN.test(column))) return null;
  const ends = ENDS.find(([local, remote]) => columns.includes(local) && columns.includes(remote));
  if (!ends) return null;
  return {
    columns,
    local: ends[0],
    remote: ends[1],
    hasPorts: ends[0] === 'SRC' && !columns.includes('DPORT'),
  };
}

class TcpCallsReader implements LineReader {
  readonly #source: SectionSource;
  readonly #interner = new Interner();
  readonly #wall = new WallClock();
  #heading: Heading | null = null;

  constructor(section: Section) {
    this.#source = new SectionSource(section, tcpCalls.id);
  }

  line(text: string, number: number): boolean {
    const heading = headingOf(text);
    if (heading) {
      this.#heading = heading;
      return true;
    }
    if (BANNER.test(text)) return true;
    const values = this.#heading && valuesOf(text, this.#heading.columns);
    const local = values && this.#end(values, 'local');
    const remote = values && this.#end(values, 'remote');
    const pid = Number(values?.get('PID'));
    if (!values || !local || !remote || !Number.isInteger(pid)) return false;
    this.#emit(values, local, remote, pid, number);
    return true;
  }

  end(): void {}

  #emit(
    values: ReadonlyMap<string, string>,
    local: Endpoint,
    remote: Endpoint,
    pid: number,
    line: number,
  ): void {
    const { time, clock } = this.#time(values);
    const source = this.#source.open(clock);
    const comm = this.#interner.keep(values.get('COMM')!);
    const latency = msToNs(values.get('LAT(ms)') ?? values.get('LAT') ?? '');
    const event: CallEvent = {
      ...{ source: source.id, line, time, pid, comm, local, remote },
      kind: 'call',
      call: this.#call(values),
      ...(latency >= 0 && { answered: latency }),
    };
    this.#source.event(source, event);
    if (local.port === 0)
      this.#source.diagnose(
        'local-port-hidden',
        'info',
        line,
        'lines without the local port: attempts from one address to one server are shown as one connection; -L prints the port',
      );
  }

  #call(values: ReadonlyMap<string, string>): CallEvent['call'] {
    const type = values.get('T') ?? values.get('TYPE') ?? values.get('OPERATION');
    return CALLS[type ?? ''] ?? (this.#heading!.local === 'LADDR' ? 'accept' : 'connect');
  }

  #time(values: ReadonlyMap<string, string>) {
    const seconds = values.get('TIME(s)');
    if (seconds !== undefined && secondsToNs(seconds) >= 0)
      return { time: secondsToNs(seconds) as SourceTime, clock: clockOf('relative', NS_PER_MS) };
    const time = this.#wall.read(values.get('TIME') ?? '');
    return { time, clock: time === null ? NO_CLOCK : clockOf('wall', NS_PER_S) };
  }

  /** Port 0 where no column has it. */
  #end(values: ReadonlyMap<string, string>, side: 'local' | 'remote'): Endpoint | null {
    const { hasPorts, [side]: column } = this.#heading!;
    const text = values.get(column) ?? '';
    // Inspektor Gadget: `p/default/web:8080`, `r/198.51.100.7:443`, `s/…` for pods, addresses, services
    if (hasPorts) return parseEndpoint(text.slice(text.lastIndexOf('/') + 1), this.#interner);
    const own = side === 'local' ? values.get('LPORT') : undefined;
    const port = parsePort(values.get(`${column[0]}PORT`) ?? own ?? '0');
    return isAddressText(text) && port >= 0 ? { address: this.#interner.address(text), port } : null;
  }
}

/** By column; null when there are not enough. */
function valuesOf(text: string, columns: readonly string[]): Map<string, string> | null {
  const words = text.trim().split(/\s+/);
  const more = words.length - columns.length;
  const comm = columns.indexOf('COMM');
  if (more < 0 || more > 16) return null;
  return new Map(
    columns.map((column, i) => {
      const from = i <= comm ? i : i + more;
      return [column, words.slice(from, i === comm ? from + more + 1 : from + 1).join(' ')];
    }),
  );
}
