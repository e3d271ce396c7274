/** One event of events.jsonl: `KIND key=value … comm=NAME` → an event of the model (docs/bundle.md). */
import { type Endpoint, formatWords, parseWords } from '../../model/address.ts';
import type { KernelEvent, PacketHeader, SocketFields } from '../../model/event.ts';
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
  /** Of an address; null when it is none. */
  words(key: string): [number, number, number, number] | null;
  pointers(): Iterable<[string, string]>;
  numbers(): Iterable<[string, number]>;
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

  words(key: string): [number, number, number, number] | null {
    return parseWords(this.text(key) ?? '');
  }

  /** Addresses of kernel structures: always above the user half, so never all digits; `0` is none. */
  *pointers(): Iterable<[string, string]> {
    for (const key of POINTERS) {
      const text = this.#values.get(key);
      if (text !== undefined) yield [key, text];
    }
  }

  *numbers(): Iterable<[string, number]> {
    for (const [key, text] of this.#values) if (/^-?\d+$/.test(text)) yield [key, Number(text)];
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
  const words = e.words(address);
  const number = e.has(port) ? e.number(port) : 0;
  if (!words || !Number.isInteger(number) || number < 0 || number > 65_535)
    throw new SyntaxError('an address or port that is none');
  return { address: formatWords(...words), port: number };
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
  return [e.text('ns'), e.text('devns')].find((ns) => Number(ns) >= FIRST_NETNS) ?? null;
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

function fieldsOf(e: EventKeys): SocketFields {
  const fields: SocketFields = {};
  const put = (key: 'unread' | 'shutdown' | 'backlog' | 'limit' | 'linger2', from: string = key) => {
    const value = e.number(from);
    if (!Number.isNaN(value)) fields[key] = value;
  };
  for (const key of ['unread', 'shutdown', 'backlog', 'limit', 'linger2'] as const) put(key);
  if (e.has('flags')) {
    const flag = (bit: number) => (e.hex('flags') & (1 << bit)) !== 0;
    fields.dead = flag(SOCK_DEAD);
    fields.done = flag(SOCK_DONE);
    fields.linger = flag(SOCK_LINGER);
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
      const state = { ...where, kind: 'state' as const, socket, ...who, ...ends, from, to, duration: null };
      return e.has('unread') ? { ...state, fields: fieldsOf(e) } : state;
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
      const drop = {
        ...where,
        kind: 'drop' as const,
        pid,
        from,
        to,
        state: stateOf(e, 'state'),
        flags,
        reason,
        stack,
      };
      return place ? { ...drop, place } : drop;
    }
    default: {
      const packet = packetOf(e);
      const own = packet && !e.has('l') ? { local: packet.to, remote: packet.from } : ends;
      const values = Object.fromEntries(e.numbers());
      const pointers = Object.fromEntries(e.pointers());
      const said = { name: e.kind, socket: socketOf(e), ...who, ...own, packet, values, pointers };
      return { ...where, kind: 'probe', ...said };
    }
  }
}
