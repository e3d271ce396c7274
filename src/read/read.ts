/** Opens inputs, tells their format by content alone, and feeds them to an importer. */
import { type Diagnostic, Diagnostics } from '../model/diagnostic.ts';
import type { Frame } from '../model/packet.ts';
import type { Source, SteppedTimes } from '../model/source.ts';
import { disk, join } from '../platform/files.ts';
import type { Files } from '../platform/types.ts';
import { openBeside } from './beside.ts';
import { isBundle, isBundleFile } from './bundle/is-bundle.ts';
import { BLOCK_BYTES, type ByteSource, openBytes } from './bytes.ts';
import { type Expected, evidenceIn, filesOf, inOrder, looseFiles } from './evidence.ts';
import { captureFormats } from './formats.ts';
import type { CaptureFormat, ReadContext, Sink } from './importer.ts';
import { framesIn, lookIn } from './look.ts';
import { type Plan, planOf, planRotations, Rotations } from './rotation.ts';
import { placeSteps, type RecordedPackets, reportUnordered, type SteppedClock } from './stepped.ts';
import { looksLikeText, TextReader } from './text.ts';

/** Bytes of a capture that are compared with one it may go on with. */
const LOOKED_AT = 1 << 18;

export interface ReadProgress {
  /** The file being read, and how far. `total` is null for a pipe. */
  name: string;
  bytes: number;
  total: number | null;
}

/** Host names given on the command line, by input path. */
export type HostNames = ReadonlyMap<string, string>;

/** A capture that was read elsewhere, with what was met on the way. */
export interface ReadElsewhere {
  /** Null: the file ends within its header. */
  source: Source | null;
  /** Bytes of the file. */
  size: number;
  diagnostics: readonly Diagnostic[];
  /** Hands over what became of its packets. */
  deliver(source: Source): void;
}

/** Reads captures before their turn comes. */
export interface Ahead {
  /** Files in the order in which they will be asked for. */
  begin(files: readonly Expected[]): void;
  /** The capture that the file is, once it is read; null: it is to be read here. */
  take(path: string): Promise<ReadElsewhere | null>;
}

/**
 * Reads every input to the end of what is readable, in the order of their names. A folder stands for the files below
 * it, in the order of theirs; a folder that a capture wrote is read as the bundle it is. Files of one capture are one source, read in
 * the order of their packets: `known` lists them where that was found out before. Whatever cannot be read is in `diagnostics`.
 */
export async function readInputs(
  inputs: readonly string[],
  hosts: HostNames,
  sink: Sink,
  diagnostics: Diagnostics,
  onProgress: (progress: ReadProgress) => void,
  ahead: Ahead | null = null,
  files: Files = disk,
  known: readonly (readonly string[])[] | null = null,
): Promise<Source[]> {
  const loose = await looseFiles(inputs, hosts, files);
  const plan = known ? planOf(known, loose) : await planRotations(loose, files);
  const reading = new Reading(hosts, sink, diagnostics, onProgress, ahead, files, plan);
  ahead?.begin((await filesOf(inputs, files)).filter(({ path }) => !plan.order.has(path)));
  for (const input of inOrder(inputs)) await reading.input(input);
  return reading.sources;
}

/** Reads a file to its end if it is a capture; false when it is something else, or cannot be opened. */
export async function readCapture(path: string, context: ReadContext): Promise<boolean> {
  const bytes = await openBytes(path, path, context.diagnostics);
  const format = bytes && captureFormats.find((f) => f.sniff(bytes.head));
  if (!format) {
    await bytes?.close();
    return false;
  }
  const reader = format.open(path, context);
  for await (const block of bytes.blocks()) reader.push(block);
  reader.end();
  return true;
}

/** What is known of packets before they are read. */
type Recorded = Pick<Source, 'window' | 'netns' | 'incomplete' | 'stepped'>;

class Reading {
  readonly sources: Source[] = [];
  readonly #hosts: HostNames;
  readonly #sink: Sink;
  readonly #diagnostics: Diagnostics;
  readonly #onProgress: (progress: ReadProgress) => void;
  readonly #ahead: Ahead | null;
  readonly #files: Files;
  readonly #plan: Plan;
  readonly #rotations = new Rotations();

  constructor(
    hosts: HostNames,
    sink: Sink,
    diagnostics: Diagnostics,
    onProgress: (progress: ReadProgress) => void,
    ahead: Ahead | null,
    files: Files,
    plan: Plan,
  ) {
    this.#hosts = hosts;
    this.#sink = sink;
    this.#diagnostics = diagnostics;
    this.#onProgress = onProgress;
    this.#ahead = ahead;
    this.#files = files;
    this.#plan = plan;
  }

  async input(input: string): Promise<void> {
    const host = this.#hosts.get(input) ?? null;
    if (input === '-') return this.#file(input, host);
    let isFolder: boolean;
    try {
      isFolder = (await this.#files.stat(input)).isFolder;
    } catch (error) {
      const missing = (error as { code?: string }).code === 'ENOENT';
      return this.#fail(
        input,
        missing ? 'no such file or folder' : `cannot be read: ${(error as Error).message}`,
      );
    }
    if (!isFolder) return this.#file(input, host);
    const files = await this.#folder(input, host);
    if (files === 0) this.#fail(input, 'is a folder with no files in it');
  }

  #fail(source: string, message: string): void {
    this.#diagnostics.add({ code: 'unreadable', severity: 'error', source, locator: '', message });
  }

  /** Reads the files below a folder. */
  async #folder(folder: string, given: string | null): Promise<number> {
    const host = this.#hosts.get(folder) ?? given;
    const entries = await evidenceIn(folder, this.#files).catch((error: Error) => {
      this.#fail(folder, `cannot be read: ${error.message}`);
      return [];
    });
    const bundle = await isBundle(folder, this.#files);
    const read = bundle
      ? await (await import('./bundle/bundle.ts')).readBundle(folder, this.#files, this.#context(host))
      : null;
    const bundleHost = read?.host ?? null;
    let files = bundle ? 1 : 0;
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (bundle && isBundleFile(entry.name)) continue;
      if (entry.isFolder) files += await this.#folder(path, host ?? bundleHost);
      else {
        files++;
        const recorded = /^packets\.pcap\b/.test(entry.name) ? read?.packets : undefined;
        await this.#file(path, this.#hosts.get(path) ?? host ?? bundleHost, recorded);
      }
    }
    return files;
  }

  /** Reads the file whose turn it is in the place of `named`. */
  async #file(
    named: string,
    host: string | null,
    { clock, ...packets }: RecordedPackets = {},
  ): Promise<void> {
    const path = this.#plan.order.get(named) ?? named;
    const elsewhere = await this.#ahead?.take(path);
    // who reads ahead does not know yet that the clock was set
    if (elsewhere && !clock) return this.#adopt(elsewhere, host, packets);
    const name = path === '-' ? 'standard input' : path;
    const beside =
      this.#ahead && this.#files === disk ? await openBeside(path, name, this.#diagnostics) : null;
    const bytes = beside ?? (await openBytes(path, name, this.#diagnostics, BLOCK_BYTES, this.#files));
    if (!bytes) return;
    const format = captureFormats.find((f) => f.sniff(bytes.head));
    const stepped = clock && format && (await this.#stepsIn(path, name, format, clock));
    const recorded: Recorded = { ...packets, ...(stepped && { stepped }) };
    const reader = format
      ? format.open(name, this.#captureContext(name, format, bytes, host, recorded))
      : chooseReader(name, bytes.head, this.#context(host, recorded));
    if (!reader) return bytes.close();
    for await (const block of bytes.blocks()) {
      reader.push(block);
      this.#onProgress({ name, bytes: bytes.consumed, total: bytes.size });
    }
    reader.end();
  }

  async #stepsIn(
    path: string,
    name: string,
    format: CaptureFormat,
    clock: SteppedClock,
  ): Promise<SteppedTimes | null> {
    const quiet = new Diagnostics();
    const bytes = await openBytes(path, name, quiet, BLOCK_BYTES, this.#files);
    if (!bytes) return null;
    const stepped = await placeSteps(name, format, bytes.blocks(), clock, this.#sink, quiet);
    reportUnordered(name, stepped, this.#diagnostics);
    return stepped;
  }

  #adopt(read: ReadElsewhere, host: string | null, recorded: Recorded): void {
    for (const met of read.diagnostics) this.#diagnostics.add(met);
    if (read.source === null) return;
    const source = this.#context(host, recorded).source(read.source);
    source.records = read.source.records;
    read.deliver(source);
    this.#onProgress({ name: source.name, bytes: read.size, total: read.size });
  }

  /** Of a capture that goes on with another one the source is that one's. */
  #captureContext(
    path: string,
    format: CaptureFormat,
    { head, size }: ByteSource,
    host: string | null,
    recorded: Recorded,
  ): ReadContext {
    const context = this.#context(host, recorded);
    const frames = (take: (frame: Frame) => void) => framesIn(format, [head.subarray(0, LOOKED_AT)], take);
    const file = {
      path,
      host,
      look: this.#plan.looks.get(path) ?? (size === null ? lookIn(format, head) : null),
      rotation: this.#plan.known.find((paths) => paths.includes(path)) ?? null,
      standing: (source: Source) => this.#sink.standing?.(source, frames) ?? null,
    };
    return {
      ...context,
      source: (init) =>
        this.#rotations.goesOn(file, this.#diagnostics) ?? this.#rotations.begin(file, context.source(init)),
    };
  }

  #context(host: string | null, recorded: Recorded = {}): ReadContext {
    return {
      sink: this.#sink,
      diagnostics: this.#diagnostics,
      source: (init) => {
        const own = { host: host ?? init.host, id: this.sources.length, records: 0 };
        const source: Source = { ...init, ...own, ...recorded };
        this.sources.push(source);
        return source;
      },
      progress: () => undefined,
    };
  }
}

function chooseReader(name: string, head: Uint8Array, context: ReadContext) {
  const unreadable = (code: string, message: string) => {
    context.diagnostics.add({ code, severity: 'error', source: name, locator: 'byte 0', message });
    return null;
  };
  if (head.length === 0) return unreadable('empty-file', 'is empty: nothing to read');
  if (looksLikeText(head)) return new TextReader(name, context);
  const magic = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return unreadable(
    'unknown-format',
    `begins with bytes ${magic}, which no supported format does (see tcpautopsy formats)`,
  );
}
