/**
 * `tcpautopsy annotate`: the packets of all inputs in one pcapng file, with what was found about them as comments, and
 * the events of the kernels between them.
 */
import { Decoder } from '../decode/decode.ts';
import { parseWords } from '../model/address.ts';
import { Diagnostics } from '../model/diagnostic.ts';
import { type Frame, Packet } from '../model/packet.ts';
import { packetPlace, type Source } from '../model/source.ts';
import { visible } from '../model/visible.ts';
import { disk } from '../platform/files.ts';
import { orNothing } from '../platform/interrupt.ts';
import { beside, writeWhole } from '../platform/output.ts';
import type { PcapngOption } from '../read/capture/pcapng-options.ts';
import { packetOptionsOf } from '../read/capture/pcapng-packet-options.ts';
import type { Sink } from '../read/importer.ts';
import { type HostNames, type ReadProgress, readInputs } from '../read/read.ts';
import type { Result } from '../tables/result.ts';
import { fileNames } from '../view/short-names.ts';
import { Beside, type Described, inSight, isComment, named, textOf } from './beside.ts';
import { comment, interfaceBlock, packetBlock, sectionHeader } from './blocks.ts';
import { type Annotations, annotationsOf, frameKey, isNew, stays } from './comments.ts';
import { eventBytes, LINKTYPE_EVENT } from './event.ts';
import { LINKTYPE_RAW, rebuild, type Words } from './segment.ts';
import { Spool } from './spool.ts';

export interface AnnotateOptions {
  hosts?: HostNames;
  onProgress?: (progress: ReadProgress) => void;
  /** Files that are one capture, as the result had them before it was redacted. */
  rotations?: readonly (readonly string[])[];
  /** Only packets of these connections, with the addresses that they have in the files. */
  only?: Result['connections'] | undefined;
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
  const short = fileNames(result);
  const annotations = busy(() => annotationsOf(short));
  const names = new Map(result.inputs.map((i, n) => [i.files?.[0]?.name ?? i.name, short.inputs[n]!.name]));
  const spool = new Spool(beside(path));
  return orNothing(
    () => spool.close(),
    async () => {
      const collector = new Collector(spool, annotations, names, options);
      const onProgress = options.onProgress ?? (() => undefined);
      const { hosts = new Map(), rotations = [] } = options;
      const sources = await readInputs(
        inputs,
        hosts,
        collector,
        new Diagnostics(),
        onProgress,
        null,
        disk,
        rotations,
      );
      collector.finish();
      const { version } = result.tool;
      const story = short.story.map((s) => visible(`tcpautopsy: ${s}`));
      const comments = collector.beside.comments(sources, story);
      const first = [sectionHeader(`tcpautopsy ${version}`, comments), ...collector.interfaces];
      await writeWhole(path, async (temporary) => busy(() => spool.writeTo(temporary, first)));
      spool.close();
      return collector.counts;
    },
  );
}

/** Takes the frames of the second reading; events are in the result already. */
class Collector implements Sink {
  readonly interfaces: Buffer[] = [];
  readonly beside = new Beside();
  readonly counts: Annotated = { packets: 0, events: 0, comments: 0 };
  readonly #spool: Spool;
  readonly #annotations: Annotations;
  readonly #redact: AnnotateOptions['redact'];
  /** Null: all packets. */
  readonly #only: Tuples | null;
  readonly #names: ReadonlyMap<string, string>;
  /** Events that the files have already, by time and text. */
  readonly #eventsBefore = new Set<string>();
  /** Time of the packet before. */
  #last = 0n;
  readonly #numbers = new Map<string, number>();
  readonly #decoders = new Map<number, Decoder>();
  readonly #packet = new Packet();

  /** @param names of sources as they are to be shown, by the first of their files in the result */
  constructor(
    spool: Spool,
    annotations: Annotations,
    names: ReadonlyMap<string, string>,
    options: AnnotateOptions,
  ) {
    this.#only = options.only ? new Tuples(options.only) : null;
    this.#names = names;
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
    const options = packetOptionsOf(frame).map((o) => inSight(o));
    if (frame.linkType === LINKTYPE_EVENT && this.#annotations.events.length > 0)
      for (const o of options) this.#eventsBefore.add(`${this.#time(source, frame)} ${textOf(o)}`);
    const itf = this.#interface(source, frame.linkType, frame.interfaceId);
    this.#write(source, itf, frame, frame.number, bytes, options);
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

  block(source: Source, type: number, bytes: Uint8Array, isBigEndian: boolean): void {
    if (this.#redact) return;
    const other = this.beside.take(source, type, bytes, isBigEndian);
    if (other) this.#spool.add(this.#last, other);
  }

  finish(): void {
    const options = named('events', 'What the kernels said');
    for (const { time, text, ends } of this.#annotations.events) {
      if (this.#eventsBefore.has(`${time} ${text}`)) continue;
      const itf = this.#number('', LINKTYPE_EVENT, () => ({ snapLength: 0, options }));
      const bytes = eventBytes(text, ends);
      this.#spool.add(time, packetBlock(itf, time, bytes.length, bytes, [comment(text)]));
      this.counts.events++;
    }
  }

  #write(
    source: Source,
    itf: number,
    { time, length }: { time: number; length: number },
    frame: number,
    bytes: Uint8Array,
    before: readonly PcapngOption[],
  ): void {
    const absolute = this.#time(source, { time });
    const comments = this.#comments(source, frame, before);
    this.#spool.add(absolute, packetBlock(itf, absolute, length, bytes, comments));
    this.#last = absolute;
    this.counts.packets++;
  }

  /** Nanoseconds of the Unix epoch. */
  #time({ clock }: Source, { time }: { time: number }): bigint {
    return clock.base + BigInt(Math.round(time));
  }

  /** With what else the file says of the packet. */
  #comments(source: Source, frame: number, before: readonly PcapngOption[]): readonly PcapngOption[] {
    const now = this.#annotations.frames.get(frameKey(this.#name(source), packetPlace(source, frame))) ?? [];
    if (now.length === 0) return before;
    const old = before.filter(isComment).map(textOf);
    const added = now.filter((text) => isNew(text, old));
    this.counts.comments += added.length;
    return [...before.filter((o) => !isComment(o) || stays(textOf(o), added)), ...added.map(comment)];
  }

  #name({ name, files }: Source): string {
    const first = files?.[0]?.name ?? name;
    const known = this.#redact ? this.#redact.text(first) : first;
    return this.#names.get(known) ?? known;
  }

  #interface(source: Source, linkType: number, number: number): number {
    const described = () => this.beside.described(source, number, visible(this.#name(source)));
    return this.#number(`${source.id} ${linkType} ${number}`, linkType, described);
  }

  #number(key: string, linkType: number, described: () => Described): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const { snapLength, options } = described();
    const number = this.interfaces.push(interfaceBlock(linkType, snapLength, options)) - 1;
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
