/** Opens inputs, tells their format by content alone, and feeds them to an importer. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { Source } from '../model/source.ts';
import { openBytes } from './bytes.ts';
import { captureFormats } from './formats.ts';
import type { ReadContext, Sink } from './importer.ts';
import { looksLikeText, TextReader } from './text.ts';

export interface ReadProgress {
  /** The file being read, and how far. `total` is null for a pipe. */
  name: string;
  bytes: number;
  total: number | null;
}

/** Host names given on the command line, by input path. */
export type HostNames = ReadonlyMap<string, string>;

/**
 * Reads every input to the end of what is readable. A folder stands for the files below it, in the order of their
 * names. Whatever cannot be read is in `diagnostics`.
 */
export async function readInputs(
  inputs: readonly string[],
  hosts: HostNames,
  sink: Sink,
  diagnostics: Diagnostics,
  onProgress: (progress: ReadProgress) => void,
): Promise<Source[]> {
  const sources: Source[] = [];
  for (const input of inputs) {
    const files = await expand(input, diagnostics);
    for (const path of files) {
      const host = hosts.get(path) ?? hosts.get(input) ?? null;
      await readFile(path, host, sources, sink, diagnostics, onProgress);
    }
  }
  return sources;
}

async function readFile(
  path: string,
  host: string | null,
  sources: Source[],
  sink: Sink,
  diagnostics: Diagnostics,
  onProgress: (progress: ReadProgress) => void,
): Promise<void> {
  const name = path === '-' ? 'standard input' : path;
  const bytes = await openBytes(path, name, diagnostics);
  if (!bytes) return;
  const context: ReadContext = {
    sink,
    diagnostics,
    source(init) {
      const source: Source = { ...init, host: host ?? init.host, id: sources.length, records: 0 };
      sources.push(source);
      return source;
    },
    progress: () => undefined,
  };
  const reader = chooseReader(name, bytes.head, context);
  if (!reader) {
    await bytes.close();
    return;
  }
  for await (const block of bytes.blocks()) {
    reader.push(block);
    onProgress({ name, bytes: bytes.consumed, total: bytes.size });
  }
  reader.end();
}

function chooseReader(name: string, head: Uint8Array, context: ReadContext) {
  const unreadable = (code: string, message: string) => {
    context.diagnostics.add({ code, severity: 'error', source: name, locator: 'byte 0', message });
    return null;
  };
  if (head.length === 0) return unreadable('empty-file', 'is empty: nothing to read');
  const format = captureFormats.find((f) => f.sniff(head));
  if (format) return format.open(name, context);
  if (looksLikeText(head)) return new TextReader(name, context);
  const magic = Buffer.from(head.subarray(0, 8)).toString('hex');
  return unreadable('unknown-format', `begins with bytes ${magic}, which no supported format does (see tcpautopsy formats)`);
}

/** Files of an input in a fixed order; folders are walked, hidden entries and symbolic links to folders are not. */
async function expand(input: string, diagnostics: Diagnostics): Promise<string[]> {
  if (input === '-') return ['-'];
  const fail = (message: string): string[] => {
    diagnostics.add({ code: 'unreadable', severity: 'error', source: input, locator: '', message });
    return [];
  };
  let entry: Awaited<ReturnType<typeof stat>>;
  try {
    entry = await stat(input);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return fail(missing ? 'no such file or folder' : `cannot be read: ${(error as Error).message}`);
  }
  if (!entry.isDirectory()) return [input];
  const files = await walk(input, fail);
  return files.length > 0 ? files : fail('is a folder with no files in it');
}

/** What is in an evidence folder besides evidence: said to be passed over, not taken for damage. */
const NOT_EVIDENCE = /^(README(\..*)?|expected\.json)$/i;

async function walk(folder: string, fail: (message: string) => string[]): Promise<string[]> {
  const files: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: Error) => {
    fail(`cannot be read: ${error.message}`);
    return [];
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) files.push(...(await walk(path, fail)));
    else if (entry.isFile() && !NOT_EVIDENCE.test(entry.name)) files.push(path);
  }
  return files;
}
