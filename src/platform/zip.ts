/** Members of a zip file, one after the other. */
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  type Entry,
  fromRandomAccessReader,
  getFileNameLowLevel,
  RandomAccessReader,
  type ZipFile,
} from 'yauzl';
import type { OpenFile } from './types.ts';

interface ZipMember {
  name: string;
  /** Unpacked. */
  size: number;
  packedSize: number;
  isEncrypted: boolean;
  isLink: boolean;
  /** Rejects when it is damaged, or packed in a way that is not read. */
  blocks(): AsyncGenerator<Uint8Array>;
}

/** Rejects when the directory at the end is damaged. Names of folders end with a slash. */
export async function* zipMembers(file: OpenFile, size: number): AsyncGenerator<ZipMember> {
  const zip = await open(new Reader(file), size);
  const entries = new Entries(zip);
  for (let entry = await entries.next(); entry; entry = await entries.next()) yield memberOf(zip, entry);
}

const S_IFMT = 0o170000;
const S_IFLNK = 0o120000;

function memberOf(zip: ZipFile, entry: Entry): ZipMember {
  return {
    name: getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, false),
    size: entry.uncompressedSize,
    packedSize: entry.compressedSize,
    isEncrypted: (entry.generalPurposeBitFlag & 1) !== 0,
    isLink: ((entry.externalFileAttributes >>> 16) & S_IFMT) === S_IFLNK,
    async *blocks() {
      const stream = await new Promise<Readable>((resolve, reject) =>
        zip.openReadStream(entry, (error, opened) => (error ? reject(error) : resolve(opened))),
      );
      let sum = 0;
      for await (const block of stream as AsyncIterable<Uint8Array>) {
        sum = crc32(block, sum);
        yield block;
      }
      if (sum !== entry.crc32) throw new Error('its checksum (CRC-32) does not fit: it is damaged');
    },
  };
}

function open(reader: RandomAccessReader, size: number): Promise<ZipFile> {
  // names are judged by who reads them: one that leads out of the archive shall not cost the others
  const options = { lazyEntries: true, autoClose: false, strictFileNames: false, decodeStrings: false };
  return new Promise((resolve, reject) =>
    fromRandomAccessReader(reader, size, options, (error, zip) => (error ? reject(error) : resolve(zip))),
  );
}

/** What the library says in events. */
class Entries {
  readonly #zip: ZipFile;

  constructor(zip: ZipFile) {
    this.#zip = zip;
  }

  /** Null at the end. */
  next(): Promise<Entry | null> {
    const zip = this.#zip;
    return new Promise((resolve, reject) => {
      const settle = (work: () => void) => {
        zip.removeAllListeners();
        work();
      };
      zip.on('entry', (entry: Entry) => settle(() => resolve(entry)));
      zip.on('end', () => settle(() => resolve(null)));
      zip.on('error', (error: Error) => settle(() => reject(error)));
      zip.readEntry();
    });
  }
}

class Reader extends RandomAccessReader {
  readonly #file: OpenFile;

  constructor(file: OpenFile) {
    super();
    this.#file = file;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#blocks(start, end), { objectMode: false });
  }

  async *#blocks(start: number, end: number): AsyncGenerator<Uint8Array> {
    for (let at = start; at < end; ) {
      const block = new Uint8Array(Math.min(1 << 16, end - at));
      const read = await this.#file.read(block, at);
      if (read === 0) return;
      at += read;
      yield block.subarray(0, read);
    }
  }
}
