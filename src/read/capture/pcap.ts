/**
 * Classic libpcap files (https://www.tcpdump.org/manpages/pcap-savefile.5.html): microseconds and nanoseconds, both
 * byte orders, Kuznetzov's modified format with its 24-byte record headers, and versions from before 2.4.
 */
import type { SourceTime } from '../../model/time.ts';
import { NS_PER_S, NS_PER_US } from '../../model/time.ts';
import type { CaptureFormat, CaptureReader, ReadContext } from '../importer.ts';
import { i32, u16, u32 } from './byte-order.ts';
import { Carry, type RecordParser } from './carry.ts';
import { FrameStream, type Lost, MAX_CAPTURED } from './frames.ts';
import { FILE_HEADER, hasSwapped, headerOf, lastRecords, readMagic, VARIANTS } from './pcap-header.ts';

export const pcap: CaptureFormat = {
  id: 'pcap',
  title: 'packet capture (libpcap: tcpdump -w)',
  clock: 'realtime',
  proves:
    'What passed one place and when: who sent FIN or RST first, retransmissions, windows, unanswered SYNs.',
  cannotProve: 'What a host did with a packet, and why it sent a RST or none; what passed elsewhere.',
  example: 'magic a1b2c3d4 (microseconds), a1b23c4d (nanoseconds) or a1b2cd34 (modified), either byte order',
  sniff: (head) => head.length >= 4 && readMagic(head, 0) !== null,
  header: headerOf,
  lastRecords,
  open: (name, context) => new PcapReader(name, context),
};

/** Bits of the link type word that say something else: FCS length and its presence. */
const LINK_TYPE_MASK = 0xffff;
/** After damage: a place is a record when it and its two successors look like ones, all within this many bytes. */
const CHAIN = 3;
const CHAIN_WINDOW = 1 << 18;
const STEP = 1 << 16;
/** After damage: seconds a record may be away from the last good one. */
const PLAUSIBLE_SECONDS = 7 * 86_400;
/** After damage: no packet is longer on the wire; Linux's BIG TCP makes them up to 512 KiB. */
const MAX_LENGTH = 1 << 20;

/** What stands at a place that should be a record header. */
const SOUND = 0;
const DAMAGED = 1;
const UNDECIDED = 2;
/** As DAMAGED, but a file that was cut could look the same. */
const TAIL = 3;

class PcapReader implements CaptureReader, RecordParser {
  need = FILE_HEADER;
  readonly #name: string;
  readonly #context: ReadContext;
  readonly #carry = new Carry(this);
  #stream: FrameStream | null = null;
  #big = false;
  #recordHeader = 16;
  #unit = NS_PER_US;
  #unitsPerSecond = 0;
  #baseSecond = 0;
  #lastSecond = 0;
  /** Where a record header has its lengths: captured, and on the wire. */
  #capturedAt = 8;
  #lengthAt = 12;
  #maySwap = false;
  #lost: Lost | null = null;

  constructor(name: string, context: ReadContext) {
    this.#name = name;
    this.#context = context;
  }

  push(bytes: Uint8Array): void {
    this.#carry.push(bytes);
  }

  end(): void {
    const rest = this.#carry.end();
    const { position } = this.#carry;
    this.#stream?.end();
    if (this.#stream === null) {
      const message = `the file ends within its header of ${FILE_HEADER} bytes`;
      const place = { source: this.#name, locator: `byte ${position}` };
      this.#context.diagnostics.add({ code: 'pcap-truncated-header', severity: 'error', ...place, message });
    } else if (this.#lost && !this.#lost.tail) {
      const message = `${this.#lost.why}; no whole record follows, so the rest of the file is not read`;
      this.#stream.error('pcap-damaged-record', this.#lost.offset, message);
    } else if (rest > 0 || this.#lost) {
      const offset = this.#lost?.offset ?? position;
      const message = `the file ends within a record, ${position + rest - offset} bytes after its start`;
      this.#stream.loss('pcap-truncated-record', offset, message);
    }
  }

  parse(bytes: Uint8Array, start: number, end: number, origin: number, last: boolean): number {
    let pos = start;
    if (this.#stream === null) {
      if (end - pos < FILE_HEADER) return pos;
      this.#stream = this.#readFileHeader(bytes, pos);
      pos += FILE_HEADER;
    }
    for (;;) {
      if (this.#lost) pos = this.#resynchronise(bytes, pos, end, origin, last);
      if (this.#lost) return pos;
      pos = this.#records(this.#stream, bytes, pos, end, origin, last);
      if (!this.#lost) return pos;
    }
  }

  #readFileHeader(bytes: Uint8Array, at: number): FrameStream {
    // The sniffer has seen one of these magic numbers.
    const { variant, big } = readMagic(bytes, at) ?? { variant: VARIANTS[0], big: false };
    this.#big = big;
    this.#recordHeader = variant.recordHeader;
    this.#unit = variant.unit;
    this.#unitsPerSecond = NS_PER_S / variant.unit;
    this.#orderLengths(u16(bytes, at + 4, big), u16(bytes, at + 6, big));
    const stream = new FrameStream(this.#name, pcap.id, variant.unit, this.#context);
    stream.frame.linkType = i32(bytes, at + 20, big) & LINK_TYPE_MASK;
    return stream;
  }

  /** Of version 2.3 either way was written. */
  #orderLengths(major: number, minor: number): void {
    const isSwapped = hasSwapped(major, minor);
    this.#capturedAt = isSwapped ? 12 : 8;
    this.#lengthAt = isSwapped ? 8 : 12;
    this.#maySwap = major === 2 && minor === 3;
  }

  #isSwapped(captured: number, length: number): boolean {
    return this.#maySwap && captured > length && length > 0;
  }

  #captured(bytes: Uint8Array, pos: number): number {
    const captured = i32(bytes, pos + this.#capturedAt, this.#big);
    const length = i32(bytes, pos + this.#lengthAt, this.#big);
    return this.#isSwapped(captured, length) ? length : captured;
  }

  #length(bytes: Uint8Array, pos: number): number {
    const captured = i32(bytes, pos + this.#capturedAt, this.#big);
    const length = i32(bytes, pos + this.#lengthAt, this.#big);
    return this.#isSwapped(captured, length) ? captured : length;
  }

  /** The inner loop: takes records until one is incomplete or damaged; returns where that one starts. */
  #records(
    stream: FrameStream,
    bytes: Uint8Array,
    start: number,
    end: number,
    origin: number,
    last: boolean,
  ): number {
    const big = this.#big;
    const header = this.#recordHeader;
    const capturedAt = this.#capturedAt;
    const lengthAt = this.#lengthAt;
    const unitsPerSecond = this.#unitsPerSecond;
    const frame = stream.frame;
    frame.bytes = bytes;
    let pos = start;
    for (;;) {
      this.need = header;
      if (end - pos < header) return pos;
      let captured = i32(bytes, pos + capturedAt, big);
      let length = i32(bytes, pos + lengthAt, big);
      // Signed: a length of 2 GiB or more is negative here.
      if (captured <= 0 || captured > MAX_CAPTURED || captured > length) {
        captured = this.#captured(bytes, pos);
        length = this.#length(bytes, pos);
        const verdict = this.#examine(stream, bytes, pos, end, last);
        if (verdict === UNDECIDED) return pos;
        if (verdict !== SOUND) return this.#lose(bytes, pos, origin, verdict === TAIL);
      }
      const next = pos + header + captured;
      if (next > end) {
        this.need = next - pos;
        return pos;
      }
      const second = u32(bytes, pos, big);
      const fraction = u32(bytes, pos + 4, big);
      if (!stream.started) this.#startClock(stream, second);
      if (fraction >= unitsPerSecond) {
        stream.note('pcap-time-fraction', `its fraction of a second, ${fraction}, is a second or more`);
      }
      frame.start = pos + header;
      frame.captured = captured;
      frame.length = captured > length ? captured : length;
      frame.time = ((second - this.#baseSecond) * NS_PER_S + fraction * this.#unit) as SourceTime;
      this.#lastSecond = second;
      stream.deliver();
      pos = next;
    }
  }

  #startClock(stream: FrameStream, second: number): void {
    this.#baseSecond = Number(stream.start(BigInt(second)));
  }

  /**
   * Looks closer at a header whose lengths are 0, absurd or contradict each other. An empty record is sound unless it
   * is all zeros (a hole in the file). A wrong length on the wire is bearable when another record follows, which may have
   * one as well: some writers leave it 0.
   */
  #examine(stream: FrameStream, bytes: Uint8Array, pos: number, end: number, last: boolean): number {
    const captured = this.#captured(bytes, pos);
    if (captured < 0 || captured > MAX_CAPTURED) return DAMAGED;
    const length = this.#length(bytes, pos);
    if (captured > 0 && captured <= length) return SOUND;
    if (captured === 0) return length === 0 && i32(bytes, pos, this.#big) === 0 ? DAMAGED : SOUND;
    const next = pos + this.#recordHeader + captured;
    if (end - next < this.#recordHeader) {
      this.need = next + this.#recordHeader - pos;
      if (!last) return UNDECIDED;
      if (next > end) return TAIL;
    } else if (!this.#plausible(bytes, next, true)) return DAMAGED;
    stream.doubtLength(captured, length);
    return SOUND;
  }

  #lose(bytes: Uint8Array, pos: number, origin: number, tail: boolean): number {
    const captured = this.#captured(bytes, pos) >>> 0;
    const length = this.#length(bytes, pos) >>> 0;
    const why = `the record header is damaged: ${captured} bytes captured of ${length}`;
    this.#lost = { offset: origin + pos, why, tail };
    return pos + 1;
  }

  /** Looks for the next place where a chain of records begins. Ends the search (`#lost` = null) or asks for more. */
  #resynchronise(bytes: Uint8Array, start: number, end: number, origin: number, last: boolean): number {
    const stop = last ? end : end - CHAIN_WINDOW;
    for (let pos = start; pos < stop; pos++) {
      if (!this.#chained(bytes, pos, end, last)) continue;
      this.#stream!.found('pcap-damaged-record', this.#lost!, origin + pos);
      this.#lost = null;
      return pos;
    }
    this.need = CHAIN_WINDOW + STEP;
    return Math.max(start, stop);
  }

  #chained(bytes: Uint8Array, start: number, end: number, last: boolean): boolean {
    let pos = start;
    for (let i = 0; i < CHAIN; i++) {
      if (last && pos === end) return i > 0;
      if (pos + this.#recordHeader > end || !this.#plausible(bytes, pos)) return false;
      pos += this.#recordHeader + this.#captured(bytes, pos);
    }
    return true;
  }

  #plausible(bytes: Uint8Array, pos: number, anyLength = false): boolean {
    const captured = this.#captured(bytes, pos);
    const length = this.#length(bytes, pos);
    if (captured <= 0 || captured > MAX_CAPTURED) return false;
    if (!anyLength && (length < captured || length > MAX_LENGTH)) return false;
    const second = u32(bytes, pos, this.#big);
    const near = !this.#stream!.started || Math.abs(second - this.#lastSecond) <= PLAUSIBLE_SECONDS;
    return near && u32(bytes, pos + 4, this.#big) < this.#unitsPerSecond;
  }
}
