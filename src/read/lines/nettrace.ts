/**
 * nettrace (OpenCloudOS): drops. Its other lines (a packet's way through the kernel, sockets, round trip times) change
 * from version to version and from option to option; of them only those that say `dropped by kernel` are used. A drop is
 *
 *     [142.097193] TCP: 10.0.0.1:57022 -> 10.0.0.2:22 seq:1, ack:2, flags:AR, reason: NO_SOCKET, tcp_v4_rcv+0x81
 *
 * with --drop, the same behind `[kfree_skb ]` with --monitor, and in pieces with --diag. FIN is never among the flags.
 */
import type { DropEvent } from '../../model/event.ts';
import { ACK, PSH, RST, SYN } from '../../model/tcp.ts';
import { type Clock, NS_PER_S, NS_PER_US, type SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { parseEndpoint } from './shared/endpoints.ts';
import { Interner } from './shared/interner.ts';
import { clockOf, SectionSource } from './shared/section.ts';
import { dateNs, secondsToNs, timeOfDay } from './shared/times.ts';

/** Seconds since boot, or --date; the function, with --detail between other brackets; the packet. */
const PACKET =
  /^\[(?:(\d{1,10}\.\d{6})|(\d{4}-\d{1,2}-\d{1,2}) (\d\d:\d\d:\d\d\.\d{6}))\] ((?:\[[^\]]{0,64}\]){1,8} )?([A-Z][A-Z0-9v]{1,8}|unknow|ether protocol): ?(.*)$/;
const TCP_PACKET = /^(\S{1,60}) -> (\S{1,60}) seq:\d{1,10}, ack:\d{1,10}, flags:([SARP]{0,4})(.*)$/;
const DROPPED = /^(?:, reason: (\w{1,64}))?, (\w[\w.]{0,127}|unknow)(?:\+0x[0-9a-f]{1,8})?\s*$/;
const DROPPED_BY_DIAG = /\*packet is dropped by kernel\*/;
/** The layout before 1.1: a colon instead of the first brackets. */
const OLDER = /^\d{1,10}\.\d{6}: \[[\w.]{1,64}\s*\]: (?:TCP|UDP|ICMP): /;
/** `--tiny-show`: a function alone. */
const STEP = /^\[\d{1,10}\.\d{6}\] (?:\[[^\]]{0,64}\]){1,8}\s*$/;
/** What stands around the lines. */
const FRAME =
  /^(?:begin trac|end trace|\*{5,}|<-{5,}|-{5,} ?ANALYSIS RESULT|\[\d{1,3}\] (?:NOTICE|WARNING|ERROR) happens in |analysis finished!|this is a good packet!|total latency:|Call Stack:)/;
const INDENTED = /^\s+\S/;
const LOCATION = /^ {4}location:$/;
const REASON = /^ {4}drop reason:$/;
const VALUE = /^\t(\w[\w.]{0,127})(?:\+0x[0-9a-f]{1,8})?$/;

const FLAGS = new Map([
  ['S', SYN],
  ['A', ACK],
  ['R', RST],
  ['P', PSH],
]);

export const nettrace: LineFormat = {
  id: 'nettrace',
  title: 'nettrace (drops only)',
  clock: 'monotonic',
  proves: 'That the kernel dropped this packet, in which function, and since 5.17 for which reason.',
  cannotProve:
    'That nothing else was dropped; FIN, which it does not print; and the way of a packet through the kernel, whose layout changes with version and options and is not read.',
  example:
    '[146.136576] TCP: 127.0.0.1:43582 -> 127.0.0.1:9999 seq:3819454691, ack:0, flags:S, reason: NO_SOCKET, tcp_v4_rcv+0x81',
  command: runs('nettrace'),
  recognises: (line) =>
    (line.startsWith('[') && isPacket(line)) || OLDER.test(line) || /^\*{17} ?[0-9a-f,]+ \*+$/.test(line),
  open: (section) => new NettraceReader(section),
};

function isPacket(line: string): boolean {
  const match = PACKET.exec(line);
  return match !== null && (match[4] !== undefined || (match[5] === 'TCP' && TCP_PACKET.test(match[6]!)));
}

class NettraceReader implements LineReader {
  readonly #source: SectionSource;
  readonly #interner = new Interner();
  #clock: Clock | null = null;
  /** Drops of --diag, told of again in the analysis that follows. */
  #told: DropEvent[] = [];
  #awaits: 'location' | 'reason' | null = null;

  constructor(section: Section) {
    this.#source = new SectionSource(section, nettrace.id);
  }

  line(text: string, number: number): boolean {
    const packet = PACKET.exec(text);
    if (packet) return this.#packet(packet, number);
    if (STEP.test(text) || OLDER.test(text)) return this.#unused(number);
    return this.#analysis(text) || FRAME.test(text) || (INDENTED.test(text) && this.#source.made !== null);
  }

  #packet(match: RegExpExecArray, number: number): boolean {
    const [, seconds, date, clock, steps, protocol, rest] = match;
    this.#clock ??= seconds
      ? clockOf('monotonic', NS_PER_US)
      : // the date is made of the uptime in whole seconds
        clockOf('wall', NS_PER_S, dateNs(padded(date!)));
    if (protocol !== 'TCP') return this.#other(number);
    const tcp = TCP_PACKET.exec(rest!);
    const drop = tcp && (DROPPED.exec(tcp[4]!) ?? (DROPPED_BY_DIAG.test(tcp[4]!) ? [] : null));
    if (!tcp || !drop) return steps === undefined && !tcp ? false : this.#unused(number);
    const from = parseEndpoint(tcp[1]!, this.#interner);
    const to = parseEndpoint(tcp[2]!, this.#interner);
    if (!from || !to) return false;
    const [, reason, location] = drop;
    const event: DropEvent = {
      kind: 'drop',
      source: this.#open().id,
      line: number,
      time: this.#time(seconds, date, clock),
      pid: null,
      from,
      to,
      state: null,
      flags: [...tcp[3]!].reduce((bits, letter) => bits | FLAGS.get(letter)!, 0),
      reason: reason === undefined ? null : { code: null, name: this.#interner.keep(reason) },
      stack: location === undefined ? [] : [this.#interner.keep(location)],
      place: 'unknown',
    };
    this.#source.event(this.#open(), event);
    if (location === undefined) this.#told.push(event);
    return true;
  }

  /** `location:` and `drop reason:` of the drop that the lines above showed; several come in their order. */
  #analysis(text: string): boolean {
    if (LOCATION.test(text)) this.#awaits = 'location';
    else if (REASON.test(text)) this.#awaits = 'reason';
    else {
      const value = this.#awaits && VALUE.exec(text)?.[1];
      if (!value) return false;
      // a location is the first word on the next drop, a reason the last
      const drop = this.#awaits === 'location' ? this.#told.find((d) => d.stack.length === 0) : this.#last();
      if (drop && this.#awaits === 'location') drop.stack.push(this.#interner.keep(value));
      else if (drop) drop.reason = { code: null, name: this.#interner.keep(value) };
      this.#awaits = null;
    }
    return true;
  }

  #last(): DropEvent | undefined {
    return this.#told.findLast((d) => d.stack.length > 0 && d.reason === null);
  }

  #time(seconds: string | undefined, date: string | undefined, clock: string | undefined): SourceTime | null {
    if (this.#clock!.kind === 'monotonic')
      return seconds === undefined ? null : (secondsToNs(seconds) as SourceTime);
    if (date === undefined) return null;
    return (Number(dateNs(padded(date)) - this.#clock!.base) + timeOfDay(clock!)) as SourceTime;
  }

  #open() {
    return this.#source.open(this.#clock ?? clockOf('monotonic', NS_PER_US));
  }

  #other(number: number): boolean {
    this.#open();
    this.#source.diagnose('not-tcp', 'info', number, 'packets of other protocols, not read');
    return true;
  }

  #unused(number: number): boolean {
    this.#open();
    this.#source.diagnose(
      'path-not-read',
      'info',
      number,
      'lines that follow a packet through the kernel: nettrace changes their layout with version and options, and only its drops are read',
    );
    return true;
  }

  end(): void {}
}

/** `2022-1-4` as nettrace prints it to `2022-01-04`. */
function padded(date: string): string {
  return date.replace(/-(\d)(?=-|$)/g, '-0$1');
}
