/** One event of events.jsonl: `KIND key=value … comm=NAME` → an event of the model (docs/bundle.md). */
import { type Endpoint, formatWords, parseWords } from '../../model/address.ts';
import type {
  DropEvent,
  KernelEvent,
  PacketHeader,
  ProbeEvent,
  SocketFields,
  StateEvent,
} from '../../model/event.ts';
import { parseState, type TcpState } from '../../model/tcp.ts';
import type { SourceTime } from '../../model/time.ts';
import type { Reasons } from './manifest.ts';

/** Events that say nothing of a connection, and are not counted. */
export const SIGNS_OF_LIFE: ReadonlySet<string> = new Set(['begin', 'tick', 'end', 'date-exec', 'date-exit']);

/** Bits of sk_flags (include/net/sock.h, enum sock_flags). */
const SOCK_DEAD = 0;
const SOCK_DONE = 1;
const SOCK_LINGER = 4;

export const POINTERS = ['minisock', 'listener', 'req', 'result'];

/** The keys of one event, as a line or a record has them. */
export interface EventKeys {
  readonly kind: string;
  readonly comm: string | null;
  has(key: string): boolean;
  /** NaN when absent. */
  number(key: string): number;
  hex(key: string): number;
  text(key: string): string | null;
  /** An address; null when it is none. */
  address(key: string): string | null;
  pointers(): Record<string, string>;
  numbers(): Record<string, number>;
  /** All but the kind; numbers of more than 32 bits, addresses and what is hexadecimal as text. */
  entries(): Iterable<[string, string | number]>;
}

/** Keys of lines whose values are not numbers of 32 bits, whatever their digits. */
const TEXT = new Set([...['t', 'sk', 'skb', 'flags', 'cookie', 'lingertime', 'real'], ...POINTERS]);

export class EventText implements EventKeys {
  readonly kind: string;
  readonly comm: string | null;
  readonly #values: Map<string, string>;

  /** Throws SyntaxError when the text has no kind or time. */
  constructor(text: string) {
    // comm comes last and may contain anything
    const at = text.indexOf(' comm=');
    this.comm = at < 0 ? null : text.slice(at + 6);
    const [kind, ...pairs] = (at < 0 ? text : text.slice(0, at)).split(' ');
    this.kind = kind!;
    this.#values = new Map();
    for (const pair of pairs) {
      const eq = pair.indexOf('=');
      if (eq > 0) this.#values.set(pair.slice(0, eq), pair.slice(eq + 1));
    }
    if (!/^[a-z][a-z-]*$/.test(this.kind) || !(this.number('t') >= 0))
      throw new SyntaxError('no kind or time');
  }

  /** NaN when absent. */
  number(key: string): number {
    const text = this.#values.get(key);
    return text === undefined || text === '' ? Number.NaN : Number(text);
  }

  hex(key: string): number {
    const text = this.#values.get(key);
    return text === undefined ? Number.NaN : Number.parseInt(text, 16);
  }

  text(key: string): string | null {
    return this.#values.get(key) ?? null;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  address(key: string): string | null {
    const words = parseWords(this.text(key) ?? '');
    return words && formatWords(...words);
  }

  /** Addresses of kernel structures: always above the user half, so never all digits; `0` is none. */
  pointers(): Record<string, string> {
    const pointers: Record<string, string> = {};
    for (const key of POINTERS) {
      const text = this.#values.get(key);
      if (text !== undefined) pointers[key] = text;
    }
    return pointers;
  }

  numbers(): Record<string, number> {
    const numbers: Record<string, number> = {};
    for (const [key, text] of this.#values) if (/^-?\d+$/.test(text)) numbers[key] = Number(text);
    return numbers;
  }

  *entries(): Iterable<[string, string | number]> {
    for (const [key, text] of this.#values)
      yield [key, !TEXT.has(key) && /^-?\d+$/.test(text) ? Number(text) : text];
    if (this.comm !== null) yield ['comm', this.comm];
  }
}

const NOWHERE: Endpoint = { address: '0.0.0.0', port: 0 };

function endpoint(e: EventKeys, address: string, port: string): Endpoint {
  if (!e.has(address)) return NOWHERE;
  const own = e.address(address);
  const number = e.has(port) ? e.number(port) : 0;
  if (own === null || !Number.isInteger(number) || number < 0 || number > 65_535)
    throw new SyntaxError('an address or port that is none');
  return { address: own, port: number };
}

function packetOf(e: EventKeys): PacketHeader | null {
  if (!e.has('src')) return null;
  return {
    from: endpoint(e, 'src', 'sport'),
    to: endpoint(e, 'dst', 'dport'),
    flags: e.hex('flags') || 0,
    seq: e.number('seq') | 0,
    ack: e.number('ack') | 0,
    payload: e.number('len') || 0,
  };
}

/** Inodes of network namespaces begin here (PROC_DYNAMIC_FIRST and the initial ones): what is less was read of no device. */
const FIRST_NETNS = 4026531832;
const NETFILTER = /^(nf_hook_slow|nft_do_chain|ipt_do_table)/;

/** Of the socket; of an answer without one and of a packet on its way in, of its device. */
function netnsOf(e: EventKeys): string | null {
  const key = e.number('ns') >= FIRST_NETNS ? 'ns' : e.number('devns') >= FIRST_NETNS ? 'devns' : null;
  return key && e.text(key);
}

/** In the hooks of netfilter a packet has its device when it came in, and none yet when it was made here. */
function placeOf(e: EventKeys): 'in' | 'out' | null {
  if (!NETFILTER.test(e.text('at') ?? '') || !e.has('devns')) return null;
  if (e.number('devns') >= FIRST_NETNS) return socketOf(e) === null ? 'in' : null;
  return e.number('devns') === 0 ? 'out' : null;
}

function stateOf(e: EventKeys, key: string): TcpState | null {
  const text = e.text(key);
  return text === null || text === '0' ? null : parseState(text);
}

function socketOf(e: EventKeys): string | null {
  const text = e.text('sk');
  return text === null || text === '0' ? null : text;
}

const NUMBERS = ['unread', 'shutdown', 'backlog', 'limit', 'linger2'] as const;

function fieldsOf(e: EventKeys): SocketFields {
  const fields: SocketFields = {};
  for (const key of NUMBERS) {
    const value = e.number(key);
    if (!Number.isNaN(value)) fields[key] = value;
  }
  if (e.has('flags')) {
    const flags = e.hex('flags');
    fields.dead = (flags & (1 << SOCK_DEAD)) !== 0;
    fields.done = (flags & (1 << SOCK_DONE)) !== 0;
    fields.linger = (flags & (1 << SOCK_LINGER)) !== 0;
  }
  if (e.has('lingertime')) fields.lingerTime = e.number('lingertime');
  if (e.number('err') > 0) fields.error = e.number('err');
  if (e.number('exiting') === 1) fields.exiting = true;
  if (e.has('nxt')) fields.sendNext = e.number('nxt') | 0;
  if (e.has('rcv')) fields.receiveNext = e.number('rcv') | 0;
  return fields;
}

interface Where {
  source: number;
  line: number;
  time: SourceTime;
  netns?: string;
}

/** The event, or null for signs of life that say nothing of a connection. */
export function kernelEvent(e: EventKeys, where: Where, reasons: Reasons): KernelEvent | null {
  if (SIGNS_OF_LIFE.has(e.kind)) return null;
  const netns = netnsOf(e);
  return eventOf(e, netns === null ? where : { ...where, netns }, reasons);
}

function eventOf(e: EventKeys, where: Where, reasons: Reasons): KernelEvent {
  const pid = Number.isNaN(e.number('pid')) ? null : e.number('pid');
  const who = { pid, comm: e.comm };
  const ends = { local: endpoint(e, 'l', 'lport'), remote: endpoint(e, 'r', 'rport') };
  switch (e.kind) {
    case 'state': {
      const [from, to] = [stateOf(e, 'from'), stateOf(e, 'to')];
      if (!from || !to) throw new SyntaxError('a state that is none');
      const socket = socketOf(e) ?? '0';
      // not by spreads, which take ten times as long: most events are of this kind
      const { source, line, time, netns } = where;
      const event: StateEvent = {
        source,
        line,
        time,
        kind: 'state',
        socket,
        pid,
        comm: e.comm,
        local: ends.local,
        remote: ends.remote,
        from,
        to,
        duration: null,
      };
      if (netns) event.netns = netns;
      if (e.has('unread')) event.fields = fieldsOf(e);
      return event;
    }
    case 'reset-sent': {
      const answers = packetOf(e);
      const own = answers ? { local: answers.to, remote: answers.from } : ends;
      const state = stateOf(e, 'state');
      const reason = reasons.reset.get(e.number('reason')) ?? null;
      return { ...where, kind: 'reset-sent', socket: socketOf(e), ...who, ...own, state, reason, answers };
    }
    case 'reset-received':
      return { ...where, kind: 'reset-received', socket: socketOf(e) ?? '0', ...ends };
    case 'drop': {
      const packet = packetOf(e);
      if (!packet) throw new SyntaxError('a drop without a packet');
      const code = e.number('reason');
      const reason = code >= 0 ? { code, name: reasons.drop.get(code) ?? null } : null;
      const { from, to, flags } = packet;
      const stack = [e.text('at')].filter((f) => f !== null);
      const place = placeOf(e);
      const { source, line, time, netns } = where;
      const state = stateOf(e, 'state');
      const drop: DropEvent = {
        source,
        line,
        time,
        kind: 'drop',
        pid,
        from,
        to,
        state,
        flags,
        reason,
        stack,
      };
      if (netns) drop.netns = netns;
      if (place) drop.place = place;
      return drop;
    }
    default: {
      const packet = packetOf(e);
      const own = packet && !e.has('l') ? { local: packet.to, remote: packet.from } : ends;
      const { source, line, time, netns } = where;
      const event: ProbeEvent = {
        source,
        line,
        time,
        kind: 'probe',
        name: e.kind,
        socket: socketOf(e),
        pid,
        comm: e.comm,
        local: own.local,
        remote: own.remote,
        packet,
        values: e.numbers(),
        pointers: e.pointers(),
      };
      if (netns) event.netns = netns;
      return event;
    }
  }
}
