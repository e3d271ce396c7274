/** Compressed input: how each kind is told apart and unpacked. Adding one: its file and a line in the list. */
import { gunzip } from './gzip.ts';
import { unxz } from './xz.ts';
import { unzstd } from './zstd.ts';

/** Says where reading broke off; `at` counts bytes of the input as it lies on disk. */
export type Damage = (code: string, at: number, message: string) => void;

/** Compressed bytes, as they lie on disk or come through the pipe. */
export interface Packed {
  /** Bytes handed out so far. */
  readonly consumed: number;
  /** null for a pipe. */
  readonly size: number | null;
  /** Consecutive blocks, each valid until the next one is asked for. */
  chunks(damage: Damage): AsyncGenerator<Uint8Array, void>;
  /** The same from the beginning; null for a pipe. */
  again(): Promise<Packed | null>;
}

/** Gives what the bytes unpack to, as far as they are sound, in chunks of bounded size; reports damage, never throws. */
type Unpack = (packed: Packed, damage: Damage) => AsyncGenerator<Uint8Array, void>;

interface Compression {
  name: string;
  /** First bytes; -1 matches any. */
  magic: readonly number[];
  /** Unpacks, or the command that does when it is not supported. */
  unpack: Unpack | string;
  /** Keeps its thread busy, in WebAssembly: zlib has threads of Node's. */
  isBusy?: true;
}

const COMPRESSIONS: readonly Compression[] = [
  { name: 'gzip', magic: [0x1f, 0x8b, 0x08], unpack: gunzip },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: unzstd, isBusy: true },
  // A skippable frame, with which pzstd begins.
  { name: 'zstd', magic: [0x50, 0x2a, 0x4d, 0x18], unpack: unzstd, isBusy: true },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], unpack: unxz, isBusy: true },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68, -1, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59], unpack: 'bzip2 -d' },
  { name: 'lz4', magic: [0x04, 0x22, 0x4d, 0x18], unpack: 'lz4 -d' },
  { name: 'zip', magic: [0x50, 0x4b, 0x03, 0x04], unpack: 'unzip' },
];

/** More bytes than any magic has. */
export const MAGIC_BYTES = 16;

/** The compression that a file with this beginning has; undefined when it has none that is known. */
export function compressionOf(first: Uint8Array): Compression | undefined {
  return COMPRESSIONS.find(({ magic }) => magic.every((byte, i) => byte < 0 || byte === first[i]));
}

/** Captures and logs shrink to a twentieth, at most to a hundredth when they say the same again and again. */
const MAX_RATIO = 250;
/** Nothing is suspected while no more than this has come out: it is read in a second. */
const UNSUSPECTED = 1 << 28;

/** Hands on what unpacks, until it is too much to be meant: memory is bounded in any case, time would not be. */
export async function* withoutBombs(
  chunks: AsyncGenerator<Uint8Array, void>,
  packed: Packed,
  damage: Damage,
): AsyncGenerator<Uint8Array, void> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > UNSUSPECTED && size > packed.consumed * MAX_RATIO) {
      const message =
        `unpacks to more than ${MAX_RATIO} times its size, as a decompression bomb does; the first ${size >> 20} MB are read. ` +
        'If it is meant to be so, unpack it first';
      damage('compression-bomb', packed.consumed, message);
      return;
    }
    yield chunk;
  }
}
