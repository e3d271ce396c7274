/** What is fuzzed: each target takes an input and throws when something is wrong with what comes of it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { analyze } from '../../src/analyze.ts';
import { Tracker } from '../../src/connect/tracker.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import type { KernelEvent } from '../../src/model/event.ts';
import { type Frame, Packet } from '../../src/model/packet.ts';
import type { Source } from '../../src/model/source.ts';
import { openBytes } from '../../src/read/bytes.ts';
import { captureFormats } from '../../src/read/formats.ts';
import { readInputs } from '../../src/read/read.ts';
import { looksLikeText, TextReader } from '../../src/read/text.ts';
import { Redactor } from '../../src/redact/redactor.ts';
import { redactResult } from '../../src/redact/result.ts';
import { renderExplain } from '../../src/terminal/terminal.ts';
import { annotate } from '../../src/wireshark/annotate.ts';
import { writeReport } from '../../src/write.ts';
import { mutate, type Random } from './mutate.ts';
import type { Seed } from './seeds.ts';

export interface File {
  name: string;
  bytes: Uint8Array;
}

export type Input = readonly File[];

export interface Target {
  id: string;
  make(random: Random): Input;
  run(input: Input): void | Promise<void>;
}

export interface Seeds {
  files: readonly Seed[];
  folders: readonly (readonly Seed[])[];
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

const isPort = (port: number) => Number.isInteger(port) && port >= 0 && port <= 65_535;

/** Looks at all that readers hand on, as the stages after them would, and more closely. */
class Checks {
  readonly diagnostics = new Diagnostics();
  readonly sources: Source[] = [];
  readonly #decoder = new Decoder({ checksums: true });
  readonly #tracker: Tracker;
  readonly #packet = new Packet();
  #limit = 0;

  constructor(zeekTimers: boolean) {
    const { encapsulations } = this.#decoder;
    this.#tracker = new Tracker({ zeekTimers, ignoreBadChecksums: zeekTimers, encapsulations });
  }

  /** @param bytes how many the input has: nothing can come of it in greater number */
  context(bytes: number) {
    this.#limit = bytes;
    return {
      sink: {
        frame: (_: Source, frame: Frame) => this.#frame(frame),
        packet: (_: Source, packet: Packet) => this.#segment(packet),
        event: (_: Source, event: KernelEvent) => this.#event(event),
      },
      diagnostics: this.diagnostics,
      source: (init: Omit<Source, 'id' | 'records'>) => {
        this.sources.push({ ...init, id: this.sources.length, records: 0 });
        return this.sources.at(-1)!;
      },
      progress: () => undefined,
    };
  }

  end(): void {
    for (const source of this.sources) {
      check(source.records <= this.#limit, 'no more records than bytes');
      check(source.clock.base === null || typeof source.clock.base === 'bigint', 'a base is a bigint');
      this.#decoder.report(source, this.diagnostics);
    }
    for (const wire of this.#tracker.connections()) {
      check(wire.packets.every((n) => n >= 0) && wire.bytes.every((n) => n >= 0), 'counts are not negative');
      check(wire.keyPackets.length <= 64, 'key packets are bounded');
      check(/^\^?[A-Za-z^]*\+?$/.test(wire.history), 'a history has letters');
      JSON.stringify(wire);
    }
    for (const d of this.diagnostics.list()) {
      check(d.count > 0 && d.message.length < 2000 && d.code !== '', `a diagnostic is sound: ${d.code}`);
    }
  }

  #frame(frame: Frame): void {
    const { bytes, start, captured, length } = frame;
    check(start >= 0 && captured >= 0 && start + captured <= bytes.length, 'a frame lies within its block');
    check(length >= captured, 'a frame is no shorter on the wire');
    check(Number.isFinite(frame.time) && !Number.isNaN(frame.time), 'a frame has a time');
    if (this.#decoder.decode(frame, this.#packet) === 0) this.#segment(this.#packet);
  }

  #segment(p: Packet): void {
    check(isPort(p.srcPort) && isPort(p.dstPort), 'ports are ports');
    check(p.payload >= 0 && p.flags >= 0 && p.flags <= 0x1ff && p.window >= 0, 'a segment is sound');
    check(
      [p.seq, p.ack, p.src3, p.dst3, p.tsVal].every((n) => n === (n | 0)),
      'words are signed 32 bits',
    );
    this.#tracker.packet(p);
  }

  #event(event: KernelEvent): void {
    check(event.line >= 1, 'an event has a line');
    check(event.time === null || Number.isFinite(event.time), 'the time of an event is a number');
    for (const end of ['local', 'remote', 'from', 'to'] as const) {
      const value = (event as unknown as Record<string, unknown>)[end];
      if (typeof value !== 'object' || value === null) continue;
      const { address, port } = value as { address: string; port: number };
      check(isPort(port), 'ports are ports');
      check(/^[\w.:*%-]*$/.test(address), `an address is harmless: ${JSON.stringify(address)}`);
    }
    JSON.stringify(event);
  }
}

/** Feeds bytes to the reader that takes them, in pieces of the given size. */
export function read(bytes: Uint8Array, piece: number, zeekTimers = false): Checks | null {
  const checks = new Checks(zeekTimers);
  const context = checks.context(bytes.length);
  const head = bytes.subarray(0, 1 << 16);
  const format = captureFormats.find((one) => one.sniff(head));
  if (!format && !looksLikeText(head)) return null;
  const reader = format ? format.open('it', context) : new TextReader('it', context);
  for (let at = 0; at < bytes.length; at += piece) {
    // Blocks are used again: nothing may be kept of one.
    const block = Uint8Array.from(bytes.subarray(at, at + piece));
    reader.push(block);
    block.fill(0xee);
  }
  reader.end();
  checks.end();
  return checks;
}

function readTarget(id: string, seeds: readonly Seed[]): Target {
  const pick = (random: Random) => seeds[Math.floor(random() * seeds.length)]!;
  return {
    id,
    make(random) {
      const { name, bytes, isText } = pick(random);
      return [{ name: basename(name), bytes: mutate(bytes, isText, random, pick(random).bytes) }];
    },
    run([file]) {
      const { bytes } = file!;
      const whole = read(bytes, Math.max(bytes.length, 1));
      // Where blocks end must not matter.
      const cut = read(bytes, 1 + (bytes.length % 777), true);
      const said = (checks: Checks | null) =>
        checks?.sources.map(({ records, format }) => `${format} ${records}`);
      check(String(said(whole)) === String(said(cut)), 'blocks make no difference');
    },
  };
}

/** What no name from a capture or a log may bring to a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

async function withFolder(input: Input, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  try {
    mkdirSync(join(folder, 'in'));
    for (const { name, bytes } of input) writeFileSync(join(folder, 'in', name), bytes);
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One or two files of a folder mutated. */
function mutateFolder(folder: readonly Seed[], files: readonly Seed[], random: Random): Input {
  const other = files[Math.floor(random() * files.length)]!;
  const chosen = [0, 1].map(() => Math.floor(random() * folder.length));
  return folder.map(({ name, bytes, isText }, i) => ({
    name: basename(name),
    bytes: chosen.includes(i) ? mutate(bytes, isText, random, other.bytes) : bytes,
  }));
}

/** Whole samples, one or two of whose files are mutated, through the whole line. */
function analyzeTarget(folders: readonly (readonly Seed[])[], files: readonly Seed[]): Target {
  return {
    id: 'analyze',
    make: (random) => mutateFolder(folders[Math.floor(random() * folders.length)]!, files, random),
    run: (input) =>
      withFolder(input, async (folder) => {
        const timeline = input[0]!.bytes.length % 2 === 0 ? 'all' : 'findings';
        const result = await analyze([join(folder, 'in')], { timeline, command: 'tcpautopsy analyze in' });
        check(
          CONTROL.test(renderExplain(result, { width: 80, color: false })) === false,
          'no control characters',
        );
        const turn = input[0]!.bytes.length % 16;
        if (turn % 4 === 0) await writeReport(result, join(folder, 'out'), { html: turn === 0 });
        if (turn % 4 === 1) await annotate(result, [join(folder, 'in')], join(folder, 'out.pcapng'), {});
        if (turn % 4 === 2) redactResult(result, new Redactor(Buffer.from('secret')));
      }),
  };
}

/** Bundles of captures, one or two of whose files are mutated. */
function bundleTarget(bundles: readonly (readonly Seed[])[], files: readonly Seed[]): Target {
  return {
    id: 'bundles',
    make: (random) => mutateFolder(bundles[Math.floor(random() * bundles.length)]!, files, random),
    run: (input) =>
      withFolder(input, async (folder) => {
        const checks = new Checks(false);
        const { sink, diagnostics } = checks.context(input.reduce((sum, { bytes }) => sum + bytes.length, 0));
        const sources = await readInputs([join(folder, 'in')], new Map(), sink, diagnostics, () => undefined);
        checks.sources.push(...sources);
        checks.end();
      }),
  };
}

/** Compressed files; `more` are some of other kinds than gzip. */
function unpackTarget(files: readonly Seed[], more: readonly Uint8Array[]): Target {
  return {
    id: 'unpack',
    make(random) {
      const other = files[Math.floor(random() * files.length)]!.bytes;
      const packed = random() < 0.4 ? gzipSync(other) : more[Math.floor(random() * more.length)]!;
      return [{ name: 'packed', bytes: mutate(packed, false, random, other) }];
    },
    run: (input) =>
      withFolder(input, async (folder) => {
        const source = await openBytes(join(folder, 'in', 'packed'), 'it', new Diagnostics());
        let size = 0;
        for await (const block of source?.blocks() ?? []) size += block.length;
        check(size <= 1 << 29, 'what is unpacked is bounded');
      }),
  };
}

export function makeTargets({ files, folders }: Seeds, packed: readonly Uint8Array[]): Target[] {
  const texts = files.filter((seed) => seed.isText);
  const captures = files.filter((seed) => !seed.isText);
  return [
    readTarget('captures', captures),
    readTarget('texts', texts),
    analyzeTarget(folders, files),
    bundleTarget(
      folders.filter((folder) => folder.some(({ name }) => basename(name) === 'events.jsonl')),
      files,
    ),
    ...(packed.length > 0 ? [unpackTarget(files, packed)] : []),
  ];
}
