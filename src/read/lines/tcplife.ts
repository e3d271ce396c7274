/** bcc and libbpf-tools `tcplife`: one line a connection when its socket closes. Text, wide (-w) and CSV (-s). */
import { NS_PER_S, NS_PER_US, type SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { isAddressText } from './shared/endpoints.ts';
import { Fields } from './shared/fields.ts';
import { Interner } from './shared/interner.ts';
import { clockOf, NO_CLOCK, SectionSource } from './shared/section.ts';
import { msToNs, secondsToNs, timeOfDay, WallClock } from './shared/times.ts';

const HEADER =
  /^(?:TIME\s+)?(?:TIME\(s\)\s+)?PID\s+COMM\s+(?:IP\s+)?LADDR\s+LPORT\s+RADDR\s+RPORT\s+TX_KB\s+RX_KB\s+MS\s*$/;
const CSV_HEADER = /^(?:TIME,)?(?:TIME\(s\),)?PID,COMM,IP,LADDR,LPORT,RADDR,RPORT,TX_KB,RX_KB,MS$/;
/** Padded width of COMM in wide bcc output, and the blank after it. */
const WIDE_COMM = 17;
const KB = 1024;

export const tcplife: LineFormat = {
  id: 'tcplife',
  title: 'tcplife (bcc, libbpf-tools)',
  clock: 'wall',
  proves:
    'That a connection ended at that time, how long it lived, how much it carried and who had opened it.',
  cannotProve: 'How it ended: FIN and RST look the same; and what became of it as a timewait socket.',
  example:
    '22:23:33 11247   python3          127.0.0.1       51874 127.0.0.1       38319 0.01   0.00   40.53',
  command: runs('tcplife(?:-bpfcc|\\.py)?'),
  recognises: (line) => isHeader(line) || parse(line, recognised),
  open: (section) => new TcplifeReader(section),
};

function isHeader(line: string): boolean {
  return line.includes('RX_KB') && (HEADER.test(line) || CSV_HEADER.test(line));
}

/** One parsed line; reused. */
class LifeLine {
  readonly fields = new Fields();
  wall = -1;
  seconds = -1;
  pid = 0;
  /** Field index of LADDR; LPORT, RADDR, RPORT, TX_KB, RX_KB, MS follow. */
  address = 0;
  comm = '';
}

const recognised = new LifeLine();

function parse(line: string, out: LifeLine): boolean {
  const csv = /^[^\s,]{1,32},/.test(line);
  const f = csv ? out.fields.separated(line, ',') : out.fields.blanks(line);
  const n = f.count;
  if (n < 9 || f.tooMany) return false;
  out.address = n - 7;
  let i = 0;
  out.wall = timeOfDay(f.text(0)) >= 0 && !f.text(0).includes('.') ? i++ : -1;
  out.seconds = /^\d{1,9}\.\d{1,9}$/.test(f.text(i)) ? i++ : -1;
  out.pid = i;
  return out.address > i + 1 && f.integer(i) >= 0 && isSummary(f, out.address) && comm(f, csv, out);
}

function isSummary(f: Fields, address: number): boolean {
  const isAddress = (i: number) => /[.:]/.test(f.text(i)) && isAddressText(f.text(i));
  const isNumber = (i: number) => /^\d{1,15}(?:\.\d{1,3})?$/.test(f.text(i));
  return (
    isAddress(address) &&
    f.port(address + 1) >= 0 &&
    isAddress(address + 2) &&
    f.port(address + 3) >= 0 &&
    isNumber(address + 4) &&
    isNumber(address + 5) &&
    /^\d{1,15}\.\d\d$/.test(f.text(address + 6))
  );
}

function comm(f: Fields, csv: boolean, out: LifeLine): boolean {
  const first = out.pid + 1;
  let last = out.address - 1;
  const isIp = f.is(last, '4') || f.is(last, '6');
  if (csv && !isIp) return false;
  if (csv || (isIp && last > first && f.start(last) - f.start(first) >= WIDE_COMM)) last--;
  out.comm = f.span(first, last);
  return true;
}

class TcplifeReader implements LineReader {
  readonly #source: SectionSource;
  readonly #line = new LifeLine();
  readonly #interner = new Interner();
  readonly #wall = new WallClock();
  #records = 0;
  #headed = false;

  constructor(section: Section) {
    this.#source = new SectionSource(section, tcplife.id);
  }

  line(text: string, number: number): boolean {
    if (isHeader(text)) {
      this.#headed = true;
      return this.#records === 0;
    }
    if (!parse(text, this.#line)) return false;
    this.#records++;
    this.#emit(number);
    return true;
  }

  #emit(line: number): void {
    const { fields: f, address, pid } = this.#line;
    const source = this.#source.open(this.#clock());
    const kb = (index: number) => Math.round(Number(f.text(index)) * KB);
    this.#source.event(source, {
      kind: 'life',
      source: source.id,
      line,
      time: this.#time(source.clock.kind),
      pid: f.integer(pid),
      comm: this.#interner.keep(this.#line.comm),
      local: { address: this.#interner.address(f.text(address)), port: f.port(address + 1) },
      remote: { address: this.#interner.address(f.text(address + 2)), port: f.port(address + 3) },
      sent: kb(address + 4),
      received: kb(address + 5),
      duration: msToNs(f.text(address + 6)),
    });
  }

  #clock() {
    if (this.#line.seconds >= 0) return clockOf('relative', NS_PER_US);
    return this.#line.wall >= 0 ? clockOf('wall', NS_PER_S) : NO_CLOCK;
  }

  #time(kind: string): SourceTime | null {
    const { fields: f, wall, seconds } = this.#line;
    if (kind === 'relative') return seconds < 0 ? null : (secondsToNs(f.text(seconds)) as SourceTime);
    return kind === 'wall' && wall >= 0 ? this.#wall.read(f.text(wall)) : null;
  }

  end(): void {
    if (this.#headed) this.#source.open(NO_CLOCK);
  }
}
