/** Names of sources without the folder that all of them share: for people. CSV and JSON keep the whole path. */
import type { Result } from '../model/result.ts';

export interface Shortened {
  result: Result;
  /** The folder, ending in `/`; '' when there is none. */
  folder: string;
}

/** Every text is searched, except the command line. */
export function shortNames(result: Result): Shortened {
  const folder = commonFolder(result.inputs.map((i) => i.name));
  if (folder === '') return { result, folder };
  // not within a longer path
  const pattern = new RegExp(`(?<![\\w./-])${folder.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`, 'g');
  const shorten = (value: unknown): unknown => {
    if (typeof value === 'string') return value.includes(folder) ? value.replace(pattern, '') : value;
    if (Array.isArray(value)) return value.map(shorten);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, shorten(v)]));
  };
  return { result: { ...(shorten(result) as Result), command: result.command }, folder };
}

function commonFolder(names: readonly string[]): string {
  const files = names.filter((n) => n !== 'standard input');
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
