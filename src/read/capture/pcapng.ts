/** pcapng files (draft-ietf-opsawg-pcapng): sections of either byte order, with any number of interfaces. */
import type { SourceTime } from '../../model/time.ts';
import { NS_PER_US } from '../../model/time.ts';
import type { CaptureFormat, CaptureReader, ReadContext } from '../importer.ts';
import { i32, i64, u16, u32 } from './byte-order.ts';
import { Carry, type RecordParser } from './carry.ts';
import { FrameStream, type Lost } from './frames.ts';
import {
  ENHANCED_PACKET,
  headerFault,
  headerOf,
  INTERFACE,
  INTERFACE_STATISTICS,
  isOverlong,
  isPacket,
  isSoundBlock,
  lastBlocks,
  MAX_PACKET_BLOCK,
  PACKET,
  SECTION_HEADER,
  SIMPLE_PACKET,
  SKIPPED,
  sectionByteOrder,
  trailerFault,
} from './pcapng-blocks.ts';
import {
  type CaptureInterface,
  FARTHEST,
  LATEST,
  readInterface,
  resolutionOf,
  secondOf,
  setBase,
  ticksToNs,
} from './pcapng-interfaces.ts';
import { eachOption, padded } from './pcapng-options.ts';
import { clearOptions, PacketOptions } from './pcapng-packet-options.ts';

export const pcapng: CaptureFormat = {
  id: 'pcapng',
  title: 'packet capture (pcapng: Wireshark, dumpcap, ptcpdump)',
  clock: 'realtime',
  proves: 'What passed its interfaces and when: who sent FIN or RST first, retransmissions, unanswered SYNs.',
  cannotProve: 'What a host did with a packet, and why it sent a RST or none; what passed elsewhere.',
  example: 'section header block 0a0d0d0a with byte-order magic 1a2b3c4d, either byte order',
  sniff: (head) =>
    head.length >= 12 && u32(head, 0, true) === SECTION_HEADER && sectionByteOrder(head, 0) !== null,
  header: headerOf,
  lastRecords: lastBlocks,
  open: (name, context) => new PcapngReader(name, context),
};

const MAX_INTERFACES = 1 << 16;
/** After damage: how many bytes a block that is looked for may have. */
const WINDOW = MAX_PACKET_BLOCK;
const STEP = 1 << 16;

class PcapngReader implements CaptureReader, RecordParser {
  need = 12;
  readonly #carry = new Carry(this);
  readonly #stream: FrameStream;
  #big = false;
  readonly #options: PacketOptions;
  readonly #interfaces: CaptureInterface[] = [];
  readonly #interfaceNames: string[] = [];
  /** Where the current section's interfaces begin in #interfaces. */
  #firstInterface = 0;
  #baseSecond = 0n;
  #lastTime = 0;
  #lost: Lost | null = null;
  #stopped = false;

  constructor(name: string, context: ReadContext) {
    this.#stream = new FrameStream(name, pcapng.id, NS_PER_US, context);
    const { source } = this.#stream;
    source.interfaces ??= this.#interfaceNames;
    source.processes ??= [];
    this.#options = new PacketOptions(source.processes);
  }

  push(bytes: Uint8Array): void {
    this.#carry.push(bytes);
  }

  end(): void {
    const rest = this.#carry.end();
    const { position } = this.#carry;
    if (this.#lost && !this.#lost.tail) {
      const message = `${this.#lost.why}; no whole block follows, so the rest of the file is not read`;
      this.#stream.error('pcapng-damaged-block', this.#lost.offset, message);
    } else if (rest > 0 || this.#lost) {
      const offset = this.#lost?.offset ?? position;
      const message = `the file ends within a block, ${position + rest - offset} bytes after its start`;
      this.#stream.loss('pcapng-truncated-block', offset, message);
    }
    this.#stream.end();
    for (const [i, { name, dropped }] of this.#interfaces.entries()) {
      if (dropped === 0) continue;
      this.#stream.dropped(
        dropped,
        `packets lost by the capture at interface ${name || i}, as the file itself says`,
      );
    }
    // Without one timestamp the clock has no base: only the order is known.
    if (!this.#stream.started && this.#stream.source.records > 0) this.#stream.source.clock.kind = 'order';
  }

  parse(bytes: Uint8Array, start: number, end: number, origin: number, last: boolean): number {
    let pos = start;
    this.#stream.frame.bytes = bytes;
    while (!this.#stopped) {
      if (this.#lost) pos = this.#resynchronise(bytes, pos, end, origin, last);
      if (this.#lost) return pos;
      this.need = 12;
      if (end - pos < 12) return pos;
      const type = i32(bytes, pos, this.#big);
      if (type === SECTION_HEADER) this.#big = sectionByteOrder(bytes, pos) ?? this.#big;
      const length = i32(bytes, pos + 4, this.#big);
      let fault = headerFault(type, length);
      let tail = false;
      if (fault === '' && end - pos < length) {
        this.need = length;
        tail = last && isOverlong(type, bytes, pos, end, length, this.#big);
        if (!tail) return pos;
        fault = `the block claims ${length} bytes, more than its packet needs and the file has`;
      }
      fault ||= trailerFault(bytes, pos, length, this.#big);
      if (fault !== '') {
        this.#lost = { offset: origin + pos, why: fault, tail };
        pos++;
        continue;
      }
      this.#block(type, bytes, pos, length, origin);
      pos += length;
    }
    return end;
  }

  /** A whole block of sound length. */
  #block(type: number, bytes: Uint8Array, pos: number, length: number, origin: number): void {
    const bodyEnd = pos + length - 4;
    if (!isPacket(type)) this.#stream.block(type, bytes.subarray(pos, pos + length), this.#big);
    if (type === ENHANCED_PACKET) {
      this.#timedPacket(bytes, pos, bodyEnd, u32(bytes, pos + 8, this.#big));
    } else if (type === PACKET) {
      this.#timedPacket(bytes, pos, bodyEnd, u16(bytes, pos + 8, this.#big));
    } else if (type === SIMPLE_PACKET) {
      this.#simplePacket(bytes, pos, bodyEnd);
    } else if (type === INTERFACE) {
      this.#describeInterface(bytes, pos, bodyEnd, origin);
    } else if (type === INTERFACE_STATISTICS) {
      this.#statistics(bytes, pos, bodyEnd);
    } else if (type === SECTION_HEADER) {
      this.#section(bytes, pos, origin);
    } else if (!SKIPPED.has(type)) {
      const message = `a block of unknown type 0x${(type >>> 0).toString(16)} is skipped`;
      this.#stream.place('pcapng-unknown-block', origin + pos, message);
    }
  }

  #section(bytes: Uint8Array, pos: number, origin: number): void {
    this.#firstInterface = this.#interfaces.length;
    const major = u16(bytes, pos + 12, this.#big);
    if (sectionByteOrder(bytes, pos) !== null && major === 1) return;
    const message = `the section has an unknown byte order or version (${major}); nothing from here on is read`;
    this.#stream.error('pcapng-unknown-version', origin + pos, message);
    this.#stopped = true;
  }

  #describeInterface(bytes: Uint8Array, pos: number, bodyEnd: number, origin: number): void {
    if (this.#interfaces.length >= MAX_INTERFACES) {
      const message = `more than ${MAX_INTERFACES} interfaces; packets of the others are not read`;
      this.#stream.loss('pcapng-too-many-interfaces', origin + pos, message);
      return;
    }
    const { described, damaged } = readInterface(bytes, pos + 8, bodyEnd, this.#big);
    if (damaged) {
      const message = 'an option of the interface reaches beyond its block and is not read';
      this.#stream.loss('pcapng-damaged-option', origin + pos, message);
    }
    const { clock } = this.#stream.source;
    const resolution = resolutionOf(described);
    clock.resolution = this.#interfaces.length === 0 ? resolution : Math.max(clock.resolution, resolution);
    if (this.#stream.started) setBase(described, this.#baseSecond);
    this.#interfaces.push(described);
    this.#interfaceNames.push(described.name);
  }

  /** Enhanced packet block and the obsolete packet block, which differ in the width of the interface number alone. */
  #timedPacket(bytes: Uint8Array, pos: number, bodyEnd: number, number: number): void {
    const itf = this.#interfaces[this.#firstInterface + number];
    if (itf === undefined) {
      this.#missingInterface(number);
      return;
    }
    const big = this.#big;
    const high = i32(bytes, pos + 12, big);
    const low = i32(bytes, pos + 16, big);
    this.#readTime(itf, high, low);
    const captured = i32(bytes, pos + 20, big);
    const length = i32(bytes, pos + 24, big);
    this.#readOptions(bytes, pos + 28, bodyEnd, captured);
    this.#deliver(itf, this.#firstInterface + number, pos + 28, bodyEnd, captured, length);
  }

  /** A time that none of us will see is damage: the packet gets that of the one before, as one without a time. */
  #readTime(itf: CaptureInterface, high: number, low: number): void {
    if (!this.#stream.started) {
      const second = secondOf(itf, high, low);
      if (second >= -LATEST && second <= LATEST) this.#startClock(second);
    }
    const time = this.#stream.started ? ticksToNs(itf, high, low) : Number.NaN;
    if (Math.abs(time) <= FARTHEST) this.#lastTime = time;
    else this.#stream.damage('capture-absurd-time', 'its time is beyond the year 9999 and is not believed');
  }

  /** Options follow the padded packet. */
  #readOptions(bytes: Uint8Array, data: number, end: number, captured: number): void {
    const { frame } = this.#stream;
    clearOptions(frame);
    if (captured < 0 || captured > end - data) return;
    const start = data + padded(captured);
    if (end - start < 4) return;
    if (this.#options.read(bytes, start, end, this.#big, frame)) return;
    this.#stream.note(
      'pcapng-damaged-packet-option',
      'an option of it reaches beyond its block and is not read',
    );
  }

  /** A simple packet block has no time: it gets that of the packet before it, or the clock's base when it is first. */
  #simplePacket(bytes: Uint8Array, pos: number, bodyEnd: number): void {
    const itf = this.#interfaces[this.#firstInterface];
    if (itf === undefined) {
      this.#missingInterface(0);
      return;
    }
    const length = u32(bytes, pos + 8, this.#big);
    const data = pos + 12;
    const limit = itf.snapLength === 0 ? length : Math.min(length, itf.snapLength);
    // What the block can hold is right even where the snap length is not, as in files that were edited.
    const captured = Math.min(limit, bodyEnd - data);
    this.#stream.timeless();
    clearOptions(this.#stream.frame);
    this.#deliver(itf, this.#firstInterface, data, bodyEnd, captured, length);
  }

  #deliver(
    itf: CaptureInterface,
    id: number,
    data: number,
    end: number,
    captured: number,
    length: number,
  ): void {
    const { frame } = this.#stream;
    let kept = captured;
    if (captured < 0 || captured > end - data) {
      kept = end - data;
      this.#stream.damage(
        'pcapng-captured-exceeds-block',
        `${captured >>> 0} bytes captured, but its block holds ${kept}`,
      );
    } else if (captured > length) {
      this.#stream.doubtLength(captured, length);
    }
    frame.start = data;
    frame.captured = kept;
    frame.length = kept > length ? kept : length;
    frame.time = this.#lastTime as SourceTime;
    frame.linkType = itf.linkType;
    frame.interfaceId = id;
    this.#stream.deliver();
  }

  /** A packet whose link type is not known: it is numbered, as other tools do, but cannot be handed on. */
  #missingInterface(number: number): void {
    const message = `it refers to interface ${number}, which its section does not describe, and is not read`;
    this.#stream.skip('pcapng-missing-interface', message);
  }

  #startClock(second: bigint): void {
    this.#baseSecond = this.#stream.start(second);
    for (const itf of this.#interfaces) setBase(itf, this.#baseSecond);
  }

  #statistics(bytes: Uint8Array, pos: number, bodyEnd: number): void {
    const ifDrop = 5;
    const osDrop = 7;
    const itf = this.#interfaces[this.#firstInterface + u32(bytes, pos + 8, this.#big)];
    if (itf === undefined) return;
    let dropped = 0;
    eachOption(bytes, pos + 20, bodyEnd, this.#big, (code, at, length) => {
      if ((code === ifDrop || code === osDrop) && length === 8) {
        dropped += Number(BigInt.asUintN(64, i64(bytes, at, this.#big)));
      }
    });
    itf.dropped = dropped;
  }

  /** Looks for the next block of a known type whose two lengths agree. */
  #resynchronise(bytes: Uint8Array, start: number, end: number, origin: number, last: boolean): number {
    const stop = last ? end : end - WINDOW;
    for (let pos = start; pos < stop; pos++) {
      if (!isSoundBlock(bytes, pos, end, this.#big)) continue;
      this.#stream.found('pcapng-damaged-block', this.#lost!, origin + pos);
      this.#lost = null;
      return pos;
    }
    this.need = WINDOW + STEP;
    return Math.max(start, stop);
  }
}
