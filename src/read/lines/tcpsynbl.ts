/**
 * tcpsynbl: how many connections the accept queue held when the last ACK of a handshake came (on entry to tcp_v4_syn_recv_sock
 * and tcp_v6_syn_recv_sock), a histogram for each limit. In spite of its name it does not look at the SYN queue.
 */
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { NO_CLOCK, SectionSource } from './shared/section.ts';

/** bcc and libbpf-tools (`500L` under Python 2), bpftrace. */
const LIMIT = /^(?:backlog_max = (\d{1,10})L?|@backlog\[(\d{1,10})\]:)\s*$/;
/** `         2 -> 3          : 41       |****|` */
const SLOT = /^\s*(\d{1,10}) +-> +(\d{1,10}) +: (\d{1,10}) +\|/;
/** `[1]`, `[2, 4)`, `[1K, 2K)` */
const RANGE = /^(?:\[|\()(\d{1,7}[KM]?)(?:\]|, (\d{1,7}[KM]?|\.{3})[)\]]) +(\d{1,10}) \|/;
const OTHER =
  /^(?:Tracing SYN backlog size\. Ctrl-C to end\.|Attaching \d+ probes\.\.\.|@backlog\[backlog limit\]: .*|\s*(?:backlog|value)\s+: count\s+distribution)\s*$/;
/** What tcpsynbl.bt prints at once when the queue was full. */
const DROPPED = /^\d\d:\d\d:\d\d dropping a SYN\.\s*$/;

export const tcpsynbl: LineFormat = {
  id: 'tcpsynbl',
  title: 'tcpsynbl (bcc, libbpf-tools, bpftrace)',
  clock: 'order',
  proves:
    'How full accept queues of each limit were when the last ACK of a handshake came, and that they were full.',
  cannotProve:
    'Which listener it was, when, and how many clients: an ACK that is dropped comes again. SYNs that a full accept queue or SYN queue drops before are not counted.',
  example: 'backlog_max = 128',
  command: runs('tcpsynbl'),
  recognises: (line) => LIMIT.test(line) || DROPPED.test(line),
  open: (section) => new TcpsynblReader(section),
};

class TcpsynblReader implements LineReader {
  readonly #source: SectionSource;
  #limit: number | null = null;
  #isFull = false;
  /** ACKs that the tool named at once; its histogram counts the same ones. */
  #drops = { count: 0, line: 0 };

  constructor(section: Section) {
    this.#source = new SectionSource(section, tcpsynbl.id);
  }

  line(text: string, number: number): boolean {
    const limit = LIMIT.exec(text);
    if (limit) {
      this.#source.open(NO_CLOCK);
      this.#limit = Number(limit[1] ?? limit[2]);
      return true;
    }
    const slot = SLOT.exec(text);
    if (slot) return this.#emit(Number(slot[1]), Number(slot[2]), Number(slot[3]), number);
    const range = RANGE.exec(text);
    if (range) {
      const least = scaled(range[1]!);
      const most = range[2] === undefined ? least : scaled(range[2]) - 1;
      return this.#emit(least, most, Number(range[3]), number);
    }
    if (!DROPPED.test(text)) return OTHER.test(text);
    this.#source.open(NO_CLOCK);
    if (this.#drops.count++ === 0) this.#drops.line = number;
    return true;
  }

  #emit(least: number, most: number, count: number, line: number): boolean {
    if (this.#limit === null) return false;
    if (count === 0) return true;
    this.#isFull ||= least > this.#limit;
    const source = this.#source.open(NO_CLOCK);
    const slot = { limit: this.#limit, least, most, count };
    this.#source.event(source, { kind: 'queue-count', source: source.id, line, time: null, ...slot });
    return true;
  }

  /** The queue was above its limit: tcp_v4_syn_recv_sock drops the ACK. */
  end(): void {
    if (this.#isFull || this.#drops.count === 0) return;
    const source = this.#source.open(NO_CLOCK);
    this.#source.event(source, {
      ...{ kind: 'drop-count', source: source.id, time: null, ...this.#drops },
      ...{ where: 'tcp_v4_syn_recv_sock', reason: 'TCP_LISTEN_OVERFLOW' },
    });
  }
}

/** bpftrace writes 1024 as 1K; above its last step stands `...`. */
function scaled(text: string): number {
  if (text.startsWith('.')) return Number.MAX_SAFE_INTEGER;
  const unit = text.endsWith('K') ? 1024 : text.endsWith('M') ? 1024 * 1024 : 1;
  return Number.parseInt(text, 10) * unit;
}
