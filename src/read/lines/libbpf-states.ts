/**
 * State lines of a small libbpf program (document 001): `ts:<ktime ns>:<server|client>:<old>:<new>`. It traces one server
 * and its clients on one host and prints no addresses: the side stands for the socket, and the connections of a side are
 * numbered as they come. That number stands where the port would. Two at once on one side cannot be told apart.
 */
import type { Endpoint } from '../../model/address.ts';
import type { ProbeEvent, StateEvent } from '../../model/event.ts';
import { parseState, type TcpState } from '../../model/tcp.ts';
import type { SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { clockOf, SectionSource } from './shared/section.ts';

const STATE = /^ts:(\d{1,19}):(server|client|unknown):(?:TCP_)?(\w{1,16}):(?:TCP_)?(\w{1,16})$/;
/** The server's port, which no line shows. */
const SERVER_PORT = 1;
const NOWHERE: Endpoint = { address: '', port: 0 };

export const libbpfStates: LineFormat = {
  id: 'libbpf-states',
  title: 'state lines ts:TIME:SIDE:OLD:NEW of a libbpf program',
  clock: 'monotonic',
  proves:
    'When each end went from state to state, including the timewait socket when the program traces inet_twsk_alloc and _put.',
  cannotProve: 'Which connection it was: there are no addresses, so two at once cannot be told apart.',
  example: 'ts:81726354433211:client:ESTABLISHED:FIN_WAIT1',
  recognises: (line) => line.startsWith('ts:') && parse(line) !== null,
  open: (section) => new LibbpfStatesReader(section),
};

interface Line {
  time: bigint;
  side: string;
  from: TcpState;
  to: TcpState;
}

function parse(line: string): Line | null {
  const match = STATE.exec(line);
  const from = match && parseState(match[3]!);
  const to = match && parseState(match[4]!);
  return match && from && to ? { time: BigInt(match[1]!), side: match[2]!, from, to } : null;
}

/** What is known of one side: the connection it is at, by number, and its state. */
interface Side {
  number: number;
  state: TcpState;
}

class LibbpfStatesReader implements LineReader {
  readonly #source: SectionSource;
  readonly #sides = new Map<string, Side>();
  /** Two connections at once were seen. */
  #mixed = false;

  constructor(section: Section) {
    this.#source = new SectionSource(section, libbpfStates.id);
  }

  line(text: string, number: number): boolean {
    const line = parse(text);
    if (!line) return false;
    if (this.#source.made === null) this.#begin(line, number);
    if (isListener(line)) {
      this.#state(line, 'listener', this.#listener(), NOWHERE, number);
      return true;
    }
    const side = this.#sideOf(line);
    if (this.#mixed) this.#sayMixed(number);
    else if (isMinisock(line, side)) this.#minisock(line, side, number);
    else {
      side.state = line.to;
      const [local, remote] = this.#ends(line.side, side.number);
      this.#state(line, `${line.side} ${side.number}`, local, remote, number);
    }
    return true;
  }

  #begin(line: Line, number: number): void {
    this.#source.open(clockOf('monotonic', 1, line.time));
    this.#source.diagnose(
      'no-addresses',
      'info',
      number,
      'the lines have no addresses: the ends are called client and server, and the number of the connection stands for the port',
    );
  }

  /** A line with which a connection begins opens the next of its side; while the last is open, that is one too many. */
  #sideOf({ side: name, from, to }: Line): Side {
    let side = this.#sides.get(name);
    const begins = (from === 'CLOSE' && to === 'SYN_SENT') || (from === 'LISTEN' && to === 'SYN_RECV');
    if (!side) {
      side = { number: 1, state: from };
      this.#sides.set(name, side);
    } else if (begins) {
      this.#mixed ||= side.state !== 'CLOSE' && side.state !== 'LISTEN';
      side.number++;
      side.state = from;
    }
    return side;
  }

  #ends(side: string, number: number): [Endpoint, Endpoint] {
    const client = { address: this.#name('client'), port: number };
    return side === 'server' ? [this.#listener(), client] : [client, this.#listener()];
  }

  #listener(): Endpoint {
    return { address: this.#name('server'), port: SERVER_PORT };
  }

  /** Logs of several machines have the same two names: all but the first source of a run say which it is. */
  #name(side: string): string {
    const { id } = this.#source.made!;
    return id === 0 ? side : `${side}-${id + 1}`;
  }

  #where(line: Line, number: number) {
    const source = this.#source.made!;
    return { source: source.id, line: number, time: Number(line.time - source.clock.base) as SourceTime };
  }

  #state(line: Line, socket: string, local: Endpoint, remote: Endpoint, number: number): void {
    const { from, to } = line;
    const event: StateEvent = {
      ...this.#where(line, number),
      kind: 'state',
      socket,
      pid: null,
      comm: null,
      local,
      remote,
      from,
      to,
      duration: null,
    };
    this.#source.event(this.#source.made!, event);
  }

  /** Allocated, or gone: not a state of the full socket. */
  #minisock(line: Line, side: Side, number: number): void {
    const [local, remote] = this.#ends(line.side, side.number);
    const event: ProbeEvent = {
      ...this.#where(line, number),
      kind: 'probe',
      name: line.to === 'CLOSE' ? 'minisock-kill' : 'minisock-start',
      socket: null,
      pid: null,
      comm: null,
      local,
      remote,
      packet: null,
      values: {},
      pointers: {},
    };
    this.#source.event(this.#source.made!, event);
  }

  #sayMixed(number: number): void {
    this.#source.diagnose(
      'connections-not-apart',
      'data-loss',
      number,
      'lines from the moment on when one side had two connections at once, which nothing tells apart: not used',
    );
  }

  end(): void {}
}

function isListener({ side, from, to }: Line): boolean {
  return (
    side === 'server' && ((from === 'CLOSE' && to === 'LISTEN') || (from === 'LISTEN' && to === 'CLOSE'))
  );
}

/** TIME_WAIT is a state of minisocks only, and what still closes after the full socket has is one. */
function isMinisock({ from, to }: Line, { state }: Side): boolean {
  return (
    to === 'TIME_WAIT' || from === 'TIME_WAIT' || (to === 'CLOSE' && state === 'CLOSE' && from !== 'LISTEN')
  );
}
