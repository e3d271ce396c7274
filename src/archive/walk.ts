/** The files that a batch is asked for. */
import { join } from '../platform/files.ts';
import type { Entry, Files } from '../platform/types.ts';
import { isPassedOver } from './inspect.ts';
import type { Problem } from './member.ts';
import { isRemote } from './places.ts';

export interface Walk {
  recursive: boolean;
  /** Globs of paths to leave out: `*`, `**`, `?`; they fit the end of a path. */
  exclude: readonly string[];
}

/** Paths of files below the inputs, each once, in the order of their names. */
export async function filesBelow(
  inputs: readonly string[],
  files: Files,
  { recursive, exclude }: Walk,
  problems: Problem[],
): Promise<string[]> {
  const found = new Set<string>();
  const patterns = exclude.map(globOf);
  const isExcluded = (path: string) => patterns.some((pattern) => pattern.test(path));
  const folder = async (path: string, isGiven: boolean) => {
    const entries = await files.list(path).catch((error: Error & { code?: string }) => {
      problems.push({ place: path, at: '', reason: `cannot be listed: ${reasonOf(error)}` });
      return [];
    });
    for (const entry of entries) await entryIn(path, entry, isGiven);
  };
  const entryIn = async (above: string, { name, isFile, isFolder }: Entry, isGiven: boolean) => {
    const path = `${above.replace(/\/$/, '')}/${name}`;
    if (isPassedOver(name) || isExcluded(path)) return;
    if (name.includes('\ufffd')) {
      problems.push({ place: path, at: '', reason: 'its name is not UTF-8; rename it to have it read' });
    } else if (isFile) found.add(path);
    else if (isFolder && (recursive || isGiven)) await folder(path, false);
  };
  for (const given of inputs) {
    const input = isRemote(given) ? given : join(given);
    const entry = await files.stat(input).catch((error: Error & { code?: string }) => {
      problems.push({ place: given, at: '', reason: reasonOf(error) });
      return null;
    });
    if (entry?.isFile) found.add(input);
    else if (entry?.isFolder) await folder(input, recursive);
  }
  return [...found].sort();
}

function reasonOf({ code, message }: Error & { code?: string }): string {
  if (code === 'ENOENT') return 'no such file or folder';
  return /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
}

function globOf(glob: string): RegExp {
  const text = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**', '\0')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]')
    .replaceAll('\0', '.*');
  return new RegExp(`^(?:.*/)?${text}$`);
}
