/** Names of sources without the folder that all of them share: for people. CSV and JSON keep the whole path. */
import type { Result } from '../tables/result.ts';
import type { InputSummary } from '../tables/sources.ts';

interface Shortened {
  result: Result;
  /** The folder, ending in `/`; '' when there is none. */
  folder: string;
}

/** Every text is searched, except the command line. */
export function shortNames(result: Result): Shortened {
  const folder = commonFolder(result.inputs.map((i) => i.name));
  if (folder === '') return { result, folder };
  // not within a longer path
  const pattern = new RegExp(`(?<![\\w./-])${escaped(folder)}`, 'g');
  const shorten = (text: string) => (text.includes(folder) ? text.replace(pattern, '') : text);
  return { result: { ...withTexts(result, shorten), command: result.command }, folder };
}

/** With files named without folders, but for those that tell two files apart: for what leaves the machine. */
export function fileNames(full: Result): Result {
  const { result } = shortNames(full);
  const paths = new Set(result.inputs.map((i) => i.name));
  const short = new Map([...paths].map((path) => [path, shortest(path, paths)]));
  const long = [...paths].filter((path) => path !== short.get(path)).sort((a, b) => b.length - a.length);
  if (long.length === 0) return result;
  const pattern = new RegExp(`(?<![\\w./-])(?:${long.map(escaped).join('|')})(?![\\w/-])`, 'g');
  return withTexts(result, (text) =>
    text.includes('/') ? text.replace(pattern, (path) => short.get(path)!) : text,
  );
}

/** The end of a path that no other of them ends in. */
function shortest(path: string, paths: ReadonlySet<string>): string {
  const parts = path.split('/');
  for (let n = 1; n < parts.length; n++) {
    const end = parts.slice(-n).join('/');
    if (![...paths].some((p) => p !== path && (p === end || p.endsWith(`/${end}`)))) return end;
  }
  return path;
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The value with every text in it changed. What nothing changes in is not copied: most of a big result. */
function withTexts<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T;
  if (value === null || typeof value !== 'object') return value;
  const own = value as Record<string, unknown>;
  let copy: Record<string, unknown> | null = null;
  for (const key in own) {
    const before = own[key];
    if (typeof before === 'number') continue;
    const after = withTexts(before, change);
    if (after === before) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as unknown as Record<string, unknown>;
    copy[key] = after;
  }
  return (copy ?? value) as T;
}

function commonFolder(names: readonly string[]): string {
  // the number of a descriptor (/dev/fd/63) names nothing by itself
  const files = names.filter((n) => n !== 'standard input' && !n.startsWith('/dev/'));
  const [first, ...rest] = files.map((n) => n.split('/').slice(0, -1));
  if (!first) return '';
  let shared = first.length;
  for (const other of rest) {
    let same = 0;
    while (same < shared && first[same] === other[same]) same++;
    shared = same;
  }
  const folder = first.slice(0, shared).join('/');
  return folder === '' ? '' : `${folder}/`;
}

/** A line for each input, and one for each file of those that have several; null: counted with the input. */
export function inputLines({
  inputs,
}: Result): (Omit<InputSummary, 'records'> & { records: number | null })[] {
  return inputs.flatMap((input) => [
    input,
    ...(input.files ?? []).map((file) => ({ ...input, ...file, records: null })),
  ]);
}
