/** What the capture readers share: the one Frame of a file, its source, and the checks on the order of times. */
import type { DiagnosticSeverity } from '../../model/diagnostic.ts';
import { Frame } from '../../model/packet.ts';
import type { FrameRange, Source, SteppedTimes } from '../../model/source.ts';
import { NS_PER_S, type SourceTime } from '../../model/time.ts';
import type { ReadContext } from '../importer.ts';

/** libpcap's MAXIMUM_SNAPLEN: no capture of network traffic holds more of a packet. */
export const MAX_CAPTURED = 262_144;

/** A damaged record, while the next sound one is looked for. */
export interface Lost {
  offset: number;
  why: string;
  /** The record reaches beyond the end of the file: when no other follows, it was only cut. */
  tail: boolean;
}

export class FrameStream {
  /** Reused for every packet: fill it, then deliver(). */
  readonly frame = new Frame();
  readonly source: Source;
  /** True once the clock has its base. */
  started = false;
  readonly #timeless = new Tally();
  readonly #backwards = new Tally();
  readonly #far = new Tally();
  #previous = Number.NaN;
  #latest = -Infinity;
  #silence = -0;
  readonly #stepped: SteppedTimes | undefined;
  /** Frames that have one, and the part of the frame in hand. */
  #placed = 0;
  #part = 0;
  #isUnsure = false;
  readonly #name: string;
  /** Frames of the source in other files before this one. */
  readonly #before: number;
  readonly #context: ReadContext;

  /** @param resolution nanoseconds, as in Clock */
  constructor(name: string, format: string, resolution: number, context: ReadContext) {
    this.#context = context;
    this.source = context.source({
      name,
      format,
      clock: { kind: 'realtime', base: 0n, resolution },
      host: null,
      command: null,
      root: null,
    });
    this.#stepped = this.source.stepped;
    this.#name = name;
    this.#before = this.source.records;
  }

  /**
   * Sets the clock's base, the whole second (of the Unix epoch) that the first packet with a time falls in. Returns it; of
   * a source that other files began, theirs.
   */
  start(second: bigint): bigint {
    this.started = true;
    const { clock } = this.source;
    if (this.#stepped) {
      clock.base = second * BigInt(NS_PER_S) - BigInt(this.#stepped.parts[0]!.ahead);
      return second;
    }
    if (this.#before === 0) clock.base = second * BigInt(NS_PER_S);
    return clock.base / BigInt(NS_PER_S);
  }

  deliver(): void {
    const frame = this.frame;
    if (this.#stepped) frame.time = this.#continuous(this.#stepped);
    frame.number = ++this.source.records;
    const time = frame.time as number;
    const step = time - this.#previous;
    if (step > this.#silence) this.#silence = step;
    if (time > this.#latest) this.#latest = time;
    if (step < 0 || time > Number.MAX_SAFE_INTEGER) this.#oddTime(time);
    this.#previous = time;
    this.#context.sink.frame(this.source, frame);
  }

  /** The time of the frame in hand on the clock as it stood at the end. */
  #continuous({ parts, unsure, strange }: SteppedTimes): SourceTime {
    const n = this.#placed++;
    while (n >= (parts[this.#part + 1]?.from ?? Infinity)) this.#part++;
    const isIn = (range: FrameRange) => n >= range.from && n < range.to;
    const isStrange = strange.some(isIn);
    const own = this.frame.time - (parts[this.#part]!.ahead - parts[0]!.ahead);
    // a wrong time is worse than that of the packet before
    const time = (isStrange && n > 0 ? this.#previous : own) as SourceTime;
    const isUnsure = isStrange || unsure.some(isIn);
    if (isUnsure) {
      this.source.unordered ??= [];
      const last = this.#isUnsure ? this.source.unordered.pop() : undefined;
      const [first, latest] = [Math.min(last?.first ?? time, time), Math.max(last?.last ?? time, time)];
      this.source.unordered.push({ first: first as SourceTime, last: latest as SourceTime });
    }
    this.#isUnsure = isUnsure;
    return time;
  }

  /** Hands on a whole block that holds no packet. */
  block(type: number, bytes: Uint8Array, isBigEndian: boolean): void {
    this.#context.sink.block?.(this.source, type, bytes, isBigEndian);
  }

  /** Numbers a packet that cannot be handed on. */
  skip(code: string, message: string): void {
    this.source.records++;
    this.#add(code, 'data-loss', this.#frame(0), message);
  }

  /** Says that the frame in hand has no time of its own. */
  timeless(): void {
    this.#timeless.add(this.#number(1));
  }

  /** Reports something about the frame in hand. */
  note(code: string, message: string): void {
    this.#add(code, 'info', this.#frame(1), message);
  }

  /** Reports that bytes of the frame in hand are missing. */
  damage(code: string, message: string): void {
    this.#add(code, 'data-loss', this.#frame(1), message);
  }

  /** Reports that less was on the wire than was captured, or 2 GiB and more (a negative `length`). */
  doubtLength(captured: number, length: number): void {
    const code = length < 0 ? 'capture-absurd-length' : 'capture-exceeds-length';
    this.note(code, `${captured} bytes captured of a packet of ${length >>> 0}`);
  }

  /** Reports something at a place in the file. */
  place(code: string, byte: number, message: string): void {
    this.#add(code, 'info', `byte ${byte}`, message);
  }

  /** Reports evidence that is missing, at a place in the file. */
  loss(code: string, byte: number, message: string): void {
    this.#add(code, 'data-loss', `byte ${byte}`, message);
  }

  /** Reports a fault after which the rest of the file is not read. */
  error(code: string, byte: number, message: string): void {
    this.#add(code, 'error', `byte ${byte}`, message);
  }

  /** Reports a damaged record, behind which reading goes on at `byte`. */
  found(code: string, { offset, why }: Lost, byte: number): void {
    this.loss(code, offset, `${why}; read on at byte ${byte}, ${byte - offset} bytes skipped`);
  }

  /** Reports packets that the capturing tool says it lost. */
  dropped(count: number, message: string): void {
    this.source.incomplete = true;
    const diagnostic = { code: 'capture-dropped-packets', source: this.#name, locator: '', count, message };
    this.#context.diagnostics.add({ ...diagnostic, severity: 'data-loss', upstream: true });
  }

  /** End of the file: reports what was counted on the way. */
  end(): void {
    const { last = -Infinity, silence = 0 } = this.source.span ?? {};
    const latest = Math.max(last, this.#latest) as SourceTime;
    if (latest > -Infinity) this.source.span = { last: latest, silence: Math.max(silence, this.#silence) };
    const tallies: [Tally, string, string][] = [
      [
        this.#timeless,
        'capture-no-time',
        'packets without a time of their own get that of the packet before',
      ],
      [this.#backwards, 'capture-time-backwards', 'packets are earlier than the one before them in the file'],
      [
        this.#far,
        'capture-time-far',
        'times over 104 days from the first packet are not exact to the nanosecond',
      ],
    ];
    for (const [tally, code, message] of tallies) {
      if (tally.count > 0) this.#add(code, 'info', `frame ${tally.first}`, message, tally.count);
    }
  }

  #add(code: string, severity: DiagnosticSeverity, locator: string, message: string, count = 1): void {
    this.#context.diagnostics.add({ code, severity, source: this.#name, locator, count, message });
  }

  /** Number in its file of the last frame, or of the one in hand. */
  #number(ahead: 0 | 1): number {
    return this.source.records - this.#before + ahead;
  }

  #frame(ahead: 0 | 1): string {
    return `frame ${this.#number(ahead)}`;
  }

  #oddTime(time: number): void {
    if (Math.abs(time) > Number.MAX_SAFE_INTEGER) this.#far.add(this.#number(0));
    if (time < this.#previous) this.#backwards.add(this.#number(0));
  }
}

/** How often something that many packets of a file can show was seen, and at which frame first. */
class Tally {
  count = 0;
  first = 0;

  add(frame: number): void {
    if (this.count++ === 0) this.first = frame;
  }
}
