/** What reading hands on, sorted by source. */
import { Capture, type TrackedFile, trackerOf } from './connect/capture.ts';
import { SocketLives } from './connect/lives.ts';
import type { Tracker } from './connect/tracker.ts';
import { Decoder } from './decode/decode.ts';
import { TCP } from './decode/outcomes.ts';
import type { Diagnostics } from './model/diagnostic.ts';
import type { KernelEvent } from './model/event.ts';
import { getOr } from './model/get-or.ts';
import { type Frame, Packet } from './model/packet.ts';
import type { Source } from './model/source.ts';
import { FIN, RST, SYN } from './model/tcp.ts';
import type { SourceTime } from './model/time.ts';
import type { Sink, Standing } from './read/importer.ts';
import { portsKey } from './read/stepped.ts';

/**
 * Takes what importers read: frames through the decoder into one tracker per source, changes of state into lives, other
 * events into lists.
 */
export class Collector implements Sink {
  readonly trackers = new Map<number, Tracker>();
  readonly events = new Map<number, KernelEvent[]>();
  readonly lives = new Map<number, SocketLives>();
  readonly #captures = new Map<number, Capture>();
  /** What captures have to say at the end, in the order of their sources. */
  readonly #reports: ((diagnostics: Diagnostics) => void)[] = [];
  readonly #diagnostics: Diagnostics;
  readonly #zeekTimers: boolean;
  /** For frames that are looked at before they are read. */
  #ahead: { decoder: Decoder; packet: Packet } | null = null;
  #source: Source | null = null;
  #capture: Capture | null = null;

  constructor(diagnostics: Diagnostics, zeekTimers: boolean) {
    this.#diagnostics = diagnostics;
    this.#zeekTimers = zeekTimers;
  }

  frame(source: Source, frame: Frame): void {
    if (source !== this.#source) this.#select(source);
    this.#capture!.frame(frame);
  }

  packet(source: Source, packet: Packet): void {
    if (source !== this.#source) this.#select(source);
    this.#capture!.packet(packet);
  }

  event(source: Source, event: KernelEvent): void {
    if (event.time !== null) extend(source, event.time);
    if (event.kind === 'state') getOr(this.lives, source.id, () => new SocketLives(source.id)).add(event);
    else getOr(this.events, source.id, (): KernelEvent[] => []).push(event);
  }

  portsOf(frame: Frame): number {
    this.#ahead ??= { decoder: new Decoder(), packet: new Packet() };
    const { decoder, packet } = this.#ahead;
    const isTold = decoder.decode(frame, packet) === TCP && packet.flags & (SYN | FIN | RST);
    return isTold ? portsKey(packet.srcPort, packet.dstPort) : 0;
  }

  standing(source: Source, frames: (take: (frame: Frame) => void) => void): Standing {
    this.#select(source);
    return this.#capture!.standing(frames);
  }

  /** Takes a capture that another thread has read. */
  file(source: Source, { source: read, tracker, encapsulations, counted, icmp }: TrackedFile): void {
    for (const e of icmp) this.event(source, { ...e, source: source.id });
    this.#reports.push((diagnostics) => {
      for (const d of counted) diagnostics.add(d);
    });
    if (read?.times) source.times = read.times;
    if (tracker === null) return;
    this.trackers.set(source.id, trackerOf(source, this.#zeekTimers, encapsulations).adopt(tracker));
  }

  /** Diagnostics of the captures, once everything is read; what reads them is let go, for there may be thousands. */
  finish(): void {
    for (const report of this.#reports) report(this.#diagnostics);
    this.#reports.length = 0;
    this.#captures.clear();
    this.#capture = null;
    this.#source = null;
  }

  #select(source: Source): void {
    const capture = getOr(this.#captures, source.id, () => {
      const made = new Capture(source, this.#zeekTimers);
      this.trackers.set(source.id, made.tracker);
      this.#reports.push((diagnostics) => {
        made.report(source, diagnostics);
        if (made.times) source.times = made.times;
        for (const e of made.icmp) this.event(source, e);
      });
      return made;
    });
    this.#capture?.decoder.rest();
    this.#source = source;
    this.#capture = capture;
  }
}

function extend(source: Source, time: SourceTime): void {
  const { times } = source;
  if (!times) source.times = { first: time, last: time };
  else if (time < times.first) times.first = time;
  else if (time > times.last) times.last = time;
}
