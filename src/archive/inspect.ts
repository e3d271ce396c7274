/** Looks at a file of the archive, and into it: what it holds, what of that is evidence, and what its first and last packets say. */
import { Decoder } from '../decode/decode.ts';
import { TCP } from '../decode/outcomes.ts';
import { formatWords } from '../model/address.ts';
import { Diagnostics } from '../model/diagnostic.ts';
import { Packet } from '../model/packet.ts';
import { disk } from '../platform/files.ts';
import { sha256 } from '../platform/hash.ts';
import { Spool } from '../platform/spool.ts';
import type { Files } from '../platform/types.ts';
import { marksBundle } from '../read/bundle/is-bundle.ts';
import { openBytes } from '../read/bytes.ts';
import { compressionOf } from '../read/compressed/compression.ts';
import { NOT_EVIDENCE } from '../read/evidence.ts';
import { captureFormats } from '../read/formats.ts';
import type { CaptureFormat } from '../read/importer.ts';
import { framesIn, lookAt } from '../read/look.ts';
import { hasKnownLine, looksLikeText } from '../read/text.ts';
import { Edges } from './edges.ts';
import { type Archive, archiveKind, beginningOf, type Entry, entriesOf } from './entries.ts';
import { type Glance, type Member, nameOf, type Problem, placeOf } from './member.ts';

/** Takes what is found, in the order in which it lies in a file. */
export interface Found {
  member(member: Member): void;
  problem(problem: Problem): void;
}

/** Archives within archives are opened so deep. */
const DEEPEST = 3;
/** An archive within another is unpacked to a temporary file, unless it is larger. */
const LARGEST_WITHIN = 2 ** 33;
/** Connections and addresses that are kept of an edge. */
const SAMPLE = 16;

/**
 * Never rejects for what is in the file: that is a problem. `identify` gives the hash of a file that is no archive; it is
 * given the content where that is known by then.
 */
export async function inspect(
  file: string,
  size: number,
  files: Files,
  identify: (file: string, content: Uint8Array | null) => Promise<string>,
  into: Found,
): Promise<void> {
  try {
    const first = await beginningOf(file, files);
    const kind = await archiveKind(file, files, first);
    if (kind) await inspectArchive(into, { file, inside: [] }, kind, file, files);
    else {
      // a small file is read once
      const content = size === first.length ? first : null;
      const looked = await seenIn(file, file, content ? allOf(content) : files, first);
      into.member({ file, inside: [], size, hash: await identify(file, content), ...looked });
    }
  } catch (error) {
    into.problem({ place: file, at: '', reason: unreadable(error) });
  }
}

function allOf(bytes: Uint8Array): Files {
  const edges = new Edges();
  edges.add(bytes);
  return edges.files;
}

function unreadable(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') return 'cannot be read: permission denied';
  return `cannot be read: ${/^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message}`;
}

type Place = Pick<Member, 'file' | 'inside'>;

/** `path` is where the bytes of the archive at `place` lie. */
async function inspectArchive(
  into: Found,
  place: Place,
  kind: Archive,
  path: string,
  files: Files,
): Promise<void> {
  const refuse = (name: string, reason: string, at = '') =>
    into.problem({ place: placeOf(inOf(place, name)), at, reason });
  for await (const entry of entriesOf(path, kind, files, refuse)) {
    if (isPassedOver(entry.name)) continue;
    try {
      await inspectEntry(into, place, entry);
    } catch (error) {
      refuse(entry.name, unreadable(error));
    }
  }
}

function inOf({ file, inside }: Place, name: string): Place {
  return { file, inside: name === '' ? inside : [...inside, name] };
}

/** Hidden files, and what explains evidence instead of being some. */
export function isPassedOver(name: string): boolean {
  return name.split('/').some((part) => part.startsWith('.')) || NOT_EVIDENCE.test(nameOf(name));
}

async function inspectEntry(into: Found, archive: Place, entry: Entry): Promise<void> {
  const place = inOf(archive, entry.name);
  const edges = new Edges();
  const hash = sha256();
  const blocks = entry.blocks();
  const spool = await spoolIfArchive(blocks, edges, hash, entry.size);
  if (spool) {
    try {
      if (place.inside.length >= DEEPEST)
        into.problem({
          place: placeOf(place),
          at: '',
          reason: `is an archive in ${DEEPEST} others; unpack it first`,
        });
      else await inspectArchive(into, place, spool.kind, spool.path, disk);
    } finally {
      spool.close();
    }
    return;
  }
  const looked = await seenIn('', entry.name, edges.files, edges.head);
  // of a tar that was unpacked for this it says nothing
  const offset = entry.offset === undefined || archive.inside.length > 0 ? {} : { offset: entry.offset };
  into.member({ ...place, size: edges.size, hash: hash.hex(), ...looked, ...offset });
}

/** Reads the entry to its end. An archive is kept in a temporary file; null for anything else. */
async function spoolIfArchive(
  blocks: AsyncGenerator<Uint8Array>,
  edges: Edges,
  hash: ReturnType<typeof sha256>,
  size: number,
): Promise<{ kind: Archive; path: string; close(): void } | null> {
  const first: Uint8Array[] = [];
  const take = (block: Uint8Array) => {
    edges.add(block);
    hash.add(block);
  };
  while (edges.size < Edges.HEAD) {
    const { done, value } = await blocks.next();
    if (done) break;
    first.push(value.slice());
    take(value);
  }
  const kind = await archiveKind('', edges.files, edges.head);
  if (kind === null || size > LARGEST_WITHIN) {
    for await (const block of blocks) take(block);
    return null;
  }
  const spool = new Spool();
  const path = await spool.keep(
    (async function* () {
      yield* first;
      yield* blocks;
    })(),
  );
  return { kind, path, close: () => spool.close() };
}

/** What the content is; `first` is its beginning. A capture that is packed is unpacked to its end, for the time of its last packet. */
async function seenIn(
  path: string,
  name: string,
  files: Files,
  first: Uint8Array,
): Promise<Pick<Member, 'kind' | 'bundle' | 'look'>> {
  if (compressionOf(first) === undefined) {
    const { format, ...seen } = seenAt(name, first);
    const look = format && (await glance(path, files, format));
    return { ...seen, ...(look && { look }) };
  }
  const bytes = await openBytes(path, path, new Diagnostics(), undefined, files);
  if (!bytes) return { kind: 'other' };
  const { format, ...seen } = seenAt(name, bytes.head);
  const look = format && (await glanceAtPacked(bytes.blocks(), format));
  await bytes.close();
  return { ...seen, ...(look && { look }) };
}

function seenAt(
  name: string,
  head: Uint8Array,
): Pick<Member, 'kind' | 'bundle'> & { format?: CaptureFormat } {
  const format = captureFormats.find((f) => f.sniff(head));
  if (format) return { kind: 'capture', format };
  const isMark = marksBundle(nameOf(name), new TextDecoder().decode(head.subarray(0, 4096)));
  const isText = head.length > 0 && looksLikeText(head) && hasKnownLine(head);
  return { kind: isText ? 'text' : 'other', ...(isMark && { bundle: true }) };
}

async function glanceAtPacked(
  blocks: AsyncGenerator<Uint8Array>,
  format: CaptureFormat,
): Promise<Glance | null> {
  const edges = new Edges();
  for await (const block of blocks) edges.add(block);
  return glance('', edges.files, format);
}

/** Null for a capture without times. */
async function glance(path: string, files: Files, format: CaptureFormat): Promise<Glance | null> {
  const look = await lookAt(path, files);
  if (!look) return null;
  const { head, tail } = await edgesOf(path, files);
  const header = format.header(head);
  const at = tail && format.lastRecords(head, tail);
  const begins = sampleOf(format, [head]);
  const ends =
    tail && header && at !== null
      ? sampleOf(format, [head.subarray(0, header.length), tail.subarray(at)])
      : begins;
  return {
    kind: look.kind,
    first: String(look.first),
    last: String(look.last ?? look.first),
    head: begins.connections,
    tail: ends.connections,
    addresses: begins.addresses,
  };
}

/** `tail` is null where the head is all. */
async function edgesOf(path: string, files: Files): Promise<{ head: Uint8Array; tail: Uint8Array | null }> {
  const file = await files.open(path);
  try {
    const head = new Uint8Array(Math.min(Edges.HEAD, file.size ?? Edges.HEAD));
    const read = await file.read(head, 0);
    const size = file.size ?? read;
    if (size <= read) return { head: head.subarray(0, read), tail: null };
    const tail = new Uint8Array(Math.min(Edges.TAIL, size - read));
    await file.read(tail, size - tail.length);
    return { head, tail };
  } finally {
    await file.close();
  }
}

/** Those whose digests come first, so that two captures of the same traffic keep the same ones. */
function sampleOf(
  format: CaptureFormat,
  parts: readonly Uint8Array[],
): { connections: string[]; addresses: string[] } {
  const connections = new Set<string>();
  const addresses = new Set<string>();
  const decoder = new Decoder();
  const p = new Packet();
  framesIn(format, parts, (frame) => {
    if (decoder.decode(frame, p) !== TCP) return;
    const source = formatWords(p.src0, p.src1, p.src2, p.src3);
    const target = formatWords(p.dst0, p.dst1, p.dst2, p.dst3);
    const ends = [`${source} ${p.srcPort}`, `${target} ${p.dstPort}`].sort();
    connections.add(ends.join(' '));
    addresses.add(source).add(target);
  });
  return { connections: digests(connections), addresses: digests(addresses) };
}

function digests(texts: ReadonlySet<string>): string[] {
  return Array.from(texts, (text) => {
    const hash = sha256();
    hash.add(text);
    return hash.hex().slice(0, 10);
  })
    .sort()
    .slice(0, SAMPLE);
}
