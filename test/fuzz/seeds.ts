/** Real files to start from. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Seed {
  /** Path, of the file in its folder. */
  name: string;
  bytes: Uint8Array;
  isText: boolean;
}

/** Longer files are cut: what is beyond is read by the same code. */
const MAX_SIZE = 1 << 14;

const CAPTURE = /\.pcap(ng)?$/;
const TEXT = /\.(txt|log|jsonl?|out)$/;

function filesBelow(folder: string, limit: number): Seed[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const seeds: Seed[] = [];
  for (const name of names) {
    if (!CAPTURE.test(name) && !TEXT.test(name)) continue;
    const path = join(folder, name);
    seeds.push({ name: path, bytes: readFileSync(path).subarray(0, limit), isText: TEXT.test(name) });
  }
  return seeds;
}

/** One seed of each content. */
function distinct(seeds: readonly Seed[]): Seed[] {
  const known = new Map<string, Seed>();
  for (const seed of seeds) {
    const key = Buffer.from(seed.bytes).toString('base64');
    if (seed.bytes.length > 0 && !known.has(key)) known.set(key, seed);
  }
  return [...known.values()];
}

/** Files of the samples, of a package's tests, and of the corpus where there is one. */
export function fileSeeds(): Seed[] {
  const folders = ['samples', 'node_modules/pcap-parser/test', 'test/decode/captures'];
  if (process.env.CORPUS) folders.push(process.env.CORPUS);
  return distinct(folders.flatMap((folder) => filesBelow(folder, MAX_SIZE)));
}

/** Folders of samples whose files tell of the same connections, small ones. */
export function folderSeeds(): Seed[][] {
  const folders = new Map<string, Seed[]>();
  for (const seed of filesBelow('samples', 1 << 17)) {
    const folder = dirname(seed.name);
    folders.set(folder, [...(folders.get(folder) ?? []), seed]);
  }
  const size = (files: readonly Seed[]) => files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return [...folders.values()].filter((files) => size(files) < 1 << 18);
}
