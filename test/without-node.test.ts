// The same engine without Node: bundled for pages, run where nothing but a page's globals exists, on inputs given as bytes.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { beforeAll, expect, it } from 'vitest';
import { analyze, type GivenBytes } from '../src/index.ts';

const ROOT = resolve(import.meta.dirname, '..');
const BUNDLE = join(ROOT, 'samples/bundle/accept-queue-syn/6.18');
const PASTED = join(ROOT, 'samples/documents/exp1');

/** The files of a folder, by names below `as`. */
const bytesOf = (folder: string, as: string): GivenBytes[] =>
  readdirSync(folder).map((name) => ({ name: `${as}/${name}`, bytes: readFileSync(join(folder, name)) }));

let library: { analyze: typeof analyze };
beforeAll(async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(ROOT, 'dist/browser.js')],
    bundle: true,
    format: 'iife',
    globalName: 'library',
    platform: 'browser',
    metafile: true,
    write: false,
    define: { 'import.meta.url': '"http://localhost/"' },
  });
  expect(Object.values(metafile.inputs).flatMap((i) => i.imports)).toEqual([]);
  const { TextDecoder, TextEncoder, URL, Blob, ReadableStream, DecompressionStream, atob } = globalThis;
  // typed arrays of the one world are no instances of the other's
  const page = { TextDecoder, TextEncoder, URL, Blob, ReadableStream, DecompressionStream, atob, Uint8Array };
  const context = createContext(page);
  runInContext(`${outputFiles[0]!.text};globalThis.library = library`, context);
  ({ library } = context as unknown as { library: { analyze: typeof analyze } });
});

it.each([
  ['a bundle of our capture', BUNDLE],
  ['transcripts', PASTED],
])('%s gives the same result', async (_what, folder) => {
  const [here, there] = await Promise.all(
    [analyze, library.analyze].map((run) => run(bytesOf(folder, 'evidence'))),
  );
  expect(JSON.parse(JSON.stringify(there))).toEqual(JSON.parse(JSON.stringify(here)));
  expect(here!.findings.length).toBeGreaterThan(0);
});

it('a capture in a Blob, packed or not', async () => {
  const packets = readFileSync(join(BUNDLE, 'packets.pcap'));
  const plain = await library.analyze([{ name: 'packets.pcap', bytes: new Blob([packets]) }]);
  const packed = await library.analyze([{ name: 'packets.pcap', bytes: gzipSync(packets) }]);
  expect(plain.connections.length).toBeGreaterThan(3);
  expect(JSON.stringify(packed)).toBe(JSON.stringify(plain));
});

it('there are no files but those that are given', async () => {
  const { diagnostics } = await library.analyze(['packets.pcap']);
  expect(diagnostics).toMatchObject([{ code: 'unreadable', message: 'no such file or folder' }]);
});
