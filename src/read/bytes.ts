/**
 * Where bytes come from: a file or standard input, unwrapped when it is compressed, in large consecutive blocks.
 * Memory is a few blocks whatever the input claims or unpacks to.
 */
import type { Diagnostics } from '../model/diagnostic.ts';
import { disk } from '../platform/files.ts';
import type { Files, OpenFile } from '../platform/types.ts';
import {
  compressionOf,
  type Damage,
  MAGIC_BYTES,
  type Packed,
  withoutBombs,
} from './compressed/compression.ts';

export const BLOCK_BYTES = 1 << 20;

/** Buffers of files that are closed, for the next ones: a folder may hold hundreds. */
const spare: Uint8Array[] = [];

/** What `head` holds at least, unless the input is shorter. */
export const HEAD_BYTES = 1 << 16;

/** An opened input. */
export interface ByteSource {
  /** First bytes after unpacking, at least HEAD_BYTES of them unless the input is shorter; valid until blocks(). */
  readonly head: Uint8Array;
  /** Bytes taken from the file or pipe so far, before unpacking: for progress. */
  readonly consumed: number;
  /** Size of the file before unpacking; null for a pipe. */
  readonly size: number | null;
  /** All bytes, the head first. A block is valid until the next one is asked for. Can be called once. */
  blocks(): AsyncGenerator<Uint8Array, void>;
  /** Needed only when blocks() is not read to its end. */
  close(): Promise<void>;
}

/**
 * Opens a path, or standard input for `-`. Null when nothing can be read from it; that and every damage met later
 * is in `diagnostics` under `name`: `unreadable`, `read-failed`, `compression-unsupported`, `compression-bomb`, and what
 * the unpackers report.
 */
export async function openBytes(
  path: string,
  name: string,
  diagnostics: Diagnostics,
  blockBytes = BLOCK_BYTES,
  files: Files = disk,
): Promise<ByteSource | null> {
  const damage: Damage = (code, at, message) =>
    diagnostics.add({ code, severity: 'data-loss', source: name, locator: `byte ${at}`, message });
  const fail = (code: string, message: string) => {
    diagnostics.add({ code, severity: 'error', source: name, locator: '', message });
    return null;
  };
  let raw: Raw | null = null;
  try {
    raw = new Raw(await files.open(path), blockBytes);
    await raw.peek();
  } catch (error) {
    await raw?.close();
    return fail('unreadable', `cannot be read: ${systemMessage(error)}`);
  }
  const packed = compressionOf(raw.first);
  if (typeof packed?.unpack === 'string') {
    await raw.close();
    return fail(
      'compression-unsupported',
      `is compressed with ${packed.name}, which is not read; unpack it first (${packed.unpack})`,
    );
  }
  const chunks = packed ? withoutBombs(packed.unpack(raw, damage), raw, damage) : raw.chunks(damage);
  const source = new Opened(raw, chunks);
  await source.gatherHead();
  const inner = packed && compressionOf(source.head);
  if (inner) {
    await source.close();
    return fail(
      'compression-nested',
      `is compressed twice, ${inner.name} in ${packed.name}; unpack it once first`,
    );
  }
  return source;
}

/** `no such file or directory` out of Node's `ENOENT: no such file or directory, open '…'`. */
function systemMessage(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /^[A-Z0-9]+: ([^,]+)/.exec(text)?.[1] ?? text;
}

class Opened implements ByteSource {
  head: Uint8Array = new Uint8Array(0);
  readonly #raw: Raw;
  readonly #chunks: AsyncGenerator<Uint8Array, void>;

  constructor(raw: Raw, chunks: AsyncGenerator<Uint8Array, void>) {
    this.#raw = raw;
    this.#chunks = chunks;
  }

  get consumed(): number {
    return this.#raw.consumed;
  }

  get size(): number | null {
    return this.#raw.size;
  }

  async gatherHead(): Promise<void> {
    while (this.head.length < HEAD_BYTES) {
      const { done, value } = await this.#chunks.next();
      if (done) return;
      this.head = this.head.length === 0 && value.length >= HEAD_BYTES ? value : concat(this.head, value);
    }
  }

  async *blocks(): AsyncGenerator<Uint8Array, void> {
    try {
      if (this.head.length > 0) yield this.head;
      yield* this.#chunks;
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return();
    await this.#raw.close();
  }
}

function bufferOf(bytes: number): Uint8Array {
  const buffer = spare.pop();
  return buffer?.length === bytes ? buffer : new Uint8Array(bytes);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** The bytes as they lie on disk or come through the pipe. */
class Raw implements Packed {
  first: Uint8Array = new Uint8Array(0);
  consumed = 0;
  readonly size: number | null;
  readonly #file: OpenFile;
  #buffers: Uint8Array[];
  /** In the file; null reads on from where the last reading ended, as pipes and devices need. */
  #position: number | null;
  #turn = 0;

  constructor(file: OpenFile, blockBytes: number) {
    this.#file = file;
    this.size = file.size;
    this.#position = file.size === null ? null : 0;
    this.#buffers = [bufferOf(blockBytes), bufferOf(blockBytes)];
  }

  /** Reads the first block into `first`, so that its magic can be looked at; chunks() yields it again. */
  async peek(): Promise<void> {
    this.first = await this.#next();
    // A pipe may begin with fewer bytes than its writer meant to write at once.
    while (this.first.length < MAGIC_BYTES) {
      const more = await this.#next();
      if (more.length === 0) return;
      this.first = concat(this.first, more);
    }
  }

  /** Consecutive blocks, the next one being read while the current one is worked on. */
  async *chunks(damage: Damage): AsyncGenerator<Uint8Array, void> {
    let block = this.first;
    while (block.length > 0) {
      this.consumed += block.length;
      const next = this.#next().catch((error: unknown) => {
        damage('read-failed', this.consumed, `reading broke off: ${systemMessage(error)}`);
        return new Uint8Array(0);
      });
      try {
        yield block;
      } finally {
        block = await next;
      }
    }
  }

  async again(): Promise<Raw | null> {
    if (this.size === null) return null;
    const again = new Raw(this.#file, this.#buffers[0]!.length);
    await again.peek();
    return again;
  }

  async close(): Promise<void> {
    if (spare.length === 0) spare.push(...this.#buffers);
    this.#buffers = [];
    await this.#file.close();
  }

  async #next(): Promise<Uint8Array> {
    this.#turn ^= 1;
    const buffer = this.#buffers[this.#turn]!;
    const length = await this.#file.read(buffer, this.#position);
    if (this.#position !== null) this.#position += length;
    return buffer.subarray(0, length);
  }
}
