/** What is in an archive (tar, packed or not; zip), one after the other. Nothing is unpacked that is not asked for. */
import { Diagnostics } from '../model/diagnostic.ts';
import type { Files } from '../platform/types.ts';
import { HEAD_BYTES, openBytes } from '../read/bytes.ts';
import { compressionOf } from '../read/compressed/compression.ts';
import { isTar, TarError, type TarMember, tarMembers } from './tar.ts';

/** A file in an archive. */
export interface Entry {
  /** Relative, without `.` and `..`; the second of one name is `NAME (2)`. */
  name: string;
  size: number;
  /** In a tar that is not packed. */
  offset?: number;
  /** Its content. Throws when it is damaged. */
  blocks(): AsyncGenerator<Uint8Array>;
}

/** Takes note of what is not handed out: `at` as in `byte 512`. */
type Refuse = (name: string, reason: string, at?: string) => void;

export type Archive = 'tar' | 'zip';

/** More entries than anybody archives on purpose. */
const MOST_ENTRIES = 200_000;
/** A member unpacks to no more than so many times its size, unless it is small. */
const MOST_RATIO = 250;
const SMALL = 1 << 28;
const ZIP = [0x50, 0x4b];

/** The first bytes as they lie there. */
export async function beginningOf(path: string, files: Files): Promise<Uint8Array> {
  const file = await files.open(path);
  try {
    const first = new Uint8Array(Math.min(file.size ?? HEAD_BYTES, HEAD_BYTES));
    return first.subarray(0, await file.read(first, 0));
  } finally {
    await file.close();
  }
}

/** Null for what is no archive. `first`: beginningOf it. */
export async function archiveKind(path: string, files: Files, first: Uint8Array): Promise<Archive | null> {
  if (ZIP.every((byte, i) => first[i] === byte) && (first[2] === 3 || first[2] === 5)) return 'zip';
  if (compressionOf(first) === undefined) return isTar(first) ? 'tar' : null;
  const bytes = await openBytes(path, path, new Diagnostics(), undefined, files);
  const found = bytes !== null && isTar(bytes.head);
  await bytes?.close();
  return found ? 'tar' : null;
}

/** Files in an archive. What is no file, or must not be read, goes to `refuse`, damage of the archive under the name ''. */
export async function* entriesOf(
  path: string,
  kind: Archive,
  files: Files,
  refuse: Refuse,
): AsyncGenerator<Entry> {
  const names = new Map<string, number>();
  let entries = 0;
  const found = kind === 'zip' ? zipEntries(path, files, refuse) : tarEntries(path, files, refuse);
  for await (const entry of found) {
    if (++entries > MOST_ENTRIES) {
      refuse('', `holds more than ${MOST_ENTRIES.toLocaleString('en-US')} files; the others are not read`);
      return;
    }
    const name = safeName(entry.name);
    if (name === null) {
      refuse(entry.name, 'its name leads out of the archive; not read');
      continue;
    }
    const times = (names.get(name) ?? 0) + 1;
    names.set(name, times);
    if (times === 2) refuse(name, 'is in the archive more than once; each is read, the second as NAME (2)');
    yield { ...entry, name: times === 1 ? name : `${name} (${times})` };
  }
}

/** `./a//b` → `a/b`; null for a name that leaves the folder it is unpacked to. */
function safeName(name: string): string | null {
  const parts = name
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  return name.startsWith('/') || /^[A-Za-z]:/.test(name) || parts.includes('..') || parts.length === 0
    ? null
    : parts.join('/');
}

async function* tarEntries(path: string, files: Files, refuse: Refuse): AsyncGenerator<Entry> {
  const met = new Diagnostics();
  const bytes = await openBytes(path, path, met, undefined, files);
  if (!bytes) return;
  const isPacked = compressionOf(await beginningOf(path, files)) !== undefined;
  let named = false;
  try {
    for await (const member of tarMembers(bytes.blocks())) {
      if (member.type === 'file') yield entryOf(member, isPacked);
      else if (member.type !== 'folder') refuse(member.name, `is a ${member.type}; not followed`);
    }
  } catch (error) {
    if (!(error instanceof TarError)) throw error;
    named = true;
    refuse('', `${error.message}; what comes before is read`, `byte ${error.at}`);
  } finally {
    await bytes.close();
  }
  for (const d of met.list()) if (!named || d.severity === 'error') refuse('', d.message, d.locator);
}

function entryOf({ name, size, offset, blocks }: TarMember, isPacked: boolean): Entry {
  return { name, size, blocks, ...(!isPacked && { offset }) };
}

async function* zipEntries(path: string, files: Files, refuse: Refuse): AsyncGenerator<Entry> {
  const { zipMembers } = await import('../platform/zip.ts');
  const file = await files.open(path);
  try {
    for await (const m of zipMembers(file, file.size ?? 0)) {
      if (m.name.endsWith('/')) continue;
      if (m.isEncrypted) refuse(m.name, 'is encrypted; unpack it with its password first');
      else if (m.isLink) refuse(m.name, 'is a link; not followed');
      else if (m.size > SMALL && m.size > m.packedSize * MOST_RATIO)
        refuse(m.name, `unpacks to more than ${MOST_RATIO} times its size, as a decompression bomb does`);
      else yield { name: m.name, size: m.size, blocks: m.blocks };
    }
  } catch (error) {
    refuse('', `is no zip that can be read: ${(error as Error).message}`);
  } finally {
    await file.close();
  }
}
