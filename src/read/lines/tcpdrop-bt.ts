/** bpftrace `tcpdrop.bt`: packets the kernel dropped, told by the ends of their socket, with the kernel stack. */
import type { DropCountEvent, DropEvent } from '../../model/event.ts';
import { parseState } from '../../model/tcp.ts';
import { NS_PER_S } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { parseEndpoint } from './shared/endpoints.ts';
import { Fields } from './shared/fields.ts';
import { Interner } from './shared/interner.ts';
import { clockOf, SectionSource } from './shared/section.ts';
import { parseStackFrame } from './shared/stack.ts';
import { timeOfDay, WallClock } from './shared/times.ts';

const HEADER = /^TIME\s+PID\s+COMM\s+SADDR:SPORT\s+DADDR:DPORT\s+STATE\s*$/;

export const tcpdropBt: LineFormat = {
  id: 'tcpdrop-bt',
  title: 'tcpdrop.bt (bpftrace)',
  clock: 'wall',
  proves: 'That the kernel dropped a packet of this socket in this state, and in which function.',
  cannotProve:
    'Which end sent the packet, its flags, why it was dropped, and anything about packets without a socket.',
  example:
    '14:05:12 1201     curl                          172.16.58.147:43782                   172.16.58.146:8080   FIN_WAIT1 ',
  command: runs('(?:bpftrace\\s+)?\\S{0,200}tcpdrop\\.bt'),
  recognises: (line) => HEADER.test(line) || isDrop(recognised.blanks(line)),
  open: (section) => new TcpdropBtReader(section),
};

const recognised = new Fields();

/** TIME PID COMM LOCAL REMOTE STATE; COMM may hold spaces. */
function isDrop(f: Fields): boolean {
  const n = f.count;
  return (
    n >= 6 &&
    !f.tooMany &&
    parseState(f.text(n - 1)) !== null &&
    /.:\d{1,5}$/.test(f.text(n - 2)) &&
    /.:\d{1,5}$/.test(f.text(n - 3)) &&
    f.integer(1) >= 0 &&
    timeOfDay(f.text(0)) >= 0
  );
}

/** A socket that is closed or of another protocol has no ports: of which connection the packet was is not printed. */
function hasEnds({ from, to }: DropEvent): boolean {
  return from.port !== 0 && to.port !== 0;
}

function counted({ source, line, time, stack }: DropEvent): DropCountEvent {
  const where =
    stack.find((f) => !/^(?:tcp_drop|__?kfree_skb|sk_skb_reason_drop)/.test(f)) ??
    'a function without a name';
  return { kind: 'drop-count', source, line, time, where, reason: null, count: 1 };
}

class TcpdropBtReader implements LineReader {
  readonly #source: SectionSource;
  readonly #fields = new Fields();
  readonly #interner = new Interner();
  readonly #clock = new WallClock();
  #drop: DropEvent | null = null;

  constructor(section: Section) {
    this.#source = new SectionSource(section, tcpdropBt.id);
  }

  line(text: string, number: number): boolean {
    const name = this.#drop && parseStackFrame(text);
    if (name) {
      this.#drop?.stack.push(this.#interner.keep(name));
      return true;
    }
    if (HEADER.test(text)) return true;
    const f = this.#fields.blanks(text);
    return isDrop(f) && this.#event(f, number);
  }

  #event(f: Fields, line: number): boolean {
    const local = parseEndpoint(f.text(f.count - 3), this.#interner);
    const remote = parseEndpoint(f.text(f.count - 2), this.#interner);
    if (!local || !remote) return false;
    this.#finish();
    this.#drop = {
      kind: 'drop',
      source: this.#source.open(clockOf('wall', NS_PER_S)).id,
      line,
      time: this.#clock.read(f.text(0)),
      pid: f.integer(1),
      from: remote,
      to: local,
      socketEnds: true,
      state: parseState(f.text(f.count - 1)),
      flags: null,
      reason: null,
      stack: [],
    };
    return true;
  }

  #finish(): void {
    const drop = this.#drop;
    if (drop)
      this.#source.event(this.#source.open(clockOf('wall', NS_PER_S)), hasEnds(drop) ? drop : counted(drop));
    this.#drop = null;
  }

  end(): void {
    this.#finish();
  }
}
