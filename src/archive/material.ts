/** The members of groups as files to analyse, wherever they lie. */
import { disk } from '../platform/files.ts';
import { Spool } from '../platform/spool.ts';
import type { Entry, Files, OpenFile } from '../platform/types.ts';
import type { HostNames } from '../read/read.ts';
import { archiveKind, beginningOf, entriesOf } from './entries.ts';
import { type Member, nameOf, placeOf } from './member.ts';
import type { Group } from './plan.ts';

/** A member is not what it was when it was planned. */
export class ChangedError extends Error {}

/** Separates the names of a member within archives. */
const WITHIN = '\0';

export class Material {
  readonly #origin: Files;
  #spool: Spool | null = null;
  /** Of members of packed archives, by place: where they were unpacked to. */
  readonly #unpacked = new Map<string, string>();

  constructor(origin: Files) {
    this.#origin = origin;
  }

  /** Why archives could not be unpacked. */
  readonly #errors = new Map<string, Error>();

  /** Unpacks what cannot be read in place: each archive is gone through once. What fails is said where a member is opened. */
  async prepare(members: readonly Member[]): Promise<void> {
    const wanted = new Map<string, Set<string>>();
    for (const { file, inside, offset } of members) {
      if (inside.length === 0 || offset !== undefined) continue;
      const names = wanted.get(file) ?? new Set();
      wanted.set(file, names.add(inside.join(WITHIN)));
    }
    for (const [file, names] of wanted) {
      await this.#unpack(file, file, this.#origin, names).catch((error) => this.#errors.set(file, error));
    }
  }

  /** Rejects with ChangedError when a file is not the one that was planned with. */
  async check(members: readonly Member[]): Promise<void> {
    const files = new Map(members.map((m) => [m.file, m.mark]));
    for (const [file, mark] of files) {
      const entry = await this.#origin.stat(file).catch(() => null);
      if (entry?.mark !== mark) throw new ChangedError(`${file} has changed since it was planned; run again`);
    }
  }

  /** Files with the members of a group and nothing else, the paths to read, and hosts of those that name none. */
  async filesOf({
    reason,
    members,
  }: Pick<Group, 'reason' | 'members'>): Promise<{ paths: string[]; files: Files; hosts: HostNames }> {
    const isFolder = reason === 'bundle' || reason === 'retina';
    const paths = rootsOf(members.map(placeOf), isFolder);
    const open = (m: Member) => this.#open(m);
    if (reason !== 'retina') return { paths, files: new MemberFiles(members, open), hosts: new Map() };
    const node = members.map((m) => RETINA_CAPTURE.exec(nameOf(placeOf(m)))?.[1]).find(Boolean);
    const hosts = new Map(node === undefined ? [] : paths.map((path) => [path, node]));
    // beside what is read here it holds routes, rules and addresses, which are no evidence of connections
    const known = members.filter((m) => m.kind !== 'other');
    const settings = await settingsOf(members, open);
    if (settings.length === 0) return { paths, files: new MemberFiles(known, open), hosts };
    const bytes = new TextEncoder().encode(settings);
    const file: Member = { ...members[0]!, file: `${paths[0]}/sysctl.txt`, inside: [], size: bytes.length };
    const files = new MemberFiles([...known, file], async (m) => (m === file ? inMemory(bytes) : open(m)));
    return { paths, files, hosts };
  }

  close(): void {
    this.#spool?.close();
  }

  async #open(member: Member): Promise<OpenFile> {
    const { file, inside, offset, size } = member;
    if (inside.length === 0) return this.#origin.open(file);
    if (offset !== undefined) return part(await this.#origin.open(file), offset, size);
    const path = this.#unpacked.get(placeOf(member));
    const error = this.#errors.get(file);
    if (path === undefined && error) throw error;
    if (path === undefined) throw new ChangedError(`${placeOf(member)} is no longer in the archive`);
    return disk.open(path);
  }

  /** `names`: within this archive. */
  async #unpack(place: string, path: string, files: Files, names: ReadonlySet<string>): Promise<void> {
    this.#spool ??= new Spool();
    const kind = await archiveKind(path, files, await beginningOf(path, files));
    if (kind === null) throw new ChangedError(`${place} is no longer an archive`);
    const within = new Map<string, Set<string>>();
    for (const name of names) {
      const [first, ...rest] = name.split(WITHIN);
      const deeper = within.get(first!) ?? new Set();
      within.set(first!, rest.length > 0 ? deeper.add(rest.join(WITHIN)) : deeper);
    }
    for await (const { name, blocks } of entriesOf(path, kind, files, () => undefined)) {
      const deeper = within.get(name);
      if (!deeper) continue;
      const kept = await this.#spool.keep(blocks());
      if (deeper.size === 0) this.#unpacked.set(`${place}/${name}`, kept);
      else {
        await this.#unpack(`${place}/${name}`, kept, disk, deeper);
        this.#spool.drop(kept);
      }
      within.delete(name);
      if (within.size === 0) return;
    }
  }
}

/**
 * `CAPTURE-NODE-20261103140000UTC.pcap` (Retina, pkg/capture/file/capture_filename.go): the node is named nowhere else. A
 * name of a capture may hold hyphens as a node's does, so that only the one that Retina gives by itself is taken off.
 */
const RETINA_CAPTURE = /^(?:retina-capture-)?(.+)-\d{14}UTC\.pcap(?:\.|$)/;
const SETTING = /(?:^|\/)proc-sys-net\/(.+)$/;
const LONGEST_SETTING = 4096;

/** The copies of /proc/sys/net, a file a value, as `sysctl -a` prints them. */
async function settingsOf(
  members: readonly Member[],
  open: (member: Member) => Promise<OpenFile>,
): Promise<string> {
  let text = '';
  for (const member of members) {
    const name = SETTING.exec(placeOf(member))?.[1];
    if (name === undefined || member.size === 0 || member.size > LONGEST_SETTING) continue;
    const file = await open(member);
    const bytes = new Uint8Array(member.size);
    const value = new TextDecoder().decode(bytes.subarray(0, await file.read(bytes, 0))).trim();
    await file.close();
    if (!value.includes('\n')) text += `net.${name.replaceAll('/', '.')} = ${value}\n`;
  }
  return text;
}

function inMemory(bytes: Uint8Array): OpenFile {
  return {
    size: bytes.length,
    read: async (into, position) => {
      const part = bytes.subarray(position ?? 0, (position ?? 0) + into.length);
      into.set(part);
      return part.length;
    },
    close: async () => undefined,
  };
}

/** The folder of all places, or the folders and files to begin with where there is no such folder. */
function rootsOf(places: readonly string[], isFolder: boolean): string[] {
  if (places.length === 1 && !isFolder) return [...places];
  const parts = places[0]!.split('/').slice(0, -1);
  while (parts.length > 0 && !places.every((p) => p.startsWith(`${parts.join('/')}/`))) parts.pop();
  const root = parts.join('/');
  if (root !== '') return [root];
  return [...new Set(places.map((p) => /^\/?[^/]*/.exec(p)![0]))];
}

function part(file: OpenFile, offset: number, size: number): OpenFile {
  let next = 0;
  return {
    size,
    read: async (into, position) => {
      const from = position ?? next;
      const wanted = into.subarray(0, Math.max(Math.min(into.length, size - from), 0));
      const read = wanted.length === 0 ? 0 : await file.read(wanted, offset + from);
      next = from + read;
      return read;
    },
    close: () => file.close(),
  };
}

const missing = (path: string) =>
  Object.assign(new Error(`ENOENT: no such file or directory, ${path}`), { code: 'ENOENT' });

/** What joins paths of files makes one slash of two. */
function asPlaced(path: string): string {
  return path.replace(/^s3:\/(?!\/)/, 's3://');
}

class MemberFiles implements Files {
  readonly #members: ReadonlyMap<string, Member>;
  readonly #openMember: (member: Member) => Promise<OpenFile>;
  readonly #folders = new Map<string, Map<string, Entry>>();

  constructor(members: readonly Member[], open: (member: Member) => Promise<OpenFile>) {
    this.#members = new Map(members.map((m) => [placeOf(m), m]));
    this.#openMember = open;
    for (const place of this.#members.keys()) this.#addToFolders(place, true);
  }

  async open(named: string): Promise<OpenFile> {
    const path = asPlaced(named);
    const member = this.#members.get(path);
    if (!member) throw missing(path);
    return this.#openMember(member);
  }

  async stat(named: string): ReturnType<Files['stat']> {
    const path = asPlaced(named);
    const member = this.#members.get(path);
    if (member) return { size: member.size, isFile: true, isFolder: false };
    if (!this.#folders.has(path)) throw missing(path);
    return { size: 0, isFile: false, isFolder: true };
  }

  async list(folder: string): Promise<Entry[]> {
    return [...(this.#folders.get(asPlaced(folder))?.values() ?? [])];
  }

  #addToFolders(path: string, isFile: boolean): void {
    const at = path.lastIndexOf('/');
    if (at < 0 || path === '/') return;
    const [folder, name] = [path.slice(0, at), path.slice(at + 1)];
    const known = this.#folders.get(folder);
    const entries = known ?? new Map<string, Entry>();
    this.#folders.set(folder, entries);
    entries.set(name, { name, isFile, isFolder: !isFile });
    if (!known) this.#addToFolders(folder, false);
  }
}
