/**
 * `tcpautopsy annotate`: the packets of all inputs in one pcapng file, with what was found about them as comments, and
 * the events of the kernels between them.
 */
import { Decoder } from '../decode/decode.ts';
import { parseWords } from '../model/address.ts';
import { Diagnostics } from '../model/diagnostic.ts';
import { type Frame, Packet } from '../model/packet.ts';
import type { Result } from '../model/result.ts';
import { packetPlace, type Source } from '../model/source.ts';
import { disk } from '../platform/files.ts';
import { orNothing } from '../platform/interrupt.ts';
import { beside, writeWhole } from '../platform/output.ts';
import { commentsOf } from '../read/capture/pcapng-packet-options.ts';
import type { Sink } from '../read/importer.ts';
import { type HostNames, type ReadProgress, readInputs } from '../read/read.ts';
import { visible } from '../view/escape.ts';
import { interfaceBlock, packetBlock, sectionHeader } from './blocks.ts';
import { type Annotations, annotationsOf, frameKey, merged } from './comments.ts';
import { eventBytes, LINKTYPE_EVENT } from './event.ts';
import { LINKTYPE_RAW, rebuild, type Words } from './segment.ts';
import { Spool } from './spool.ts';

export interface AnnotateOptions {
  hosts?: HostNames;
  onProgress?: (progress: ReadProgress) => void;
  /** Files that are one capture, as the result had them before it was redacted. */
  rotations?: readonly (readonly string[])[];
  /** Only packets of the connections that the result lists, as a filter has kept them. */
  only?: boolean;
  /** Runs what keeps the thread busy. */
  busy?: <T>(work: () => T) => T;
  /** With it packets are rebuilt from their headers, with these addresses; all else of them is left out. */
  redact?: { words(words: Words): Words; text(text: string): string };
}

export interface Annotated {
  packets: number;
  events: number;
  comments: number;
}

/**
 * Writes `path` (by rename: whole or not at all) from files that `result` was made from. Result and options must be
 * redacted alike. Rejects with the file system's error.
 */
export async function annotate(
  result: Result,
  inputs: readonly string[],
  path: string,
  options: AnnotateOptions = {},
): Promise<Annotated> {
  const { busy = (work) => work() } = options;
  const annotations = busy(() => annotationsOf(result));
  const spool = new Spool(beside(path));
  return orNothing(
    () => spool.close(),
    async () => {
      const collector = new Collector(spool, annotations, result, options);
      const onProgress = options.onProgress ?? (() => undefined);
      const { hosts = new Map(), rotations = [] } = options;
      await readInputs(inputs, hosts, collector, new Diagnostics(), onProgress, null, disk, rotations);
      collector.finish();
      const { version } = result.tool;
      const story = result.story.map((s) => visible(`tcpautopsy: ${s}`));
      const first = [sectionHeader(`tcpautopsy ${version}`, story), ...collector.interfaces];
      await writeWhole(path, async (temporary) => busy(() => spool.writeTo(temporary, first)));
      spool.close();
      return collector.counts;
    },
  );
}

/** Takes the frames of the second reading; events are in the result already. */
class Collector implements Sink {
  readonly interfaces: Buffer[] = [];
  readonly counts: Annotated = { packets: 0, events: 0, comments: 0 };
  readonly #spool: Spool;
  readonly #annotations: Annotations;
  readonly #redact: AnnotateOptions['redact'];
  /** Null: all packets. */
  readonly #only: Tuples | null;
  /** Of sources in the result, by the first of their files. */
  readonly #names: ReadonlyMap<string, string>;
  readonly #numbers = new Map<string, number>();
  readonly #decoders = new Map<number, Decoder>();
  readonly #packet = new Packet();

  constructor(
    spool: Spool,
    annotations: Annotations,
    { inputs, connections }: Result,
    options: AnnotateOptions,
  ) {
    this.#only = options.only ? new Tuples(connections) : null;
    this.#names = new Map(inputs.map((i) => [i.files?.[0]?.name ?? i.name, i.name]));
    this.#spool = spool;
    this.#annotations = annotations;
    this.#redact = options.redact;
  }

  frame(source: Source, frame: Frame): void {
    if (this.#redact || this.#only) {
      const isSegment = this.#decoder(source).decode(frame, this.#packet) === 0;
      if (this.#redact && isSegment) this.packet(source, this.#packet);
      if (this.#redact || !isSegment || !this.#only!.has(this.#packet)) return;
    }
    const bytes = frame.bytes.subarray(frame.start, frame.start + frame.captured);
    const itf = this.#interface(source, frame.linkType, frame.interfaceId);
    const before = commentsOf(frame).map((c) => c.split('\n').map(visible).join('\n'));
    this.#write(source, itf, frame, frame.number, bytes, before);
  }

  /** A segment without bytes of its own, or one that is redacted. */
  packet(source: Source, p: Packet): void {
    if (this.#only && !this.#only.has(p)) return;
    const from: Words = [p.src0, p.src1, p.src2, p.src3];
    const to: Words = [p.dst0, p.dst1, p.dst2, p.dst3];
    const redact = this.#redact;
    const { bytes, length } = redact
      ? rebuild(p, redact.words(from), redact.words(to))
      : rebuild(p, from, to);
    const itf = this.#interface(source, LINKTYPE_RAW, p.vantage);
    this.#write(source, itf, { time: p.time, length }, p.frame, bytes, []);
  }

  event(): void {}

  finish(): void {
    const { events } = this.#annotations;
    if (events.length === 0) return;
    const itf = this.#number('', LINKTYPE_EVENT, 'events', 'What the kernels said');
    for (const { time, text, ends } of events) {
      const bytes = eventBytes(text, ends);
      this.#spool.add(time, packetBlock(itf, time, bytes.length, bytes, [text]));
      this.counts.events++;
    }
  }

  #write(
    source: Source,
    itf: number,
    { time, length }: { time: number; length: number },
    frame: number,
    bytes: Uint8Array,
    before: readonly string[],
  ): void {
    const key = frameKey(this.#name(source), packetPlace(source, frame));
    const now = this.#annotations.frames.get(key) ?? [];
    const comments = merged(before, now);
    const absolute = source.clock.base + BigInt(Math.round(time));
    this.#spool.add(absolute, packetBlock(itf, absolute, length, bytes, comments));
    this.counts.packets++;
    this.counts.comments += now.length;
  }

  /** As the result has it. */
  #name({ name, files }: Source): string {
    const first = files?.[0]?.name ?? name;
    const known = this.#redact ? this.#redact.text(first) : first;
    return this.#names.get(known) ?? known;
  }

  #interface(source: Source, linkType: number, number: number): number {
    const name = this.#name(source);
    return this.#number(`${source.id} ${linkType} ${number}`, linkType, visible(name), visible(name));
  }

  #number(key: string, linkType: number, name: string, description: string): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.interfaces.push(interfaceBlock(linkType, name, description)) - 1;
    this.#numbers.set(key, number);
    return number;
  }

  #decoder(source: Source): Decoder {
    const known = this.#decoders.get(source.id);
    if (known) return known;
    const decoder = new Decoder();
    this.#decoders.set(source.id, decoder);
    return decoder;
  }
}

/** The endpoints of connections, for a look at each packet. */
class Tuples {
  readonly #known = new Set<string>();

  constructor(connections: Result['connections']) {
    for (const { client, server } of connections) {
      const [a, b] = [client, server].map(
        (e) => `${(parseWords(e.address) ?? [0, 0, 0, 0]).map((w) => w | 0)} ${e.port}`,
      );
      this.#known.add(`${a} ${b}`).add(`${b} ${a}`);
    }
  }

  has(p: Packet): boolean {
    const from = `${p.src0},${p.src1},${p.src2},${p.src3} ${p.srcPort}`;
    return this.#known.has(`${from} ${p.dst0},${p.dst1},${p.dst2},${p.dst3} ${p.dstPort}`);
  }
}
