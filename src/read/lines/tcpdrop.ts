/**
 * bcc `tcpdrop`: a packet the kernel dropped, with the socket's state and the kernel stack. Since 0.34 with the
 * reason's name and number. Function names stand bare or, under some Python 3 versions, as `b'name+0x1'`.
 */
import type { DropEvent } from '../../model/event.ts';
import { parseFlagNames, parseState } from '../../model/tcp.ts';
import { NS_PER_S } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { parseEndpoint } from './shared/endpoints.ts';
import { Fields } from './shared/fields.ts';
import { Interner } from './shared/interner.ts';
import { clockOf, SectionSource } from './shared/section.ts';
import { parseStackFrame } from './shared/stack.ts';
import { timeOfDay, WallClock } from './shared/times.ts';

const HEADER = /^TIME\s+PID\s+IP\s+SADDR:SPORT\s+>\s+DADDR:DPORT\s+STATE\s/;

export const tcpdrop: LineFormat = {
  id: 'tcpdrop',
  title: 'tcpdrop (bcc)',
  clock: 'wall',
  proves:
    'That the kernel dropped this packet in this state of its socket, in which function, and since 0.34 why.',
  cannotProve:
    'That nothing else was dropped: packets without a socket, and every SYN or ACK a listener drops, are never shown.',
  example: '06:56:30 0       4  172.16.58.146:8080   > 172.16.58.147:43782  FIN_WAIT1 (SYN|ACK)',
  command: runs('tcpdrop(?:-bpfcc|\\.py)?'),
  recognises: (line) => HEADER.test(line) || isDrop(recognised.blanks(line)),
  open: (section) => new TcpdropReader(section),
};

const recognised = new Fields();

/** TIME PID IP SOURCE > DESTINATION STATE (FLAGS) [REASON (CODE)] */
function isDrop(f: Fields): boolean {
  return (
    (f.count === 8 || f.count === 10) &&
    f.is(4, '>') &&
    (f.is(2, '4') || f.is(2, '6')) &&
    f.integer(1) >= 0 &&
    timeOfDay(f.text(0)) >= 0 &&
    isBracketed(f.text(7)) &&
    (f.count === 8 || isBracketed(f.text(9)))
  );
}

function isBracketed(text: string): boolean {
  return text.startsWith('(') && text.endsWith(')');
}

class TcpdropReader implements LineReader {
  readonly #source: SectionSource;
  readonly #fields = new Fields();
  readonly #interner = new Interner();
  readonly #clock = new WallClock();
  /** Waits for its stack. */
  #drop: DropEvent | null = null;
  #headed = false;

  constructor(section: Section) {
    this.#source = new SectionSource(section, tcpdrop.id);
  }

  line(text: string, number: number): boolean {
    if (this.#stack(text)) return true;
    if (HEADER.test(text)) {
      this.#headed = true;
      return true;
    }
    const f = this.#fields.blanks(text);
    return isDrop(f) && this.#event(f, number);
  }

  #stack(text: string): boolean {
    const name = this.#drop && parseStackFrame(text);
    if (!name) return false;
    this.#drop?.stack.push(this.#interner.keep(name));
    return true;
  }

  #event(f: Fields, line: number): boolean {
    const from = parseEndpoint(f.text(3), this.#interner);
    const to = parseEndpoint(f.text(5), this.#interner);
    if (!from || !to) return false;
    this.#finish();
    const source = this.#source.open(clockOf('wall', NS_PER_S));
    this.#drop = {
      kind: 'drop',
      source: source.id,
      line,
      time: this.#clock.read(f.text(0)),
      pid: f.integer(1),
      from,
      to,
      state: parseState(f.text(6)),
      flags: parseFlagNames(f.text(7)),
      reason: f.count === 10 ? reason(this.#interner.keep(f.text(8)), f.text(9)) : null,
      stack: [],
    };
    return true;
  }

  #finish(): void {
    if (this.#drop) this.#source.event(this.#source.open(clockOf('wall', NS_PER_S)), this.#drop);
    this.#drop = null;
  }

  end(): void {
    this.#finish();
    if (this.#headed) this.#source.open(clockOf('wall', NS_PER_S));
  }
}

function reason(name: string, code: string): DropEvent['reason'] {
  const digits = /^\((\d{1,6})\)$/.exec(code);
  return { name, code: digits ? Number(digits[1]) : null };
}
