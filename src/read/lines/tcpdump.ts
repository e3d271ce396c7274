/**
 * The text that `tcpdump` prints, current and before 4.0. Its lines become packets: the number of the frame is the
 * number of the line. Windows stay unscaled and sequence numbers are made absolute again (see tcpdump/sequence.ts).
 */
import { formatWords, parseWords } from '../../model/address.ts';
import { hostNameWords } from '../../model/hostnames.ts';
import { ownText } from '../../model/own-text.ts';
import { OPT_DAMAGED, Packet } from '../../model/packet.ts';
import { SYN } from '../../model/tcp.ts';
import type { SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { SectionSource } from './shared/section.ts';
import { diagnoseService } from './shared/services.ts';
import { StampClock } from './tcpdump/clock.ts';
import {
  emitIcmp,
  LastSegments,
  type PrintedEnds,
  type PrintedIcmp,
  parseIcmp,
  parseQuoted,
} from './tcpdump/icmp.ts';
import { PKTMON, PrintedSegment, parseLine, parseSecondLine, VXLAN } from './tcpdump/line.ts';
import { readOptions } from './tcpdump/options.ts';
import { SequenceTable } from './tcpdump/sequence.ts';

const CURRENT = / > \S{1,300}: Flags \[(?:[SFRPUWEe.]{1,9}|none)\], /;
const OLD = / > \S{1,300}: [SFRPWE.]{1,6} (?:\d{1,10}:\d{1,10}\(\d{1,10}\)|ack \d{1,10} win )/;
const VERBOSE = /(?:(?:^|\s)IP6?|, length \d{1,9}:) \((?:tos|class|flowlabel|hlim) [^>]{1,300}TCP \(6\)/;
/** Before a time since the packet before (-ttt), and before numbers (-#), stand blanks, as before what goes on. */
const BLANK_STAMP = /^ {1,8}(?:\d{1,9}:? {1,2})?(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.\d{6}/;
const HEX = /^\s{1,16}0x[0-9a-f]{4}:\s/;
/** As text, an IP header has next to no letters. */
const ASCII = /^(?:E[^\sA-Za-z]|`)[^\s]{0,3}[.@]\S*/;
const MAX_ADDRESSES = 65_536;

type Words = readonly [number, number, number, number];

export const tcpdump: LineFormat = {
  id: 'tcpdump',
  title: 'tcpdump (text)',
  clock: 'wall',
  proves: 'Which segments passed this point of the wire, with flags, numbers, window and options.',
  cannotProve: 'That a segment was not sent (tcpdump may have dropped it), and what the kernel did with it.',
  example:
    '07:12:27.783229 IP 172.16.58.146.8080 > 172.16.58.147.43752: Flags [R.], seq 3446801307, ack 2969925217, win 509, options [nop,nop,TS val 1950798553 ecr 3917065523], length 0',
  command: runs('tcpdump', /(?=\s|$)(?![^|]*\s-\w*w)/),
  recognises: (line) =>
    (line.includes(' > ') && (CURRENT.test(line) || OLD.test(line))) ||
    (line.includes('TCP (6)') && VERBOSE.test(line)) ||
    PKTMON.test(line) ||
    VXLAN.test(line),
  open: (section) => new TcpdumpReader(section),
};

class TcpdumpReader implements LineReader {
  readonly #source: SectionSource;
  readonly #clock: StampClock;
  readonly #sequence: SequenceTable;
  readonly #segment = new PrintedSegment();
  readonly #packet = new Packet();
  readonly #addresses = new Map<string, Words>();
  readonly #places = new Map<string, number>([['', 0]]);
  readonly #sink: Section['context']['sink'];
  /** The line before was the first of a pair: of TCP, or of another protocol whose further lines are skipped. */
  #head: 'tcp' | 'other' | 'again' | null = null;
  #isAfterBlank = false;
  /** When and where the packet of a tunnel was seen whose inner one has the next line. */
  #outer: Partial<PrintedSegment> | null = null;
  /** The line before was a segment; below it payload is printed as text (-A). */
  #isAfterSegment = false;
  #isText = false;
  readonly #sent = new LastSegments();
  /** Of the packet of another protocol whose lines these are. */
  #time = 0 as SourceTime;
  /** An error of ICMP whose segment -v may quote in the lines that follow. */
  #error: { error: PrintedIcmp; number: number; time: SourceTime } | null = null;

  constructor(section: Section) {
    this.#source = new SectionSource(section, tcpdump.id);
    this.#clock = new StampClock(section.command);
    this.#sequence = new SequenceTable(/\s-\w*S\w*(?:\s|$)/.test(section.command ?? '') ? true : null);
    this.#sink = section.context.sink;
  }

  line(text: string, number: number): boolean {
    if (HEX.test(text)) return this.#source.made !== null;
    const isAfterBlank = this.#isAfterBlank;
    this.#isAfterBlank = text === '';
    const goesOn = /^\s/.test(text) && !BLANK_STAMP.test(text);
    if (!goesOn) this.#attach(null);
    if (goesOn && this.#head !== null) {
      if (this.#head === 'again') return true;
      if (this.#head === 'other') {
        this.#other(text, number, false);
        return true;
      }
      this.#head = null;
      if (!parseSecondLine(text, this.#segment)) return this.#monitored(text, number);
      this.#isAfterSegment = true;
      this.#isText = false;
      this.#emit(number);
      return true;
    }
    const outer = this.#outer;
    this.#outer = null;
    const kind = parseLine(text, this.#segment);
    if (outer && this.#segment.timeOfDay === '' && this.#segment.seconds === '')
      Object.assign(this.#segment, outer);
    if (VXLAN.test(text)) {
      const { date, timeOfDay, seconds, isIndented, place, direction } = this.#segment;
      this.#outer = { date, timeOfDay, seconds, isIndented, place, direction };
      return true;
    }
    // without its first line (grep) a second one has no time
    const { timeOfDay, seconds } = this.#segment;
    const hasTime = timeOfDay !== '' || seconds !== '';
    if (kind === 'tcp' && !hasTime && goesOn && (this.#clock.clock?.kind ?? 'order') !== 'order')
      return false;
    const isBreak = isAfterBlank || (this.#segment.flags === SYN && !this.#clock.addsUp);
    if (kind === 'tcp' && this.#clock.restarts(this.#segment, isBreak)) return false;
    this.#head =
      kind === 'head'
        ? 'tcp'
        : kind === 'other' || kind === 'other-head'
          ? 'other'
          : kind === 'again'
            ? kind
            : null;
    if (kind !== null) {
      this.#isAfterSegment = kind === 'tcp';
      this.#isText = false;
    }
    if (kind === 'tcp') this.#emit(number);
    else if (this.#head === 'other') this.#other(text, number, true);
    return kind !== null && kind !== 'quiet';
  }

  /** -A prints the packet as text below its line, from the first byte of IP on (`E`, of IPv6 a backquote). */
  skips(text: string): boolean {
    this.#isText ||= this.#isAfterSegment && ASCII.test(text);
    this.#isAfterSegment = false;
    return this.#isText;
  }

  /** Below what pktmon says stands a packet of any protocol. */
  #monitored(text: string, number: number): boolean {
    if (!/^\s+(?:[\dA-F]{2}-){5}/.test(text)) return false;
    this.#other(text, number, true);
    return true;
  }

  /** A line of another protocol; of one that -v prints, the `first` says nothing and only the others can hold an error. */
  #other(text: string, number: number, first: boolean): void {
    // of each packet: with -ttt it is the time since the one before
    if (first) this.#time = this.#clock.read(this.#segment);
    const error = parseIcmp(text);
    if (error) {
      this.#attach(null);
      this.#error = { error, number, time: this.#time };
    } else if (!first) {
      const quoted = parseQuoted(text);
      if (quoted) this.#attach(quoted);
    } else this.#source.diagnose('not-tcp', 'info', number, 'packets of other protocols, not read');
  }

  /** Gives the error that waits to the segment that it quotes, or where that is null and it quotes none to the one that fits. */
  #attach(quoted: PrintedEnds | null): void {
    if (this.#error === null) return;
    const { error, number, time } = this.#error;
    const about = quoted ?? this.#sent.about(error, time);
    this.#error = null;
    const address = (printed: string) => formatWords(...this.#words(printed));
    emitIcmp(this.#source, this.#clock.clock!, number, time, error, about, address);
  }

  #emit(number: number): void {
    const s = this.#segment;
    const time = this.#clock.read(s);
    const source = this.#source.open(this.#clock.clock!);
    const p = this.#packet;
    p.frame = number;
    p.time = time;
    p.vantage = this.#vantage(s.place);
    p.direction = s.direction;
    this.#ends(p);
    p.flags = s.flags;
    p.window = s.window;
    p.payload = s.payload;
    p.ttl = s.ttl;
    p.ipId = s.ipId;
    this.#numbers(p);
    p.options = s.truncated ? OPT_DAMAGED : 0;
    p.mss = p.windowScale = p.tsVal = p.tsEcr = 0;
    if (s.options !== '') readOptions(s.options, p);
    this.#sent.sent(s, time);
    this.#say(number);
    source.records++;
    this.#sink.packet(source, p);
  }

  #numbers(p: Packet): void {
    const s = this.#segment;
    const source = `${s.source}.${s.sourcePort}`;
    const destination = `${s.destination}.${s.destinationPort}`;
    const first = source < destination;
    const key = first ? `${source} ${destination}` : `${destination} ${source}`;
    const { seq, ack } = this.#sequence.resolve(
      key,
      first ? 0 : 1,
      s,
      this.#clock.clock!.kind === 'order' ? null : p.time,
    );
    p.seq = seq;
    p.ack = ack;
  }

  #ends(p: Packet): void {
    const s = this.#segment;
    [p.src0, p.src1, p.src2, p.src3] = this.#words(s.source);
    [p.dst0, p.dst1, p.dst2, p.dst3] = this.#words(s.destination);
    p.srcPort = s.sourcePort;
    p.dstPort = s.destinationPort;
  }

  #words(address: string): Words {
    const known = this.#addresses.get(address);
    if (known) return known;
    if (this.#addresses.size >= MAX_ADDRESSES) this.#addresses.clear();
    const words = parseWords(address) ?? hostNameWords(address);
    this.#addresses.set(ownText(address), words);
    return words;
  }

  #vantage(place: string): number {
    let index = this.#places.get(place);
    if (index === undefined) {
      index = this.#places.size;
      this.#places.set(place, index);
    }
    return index;
  }

  #say(number: number): void {
    if (this.#segment.unknownService !== '') {
      diagnoseService(this.#source, number, this.#segment.unknownService);
    }
    if (this.#clock.fell) {
      this.#clock.fell = false;
      this.#source.diagnose(
        'times-fall',
        'info',
        number,
        'times that begin at zero and fall again: taken for times since the packet before (-ttt), and added up',
      );
    }
  }

  end(): void {
    this.#attach(null);
  }
}
