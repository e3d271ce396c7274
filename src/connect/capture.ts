/** One capture from its frames to its connections: alone, or as a whole file for whoever reads several at once. */
import { Decoder } from '../decode/decode.ts';
import { ICMP_ERROR, TCP } from '../decode/outcomes.ts';
import { formatWords } from '../model/address.ts';
import { type Diagnostic, Diagnostics } from '../model/diagnostic.ts';
import type { IcmpEvent } from '../model/event.ts';
import { type Frame, Packet } from '../model/packet.ts';
import type { Source, Span } from '../model/source.ts';
import { RST } from '../model/tcp.ts';
import type { SourceTime } from '../model/time.ts';
import type { ReadContext, Standing } from '../read/importer.ts';
import { readCapture } from '../read/read.ts';
import { IcmpErrors } from './icmp-errors.ts';
import { ELSEWHERE, GOES_ON, JUMPED } from './standing.ts';
import { Tracker } from './tracker.ts';
import type { TrackerState } from './tracker-state.ts';

/** Texts in RSTs that are kept of one capture, and bytes of each. */
const RESET_TEXTS = 1000;
const RESET_TEXT = 80;

/** The frames of one source, decoded into a tracker of its own. */
export class Capture {
  readonly tracker: Tracker;
  readonly decoder = new Decoder();
  readonly #source: Source;
  readonly #packet = new Packet();
  readonly #icmp: IcmpErrors;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  constructor(source: Source, zeekTimers: boolean) {
    this.#icmp = new IcmpErrors(source.id);
    this.#source = source;
    this.tracker = trackerOf(source, zeekTimers, this.decoder.encapsulations);
  }

  /** From the first frame or packet to the last; undefined without any. */
  get times(): Span | undefined {
    if (this.#first > this.#last) return undefined;
    return { first: this.#first as SourceTime, last: this.#last as SourceTime };
  }

  frame(frame: Frame): void {
    this.#extend(frame.time);
    const p = this.#packet;
    const outcome = this.decoder.decode(frame, p);
    if (outcome === TCP) {
      if (p.flags & RST && p.payload > 0 && this.decoder.payloadAt >= 0) this.#resetText(frame);
      this.tracker.packet(p);
    } else if (outcome === ICMP_ERROR) this.#icmp.add(this.decoder.icmp, p);
  }

  #resetText({ bytes, start, captured }: Frame): void {
    const { payload, frame } = this.#packet;
    const { payloadAt } = this.decoder;
    this.#source.resetTexts ??= new Map();
    if (this.#source.resetTexts.size === RESET_TEXTS) return;
    const end = Math.min(payloadAt + Math.min(payload, RESET_TEXT), start + captured);
    this.#source.resetTexts.set(frame, String.fromCharCode(...bytes.subarray(payloadAt, end)));
  }

  /** What was counted, as diagnostics of the source, once the last frame has come. */
  report(source: Source, diagnostics: Diagnostics): void {
    this.decoder.report(source, diagnostics);
    this.tracker.report(source, diagnostics);
    this.#icmp.report(source, diagnostics);
  }

  /** ICMP errors about segments. */
  get icmp(): IcmpEvent[] {
    return this.#icmp.events;
  }

  /** Compares the frames of another file with what is there. The first segment of each end counts. */
  standing(frames: (take: (frame: Frame) => void) => void): Standing {
    const decoder = new Decoder();
    const packet = new Packet();
    const ends = new Map<number, number>();
    const hosts = new Set<string>();
    frames((frame) => {
      if (decoder.decode(frame, packet) !== 0) return;
      hosts.add(formatWords(packet.src0, packet.src1, packet.src2, packet.src3));
      hosts.add(formatWords(packet.dst0, packet.dst1, packet.dst2, packet.dst3));
      const found = this.tracker.standing(packet);
      const [end, standing] = [Math.floor(found / 4), found % 4];
      const known = ends.get(end);
      if (end !== 0 && (known === undefined || (known === JUMPED && standing === GOES_ON)))
        ends.set(end, standing);
    });
    const count = (...wanted: number[]) => [...ends.values()].filter((s) => wanted.includes(s)).length;
    return { goesOn: count(GOES_ON, JUMPED), jumped: count(JUMPED), elsewhere: count(ELSEWHERE), hosts };
  }

  /** A segment that is decoded already. */
  packet(packet: Packet): void {
    this.#extend(packet.time);
    this.tracker.packet(packet);
  }

  #extend(time: number): void {
    if (time < this.#first) this.#first = time;
    if (time > this.#last) this.#last = time;
  }
}

/** An empty tracker for the packets of a source. */
export function trackerOf(
  { id, processes }: Source,
  zeekTimers: boolean,
  encapsulations: readonly string[],
): Tracker {
  return new Tracker({
    source: id,
    zeekTimers,
    encapsulations,
    retire: !zeekTimers,
    ...(processes && { processes }),
  });
}

/** What became of a capture file, as plain data. */
export interface TrackedFile {
  /** As though it were the only one; null when the file ends within its header. */
  source: Source | null;
  /** What was met while it was read, and what was counted. */
  met: Diagnostic[];
  counted: Diagnostic[];
  icmp: IcmpEvent[];
  encapsulations: readonly string[];
  /** Null without frames. */
  tracker: TrackerState | null;
}

/** Reads a capture file whole; null when it is something else, or cannot be opened. */
export async function trackFile(path: string, zeekTimers: boolean): Promise<TrackedFile | null> {
  const met = new Diagnostics();
  const counted = new Diagnostics();
  let source: Source | null = null;
  let capture: Capture | null = null;
  const context: ReadContext = {
    diagnostics: met,
    source: (init) => {
      source = { ...init, id: 0, records: 0 };
      return source;
    },
    sink: {
      frame: (from, frame) => {
        capture ??= new Capture(from, zeekTimers);
        capture.frame(frame);
      },
      packet: () => undefined,
      event: () => undefined,
    },
    progress: () => undefined,
  };
  if (!(await readCapture(path, context))) return null;
  // assigned in closures, which the compiler does not follow
  const made = { source, capture } as { source: Source | null; capture: Capture | null };
  if (made.source) made.capture?.report(made.source, counted);
  if (made.source && made.capture?.times) made.source.times = made.capture.times;
  return {
    source: made.source,
    met: met.list(),
    counted: counted.list(),
    icmp: made.capture?.icmp ?? [],
    encapsulations: made.capture?.decoder.encapsulations ?? [],
    tracker: made.capture?.tracker.state() ?? null,
  };
}
