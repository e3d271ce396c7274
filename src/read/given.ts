/** Inputs that are given as bytes, beside those of the machine: a page has no others. */
import { disk } from '../platform/files.ts';
import type { Entry, Files, OpenFile } from '../platform/types.ts';

/** A file by name and content; a File of a page is one of its own. A name with slashes lies in folders: a bundle is given so. */
export interface GivenBytes {
  name: string;
  bytes: Uint8Array | Blob;
}

/** A path of a file or folder, `-` for standard input, or bytes. */
export type Input = string | GivenBytes;

/** What to read, by path, and where it is found: bytes here, paths in `beside`. */
export function givenInputs(
  inputs: readonly Input[],
  beside: Files = disk,
): { paths: string[]; files: Files } {
  const given = new Map<string, GivenBytes['bytes']>();
  const paths = new Set<string>();
  for (const input of inputs) {
    if (typeof input === 'string') {
      paths.add(input);
      continue;
    }
    if (given.has(input.name)) throw new RangeError(`two inputs are called ${input.name}`);
    given.set(input.name, input.bytes);
    paths.add(input.name.replace(/(?<=[^/])\/.*/s, ''));
  }
  return { paths: [...paths], files: given.size === 0 ? beside : new GivenFiles(given) };
}

/** Files of memory, and behind them those of the machine. */
class GivenFiles implements Files {
  readonly #given: ReadonlyMap<string, GivenBytes['bytes']>;

  constructor(given: ReadonlyMap<string, GivenBytes['bytes']>) {
    this.#given = given;
  }

  async open(path: string): Promise<OpenFile> {
    const bytes = this.#given.get(path);
    if (!bytes) return disk.open(path);
    let next = 0;
    return {
      size: sizeOf(bytes),
      read: async (into, position) => {
        const from = position ?? next;
        const part = await slice(bytes, from, from + into.length);
        into.set(part);
        next = from + part.length;
        return part.length;
      },
      close: async () => undefined,
    };
  }

  async stat(path: string): ReturnType<Files['stat']> {
    const bytes = this.#given.get(path);
    if (bytes) return { size: sizeOf(bytes), isFile: true, isFolder: false };
    if (this.#below(path).length > 0) return { size: 0, isFile: false, isFolder: true };
    return disk.stat(path);
  }

  async list(folder: string): Promise<Entry[]> {
    const below = this.#below(folder);
    if (below.length === 0) return disk.list(folder);
    const names = new Set(below.map((rest) => rest.replace(/\/.*/s, '')));
    return [...names].map((name) => ({
      name,
      isFile: below.includes(name),
      isFolder: !below.includes(name),
    }));
  }

  /** Paths of what lies in a folder, from there. */
  #below(folder: string): string[] {
    const start = `${folder}/`;
    return [...this.#given.keys()].filter((n) => n.startsWith(start)).map((n) => n.slice(start.length));
  }
}

function sizeOf(bytes: GivenBytes['bytes']): number {
  return bytes instanceof Uint8Array ? bytes.length : bytes.size;
}

async function slice(bytes: GivenBytes['bytes'], from: number, to: number): Promise<Uint8Array> {
  if (bytes instanceof Uint8Array) return bytes.subarray(from, to);
  return new Uint8Array(await bytes.slice(from, to).arrayBuffer());
}
