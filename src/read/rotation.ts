/**
 * Files of one capture that was rotated (tcpdump -C, -G, -W; dumpcap -b; editcap -c, -i): they are read as one source, in
 * the order of their packets, whatever they are called and however they are given.
 */
import type { Diagnostic, Diagnostics } from '../model/diagnostic.ts';
import { getOr } from '../model/get-or.ts';
import type { CaptureFile, Source } from '../model/source.ts';
import { NS_PER_S } from '../model/time.ts';
import type { Files } from '../platform/types.ts';
import { type Chain, Chains, farthestFor, gapBefore, lengthWith, SMALL, STEP_BACK } from './chains.ts';
import type { Standing } from './importer.ts';
import { type Look, lookAt } from './look.ts';

/** A file that may be one of several. */
export interface Candidate {
  path: string;
  host: string | null;
}

export interface Plan {
  /** Of the captures. */
  looks: ReadonlyMap<string, Look>;
  /** Of files that may be one capture: which is read in whose place. */
  order: ReadonlyMap<string, string>;
  /** Files that are one capture, where that is known already. */
  known: readonly (readonly string[])[];
}

/** Of the captures that ended last before a file so many are asked whether it goes on with them. */
const ASKED = 8;
/** A gap that is no longer than SMALL of what the files cover is none; or than this, where their names count, or count past one. */
const SMALL_IF_COUNTED = 1 / 10;
const SMALL_IF_SKIPPED = 1;

/** Looks at each file, and finds those that may go on with another. */
export async function planRotations(found: readonly Candidate[], files: Files): Promise<Plan> {
  const groups = new Map<string, Looked[]>();
  const looks = new Map<string, Look>();
  for (const { path, host } of found.length > 1 ? found : []) {
    const look = await lookAt(path, files).catch(() => null);
    if (!look) continue;
    looks.set(path, look);
    getOr(groups, keyOf(look, host), () => []).push({ path, look });
  }
  const order = new Map<string, string>();
  for (const group of groups.values()) {
    const inTime = group.toSorted((a, b) => Number(a.look.first - b.look.first));
    const oneCapture = followers(inTime);
    const theirs = inTime.filter((f) => oneCapture.has(f));
    for (const [i, { path }] of group.filter((f) => oneCapture.has(f)).entries())
      order.set(path, theirs[i]!.path);
  }
  return { looks, order, known: [] };
}

/** For files that are known to be one capture each, as they were found before. */
export function planOf(known: readonly (readonly string[])[], found: readonly Candidate[]): Plan {
  const order = new Map<string, string>();
  for (const paths of known) {
    const places = found.filter(({ path }) => paths.includes(path));
    for (const [i, { path }] of places.entries()) order.set(path, paths[i]!);
  }
  return { looks: new Map(), order, known };
}

interface Looked {
  path: string;
  look: Look;
}

/** Those that may go on with another, or another with them: of the files that begin when one has ended the first few are looked at. */
function followers(inTime: readonly Looked[]): Set<Looked> {
  const found = new Set<Looked>();
  for (const [i, a] of inTime.entries()) {
    const next = Math.max(i + 1, firstSince(inTime, (a.look.last ?? a.look.first) - BigInt(STEP_BACK)));
    for (const b of inTime.slice(next, next + ASKED)) if (mayFollow(a.look, b.look)) found.add(a).add(b);
  }
  return found;
}

/** Place of the first that begins at this time or later. */
function firstSince(inTime: readonly Looked[], time: bigint): number {
  let [from, to] = [0, inTime.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (inTime[middle]!.look.first < time) from = middle + 1;
    else to = middle;
  }
  return from;
}

function mayFollow(a: Look, b: Look): boolean {
  if (a.last === null) return a.first < b.first;
  const gap = Number(b.first - a.last);
  const lengths = Number(a.last - a.first) + Number((b.last ?? b.first) - b.first);
  return gap >= -STEP_BACK && gap <= farthestFor(lengths) && a.first <= b.first;
}

/** A capture file whose turn has come. */
interface Arriving extends Candidate {
  look: Look | null;
  /** All files of its capture, where they are known. */
  rotation: readonly string[] | null;
  /** What its first frames are to a capture; null when nobody can tell. */
  standing(source: Source): Standing | null;
}

/** The captures of one run that may have more files than one. */
export class Rotations {
  readonly #known: Chain[] = [];
  /** The others, by what files of one capture have in common. */
  readonly #chains = new Map<string, Chains>();

  /** Takes note of a capture that begins with the file. */
  begin({ path, host, look, rotation, standing }: Arriving, source: Source): Source {
    if (rotation) source.files = [{ name: source.name, before: 0 }];
    if (!look && !rotation) return source;
    const hosts = new Set(standing(source)?.hosts);
    const chain = { source, first: look?.first ?? 0n, paths: [path], hosts, gaps: 0 };
    if (rotation) this.#known.push(chain);
    else if (look) getOr(this.#chains, keyOf(look, host), () => new Chains()).add(chain);
    return source;
  }

  /** The source that the file goes on with, which it is made a part of. */
  goesOn(file: Arriving, diagnostics: Diagnostics): Source | null {
    const { path, look, rotation } = file;
    if (rotation) {
      const known = this.#known.find(({ paths }) => rotation.includes(paths[0]!));
      return known ? addFile(known, path) : null;
    }
    const found = look && this.#best(file, look);
    if (!found) return null;
    const { chain, standing } = found;
    for (const host of standing.hosts) chain.hosts.add(host);
    const gap = gapIn(chain, path, look, standing);
    if (gap) diagnostics.add(gap);
    chain.gaps += Math.max(0, gapBefore(chain, look));
    this.#chains.get(keyOf(look, file.host))?.goesOn(chain);
    return addFile(chain, path);
  }

  #best({ path, host, standing }: Arriving, look: Look): { chain: Chain; standing: Standing } | null {
    const near = this.#chains.get(keyOf(look, host))?.before(look, ASKED) ?? [];
    let best: { chain: Chain; standing: Standing } | null = null;
    let most = 0;
    for (const chain of near) {
      const asked = standing(chain.source);
      const weight = asked ? weigh(chain, path, look, asked) : 0;
      if (weight > most && asked) [best, most] = [{ chain, standing: asked }, weight];
    }
    return best;
  }
}

function keyOf({ kind }: Look, host: string | null): string {
  return JSON.stringify([kind, host]);
}

const MANY = 1000;

/**
 * How surely a file goes on with a capture: above 0 when it does. Connections that go on are the best proof; without any,
 * there must be a host in common and no gap to speak of. What the capture has already seen, or from another distance, was captured
 * elsewhere.
 */
function weigh(chain: Chain, path: string, look: Look, { goesOn, elsewhere, hosts }: Standing): number {
  if (elsewhere > 0 && elsewhere >= goesOn) return 0;
  if (goesOn > 0) return MANY + goesOn;
  const last = chain.paths.at(-1)!;
  const hasCommon = hosts.size === 0 || [...hosts].some((h) => chain.hosts.has(h));
  if (folderOf(last) !== folderOf(path) || !hasCommon) return 0;
  const gap = gapBefore(chain, look);
  const small = lengthWith(chain, look) * smallShare(nameOf(last), nameOf(path));
  return gap <= Math.max(silenceOf(chain), small, STEP_BACK) ? 1 : 0;
}

/** `x.pcap1` counts on to `x.pcap2`, and past one to `x.pcap3`, as do dates. */
function smallShare(last: string, next: string): number {
  if (last.replace(/\d+/g, '') !== next.replace(/\d+/g, '')) return SMALL;
  const [before, after] = [last, next].map((name) => Number(name.replace(/\D+/g, '')));
  return after === before! + 1 ? SMALL_IF_COUNTED : SMALL_IF_SKIPPED;
}

/** What is to be said of the time between a capture and a file that goes on with it; null for nothing. */
function gapIn(
  chain: Chain,
  path: string,
  look: Look,
  { jumped }: Standing,
): Omit<Diagnostic, 'count'> | null {
  const gap = gapBefore(chain, look);
  if (jumped === 0 && gap <= Math.max(2 * silenceOf(chain), STEP_BACK)) return null;
  const sent = jumped === 1 ? 'one end of a connection has' : `${jumped} ends of connections have`;
  return {
    code: 'rotation-gap',
    severity: jumped > 0 ? 'data-loss' : 'info',
    upstream: true,
    source: path,
    locator: 'frame 1',
    message:
      `begins ${(gap / NS_PER_S).toFixed(3)} s after the last packet of ${nameOf(chain.paths.at(-1)!)}, which is of the same capture: a file between them may be missing` +
      (jumped > 0 ? `; ${sent} sent bytes meanwhile that are in neither` : ''),
  };
}

/** Makes the file one of the capture. */
function addFile({ source, paths }: Chain, path: string): Source {
  const files: CaptureFile[] = source.files ?? [{ name: source.name, before: 0 }];
  files.push({ name: path, before: source.records });
  paths.push(path);
  source.files = files;
  source.name = `${files[0]!.name} … ${nameOf(path)} (${files.length} files)`;
  return source;
}

function silenceOf({ source }: Chain): number {
  return source.span?.silence ?? 0;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
