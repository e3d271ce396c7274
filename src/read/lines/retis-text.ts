/**
 * retis events as it prints them (`retis collect`, `print`, `sort`): a line of when and where, and below it, or on the same
 * line, the packet. As its documentation and sources have it (retis-events/src, 1.0 to 1.7); its makers promise no format.
 *
 *     3316376220653 (2) [curl] 1186 [tp] skb:kfree_skb #304… (skb 18…) n 2 drop (NO_SOCKET)
 *       if 2 (eth0) rxif 2 10.0.0.1.40532 > 10.0.0.2.8080 ttl 64 tos 0x0 id 1 off 0 [DF] len 60 proto TCP (6) flags [S] seq 1 win 64240
 */
import { parseWords } from '../../model/address.ts';
import type { PacketHeader } from '../../model/event.ts';
import { Packet } from '../../model/packet.ts';
import type { Source } from '../../model/source.ts';
import { ACK } from '../../model/tcp.ts';
import type { Clock, SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { Interner } from './shared/interner.ts';
import { CANNOT_PROVE, endsOfReset, PROVES, WIRE } from './shared/retis.ts';
import { clockOf, SectionSource } from './shared/section.ts';
import { dateNs, timeOfDay } from './shared/times.ts';
import { readFlags } from './tcpdump/line.ts';
import { readOptions } from './tcpdump/options.ts';

const HEAD =
  /^\s{0,8}(?:[+↳] )?(?:(?<ns>\d{6,19})|(?<date>\d{4}-\d\d-\d\d)[T ](?<time>\d\d:\d\d:\d\d\.\d{1,9})(?: ?UTC|Z)?) (?:\(\d{1,4}\) )?\[.{1,16}?\] (?:\d{1,7}\/)?(?<pid>\d{1,7}) \[(?:tp|k|kr|raw_tracepoint|kprobe|kretprobe)\] (?<symbol>\S{1,80})(?<rest>.*)$/;
const DROP = / drop \((?:reason )?([\w/]{1,80})\)/;
const RESET = /\(rst reason (\w{1,64})\)/;
const SEGMENT =
  /(?:^|\s)(?<from>[\da-fA-F.:]{2,45})\.(?<port>\d{1,5}) > (?<to>[\da-fA-F.:]{2,45})\.(?<peer>\d{1,5}) (?<ip>.{1,200}?)proto TCP \(6\) flags \[(?<flags>[SFRPWUEe.]{0,9})\] seq (?<seq>\d{1,10})(?::(?<end>\d{1,10}))?(?: ack (?<ack>\d{1,10}))? win (?<win>\d{1,5})(?: \[(?<options>.{0,200})\])?/;
const PACKET = /(?:^|\s)[\da-fA-F.:]{2,45} > [\da-fA-F.:]{2,45} .{0,200}\b(?:proto|ttl)\b|\barp\b|who-has/;
const PLACE =
  /(?:^|\s)(?:ns \S{1,40} ?)?(?:if \d{1,9} \(\S{1,16}\)|\S{1,16} \(\d{1,9}\) rxif|rxif)(?: rxif \d{1,9})?/;

export const retisText: LineFormat = {
  id: 'retis-text',
  title: 'retis events as printed (retis collect, print, sort)',
  clock: 'monotonic',
  proves: PROVES,
  cannotProve: CANNOT_PROVE,
  example: '3316376220653 (2) [curl] 1186 [tp] skb:kfree_skb #304263ad0c5ffff8b5d42bb8d00 drop (NO_SOCKET)',
  recognises: (line) => HEAD.test(line),
  open: (section) => new RetisTextReader(section),
};

interface Head {
  line: number;
  time: SourceTime;
  pid: number;
  symbol: string;
  drop: string | null;
  reset: string | null;
  /** Namespace and devices, on a line of their own or before the packet. */
  place: string;
  /** Of tcp_send_reset: its reason may follow. */
  header: PacketHeader | null;
}

class RetisTextReader implements LineReader {
  readonly #source: SectionSource;
  readonly #sink: Section['context']['sink'];
  readonly #interner = new Interner();
  readonly #packet = new Packet();
  readonly #devices = new Map<string, number>();
  #clock: Clock | null = null;
  /** Its packet has not come yet. */
  #head: Head | null = null;

  constructor(section: Section) {
    this.#source = new SectionSource(section, retisText.id);
    this.#sink = section.context.sink;
  }

  line(text: string, number: number): boolean {
    const head = HEAD.exec(text)?.groups;
    if (!head) return this.#source.made !== null && /^\s/.test(text) && this.#below(text);
    this.#flush();
    const { symbol, rest, pid } = head as { symbol: string; rest: string; pid: string };
    const [drop, reset] = [DROP.exec(rest)?.[1] ?? null, RESET.exec(rest)?.[1] ?? null];
    const when = { line: number, time: this.#time(head), pid: Number(pid) };
    this.#head = { ...when, symbol, drop, reset, place: '', header: null };
    this.#below(rest);
    return true;
  }

  #time({ ns, date, time }: Record<string, string | undefined>): SourceTime {
    const at = ns === undefined ? dateNs(date!) + BigInt(timeOfDay(time!)) : BigInt(ns);
    this.#clock ??= clockOf(ns === undefined ? 'realtime' : 'monotonic', 1, at);
    this.#source.open(this.#clock);
    return Number(at - this.#clock.base) as SourceTime;
  }

  /** The packet, or what other collectors say of it. */
  #below(text: string): boolean {
    const head = this.#head;
    const reset = RESET.exec(text)?.[1];
    if (!head) return true;
    if (reset !== undefined) head.reset = reset;
    const place = PLACE.exec(text);
    if (place) head.place = place[0];
    const segment = head.header ? null : SEGMENT.exec(text);
    if (segment) this.#take(head, segment.groups as Record<string, string>);
    else if (PACKET.test(text)) {
      this.#source.diagnose('not-tcp', 'info', head.line, 'packets of other protocols, not read');
      this.#head = null;
    }
    return true;
  }

  #take(head: Head, s: Record<string, string | undefined>): void {
    this.#head = null;
    const source = this.#source.made!;
    const end = (address: string, port: string) => ({
      address: this.#interner.address(address),
      port: Number(port),
    });
    const [from, to] = [end(s.from!, s.port!), end(s.to!, s.peer!)];
    const [seq, ack] = [Number(s.seq), Number(s.ack ?? 0)];
    const payload = s.end === undefined ? 0 : (Number(s.end) - seq) >>> 0;
    const letters = readFlags(s.flags!);
    const header = { from, to, flags: letters < 0 ? 0 : letters, seq: seq | 0, ack: ack | 0, payload };
    const { line, time, pid, symbol } = head;
    const where = { source: source.id, line, time, pid };
    if (head.drop !== null) {
      const place = /\brxif \d/.test(head.place) ? ('in' as const) : ('unknown' as const);
      const reason = { code: null, name: this.#interner.keep(head.drop) };
      const said = { from, to, state: null, flags: header.flags, reason, stack: [], place };
      this.#source.event(source, { kind: 'drop', ...where, ...said });
    } else if (symbol === 'tcp:tcp_send_reset') {
      this.#head = { ...head, header };
    } else if (WIRE.has(symbol)) this.#wire(head, header, s);
    else
      this.#source.diagnose(
        'events-not-used',
        'info',
        line,
        'events of other probes: of a packet on its way through the kernel only interfaces, drops and RSTs are used',
      );
  }

  #reset({ line, time, pid, reset }: Head, header: PacketHeader, source: Source): void {
    const reason = reset && this.#interner.keep(reset);
    this.#source.event(source, {
      ...{ kind: 'reset-sent', source: source.id, line, time, pid, socket: null, comm: null, state: null },
      ...{ reason, ...endsOfReset(header) },
    });
  }

  #wire(head: Head, header: PacketHeader, s: Record<string, string | undefined>): void {
    const p = this.#packet;
    p.frame = head.line;
    p.time = head.time;
    p.vantage = this.#vantage(head.place.replace(/ rxif \d+/, ''));
    p.direction = WIRE.get(head.symbol)!;
    [p.src0, p.src1, p.src2, p.src3] = parseWords(header.from.address) ?? [0, 0, 0, 0];
    [p.dst0, p.dst1, p.dst2, p.dst3] = parseWords(header.to.address) ?? [0, 0, 0, 0];
    [p.srcPort, p.dstPort] = [header.from.port, header.to.port];
    p.flags = header.flags;
    p.seq = header.seq;
    p.ack = header.flags & ACK ? header.ack : 0;
    p.payload = header.payload;
    p.window = Number(s.win);
    p.ttl = Number(/\bttl (\d{1,3})\b/.exec(s.ip!)?.[1] ?? 0);
    p.ipId = Number(/\bid (\d{1,5})\b/.exec(s.ip!)?.[1] ?? 0);
    p.options = p.mss = p.windowScale = p.tsVal = p.tsEcr = 0;
    if (s.options !== undefined) readOptions(s.options, p);
    this.#source.made!.records++;
    this.#sink.packet(this.#source.made!, p);
  }

  #vantage(device: string): number {
    let index = this.#devices.get(device);
    if (index === undefined) {
      index = this.#devices.size;
      this.#devices.set(this.#interner.keep(device), index);
    }
    return index;
  }

  /** An event without a packet. */
  #flush(): void {
    const head = this.#head;
    this.#head = null;
    if (head?.header) this.#reset(head, head.header, this.#source.made!);
    else if (head?.drop)
      this.#source.diagnose(
        'retis-without-packet',
        'data-loss',
        head.line,
        'drops that do not say of which packet: retis was run without its skb collector',
      );
  }

  end(): void {
    this.#flush();
  }
}
