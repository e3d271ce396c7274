/**
 * Events of the kernel's own tracepoints as text: `trace` and `trace_pipe` of tracefs, `trace-cmd report`, `perf script`.
 * Of them sock:inet_sock_set_state and tcp:tcp_send_reset, tcp_receive_reset, tcp_retransmit_skb, tcp_retransmit_synack
 * name a connection; skb:kfree_skb tells reasons, but not of which packet.
 */
import type { Endpoint } from '../../model/address.ts';
import { parseState, STATE_NAMES, type TcpState } from '../../model/tcp.ts';
import { NS_PER_US, type SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { TracedSockets } from './kernel-trace/sockets.ts';
import { runs } from './shared/command.ts';
import { parseEndpoint } from './shared/endpoints.ts';
import { Interner } from './shared/interner.ts';
import { clockOf, SectionSource } from './shared/section.ts';
import { secondsToNs } from './shared/times.ts';

/** `COMM-PID [CPU] FLAGS SECONDS: [SYSTEM:]EVENT: …`; perf separates COMM and PID by blanks and prints no flags. */
const EVENT =
  /^ *(\S.{0,31}?)(?:-| +)(\d{1,10})(?:\/\d{1,10})? +(?:\( *[\d-]{1,10}\) +)?\[(\d{3,4})\] +(?:[\w.#+!]{4,8} +)?(\d{1,10}\.\d{3,9}): +(?:\d+ +)?(?:(?:sock|tcp|skb|qdisc):)?(inet_sock_set_state|tcp_send_reset|tcp_receive_reset|tcp_retransmit_skb|tcp_retransmit_synack|tcp_destroy_sock|tcp_rcvbuf_grow|tcp_rcv_space_adjust|kfree_skb|qdisc_drop): +(.*)$/;
const HEADER =
  /^# tracer: nop|^#\s+TASK-PID\s|^#\s+(?:\||_|entries-in-buffer)|^#\s*$|^cpus=\d+$|^CPU \d+ is empty$/;
const LOST = /^CPU:\d+ \[LOST (\d+) EVENTS\]/;
/** Names that probes of a capture have for the same. */
const PROBES: Readonly<Record<string, string>> = {
  tcp_retransmit_skb: 'retransmit',
  tcp_retransmit_synack: 'synack-retransmit',
};
const NOTHING = /^(?:0x)?0+$|^\((?:null|nil)\)$/;

export const kernelTrace: LineFormat = {
  id: 'kernel-trace',
  title: 'trace_pipe, trace-cmd report, perf script (TCP tracepoints)',
  clock: 'relative',
  proves:
    'Every change of state, reset and retransmission that the kernel traced, and since 6.10 its reason for a RST.',
  cannotProve:
    'What was not enabled or was lost, which packet a RST answers, and of which connection kfree_skb dropped a packet: the lines do not say.',
  example:
    '            curl-11201   [001] ...1.  7113.223222: tcp_send_reset: skbaddr=(null) skaddr=ffff9fd7db589800 src=192.0.2.10:40000 dest=198.51.100.9:8080 state=TCP_CLOSE reason=TCP_ABORT_ON_CLOSE',
  command: runs('trace-cmd\\s+report|perf\\s+script'),
  recognises: (line) => line.includes(': ') && EVENT.test(line),
  open: (section) => new KernelTraceReader(section),
};

interface Line {
  number: number;
  time: SourceTime;
  comm: string;
  pid: number;
  name: string;
  values: ReadonlyMap<string, string>;
}

class KernelTraceReader implements LineReader {
  readonly #source: SectionSource;
  readonly #interner = new Interner();
  readonly #sockets: TracedSockets;

  constructor(section: Section) {
    this.#source = new SectionSource(section, kernelTrace.id);
    this.#sockets = new TracedSockets((event) => this.#source.event(this.#open(), event));
  }

  line(text: string, number: number): boolean {
    const match = EVENT.exec(text);
    if (!match) return this.#source.made !== null && (HEADER.test(text) || this.#lost(text, number));
    const [, comm, pid, , seconds, name, rest] = match as unknown as string[];
    const values = new Map([...rest!.matchAll(/(\w+)(?:=|: )(\S+)/g)].map((m) => [m[1]!, m[2]!] as const));
    const time = secondsToNs(seconds!) as SourceTime;
    return this.#take({
      number,
      time,
      comm: this.#interner.keep(comm!),
      pid: Number(pid),
      name: name!,
      values,
    });
  }

  #take(line: Line): boolean {
    switch (line.name) {
      case 'inet_sock_set_state':
        return this.#state(line);
      case 'tcp_send_reset':
        return this.#reset(line);
      case 'kfree_skb':
      // 7.1 and later: what a queueing discipline drops has an event of its own
      case 'qdisc_drop':
        return this.#drop(line);
      case 'tcp_destroy_sock':
        this.#open();
        return true;
      default:
        return this.#probe(line);
    }
  }

  #state(line: Line): boolean {
    const { values } = line;
    if (values.get('protocol') !== 'IPPROTO_TCP') {
      this.#open();
      this.#source.diagnose('not-tcp', 'info', line.number, 'sockets of other protocols, not read');
      return true;
    }
    const ends = this.#ends(values);
    const [from, to] = [stateOf(values.get('oldstate')), stateOf(values.get('newstate'))];
    if (!ends || !from || !to) return false;
    this.#sockets.state({
      ...this.#where(line),
      kind: 'state',
      socket: '',
      ...ends,
      from,
      to,
      duration: null,
    });
    return true;
  }

  /** `src` is the end that resets. A packet that it answers is named by its address only. */
  #reset(line: Line): boolean {
    const { values } = line;
    const local = parseEndpoint(values.get('src') ?? '', this.#interner);
    const remote = parseEndpoint(values.get('dest') ?? '', this.#interner);
    const answered = values.get('skbaddr');
    if (!local || !remote || answered === undefined) return false;
    const reason = this.#interner.keep(values.get('reason') ?? '');
    const state = stateOf(values.get('state'));
    const socket = this.#sockets.latest(local, remote);
    const where = { ...this.#where(line), socket, local, remote };
    if (NOTHING.test(answered))
      this.#source.event(this.#open(), {
        ...where,
        kind: 'reset-sent',
        state,
        reason: reason || null,
        answers: null,
      });
    else
      this.#source.event(this.#open(), {
        ...where,
        kind: 'probe',
        name: 'tcp_send_reset',
        packet: null,
        values: {},
        pointers: {},
        said: `sends RST in answer to a packet${reason && `, reason ${reason}`}${state ? `, in state ${state}` : ', without a socket'}`,
      });
    return true;
  }

  #probe(line: Line): boolean {
    const ends = this.#ends(line.values);
    if (!ends) return false;
    const where = { ...this.#where(line), ...ends };
    const socket = this.#sockets.latest(ends.local, ends.remote);
    if (line.name === 'tcp_receive_reset') {
      this.#source.event(this.#open(), { ...where, kind: 'reset-received', socket: socket ?? '0' });
      return true;
    }
    const name = PROBES[line.name] ?? line.name;
    const state = stateOf(line.values.get('state'));
    const said = state ? { said: `${name} in state ${state}` } : {};
    this.#source.event(this.#open(), {
      ...where,
      kind: 'probe',
      name,
      socket,
      packet: null,
      values: state ? { state: STATE_NAMES.indexOf(state) } : {},
      pointers: {},
      ...said,
    });
    return true;
  }

  /** The line does not say of which connection: it counts by reason and place. */
  #drop(line: Line): boolean {
    const { values, number, time } = line;
    const source = this.#open();
    const where = (values.get('location') ?? line.name).replace(/\+0x.*$/, '');
    this.#source.event(source, {
      kind: 'drop-count',
      source: source.id,
      line: number,
      time,
      where: this.#interner.keep(where),
      reason: this.#interner.keep(values.get('reason') ?? '') || null,
      count: 1,
    });
    return true;
  }

  #lost(text: string, number: number): boolean {
    const lost = LOST.exec(text);
    if (!lost) return false;
    this.#source.diagnose('tool-lost-events', 'data-loss', number, `events lost by the trace: ${lost[1]}`);
    return true;
  }

  #ends(values: ReadonlyMap<string, string>): { local: Endpoint; remote: Endpoint } | null {
    const v6 = values.get('family') === 'AF_INET6';
    const [from, to] = v6 ? ['saddrv6', 'daddrv6'] : ['saddr', 'daddr'];
    const [local, remote] = [values.get(from!), values.get(to!)];
    const [localPort, remotePort] = [Number(values.get('sport')), Number(values.get('dport'))];
    if (!local || !remote || Number.isNaN(localPort) || Number.isNaN(remotePort)) return null;
    return {
      local: { address: this.#interner.address(local), port: localPort },
      remote: { address: this.#interner.address(remote), port: remotePort },
    };
  }

  #where({ number, time, comm, pid }: Line) {
    return { source: this.#open().id, line: number, time, pid, comm };
  }

  #open() {
    return this.#source.open(clockOf('relative', NS_PER_US));
  }

  end(): void {
    const unjoined = this.#sockets.unjoined();
    if (unjoined > 0)
      this.#source.diagnose(
        'connect-without-port',
        'info',
        0,
        `changes to SYN_SENT from before the port was chosen, of which nothing says to which connection they belong: ${unjoined}`,
      );
  }
}

/** `TCP_SYN_SENT`, `0x7`, `7`; null for UNKNOWN, which stands for no socket. */
function stateOf(text: string | undefined): TcpState | null {
  if (text === undefined) return null;
  const state = parseState(/^0x/.test(text) ? String(Number(text)) : text.replace(/^TCP_/, ''));
  return state === 'UNKNOWN' ? null : state;
}
