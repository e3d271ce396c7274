/** Whether a folder is a bundle: apart from its reader, which most analyses do without. */
import { join } from '../../platform/files.ts';
import type { Files } from '../../platform/types.ts';

/** The files that are read here; packets.pcap is read as the capture it is. */
const OWN = new Set([
  'manifest.json',
  'events.bin',
  'events.jsonl',
  'counters.jsonl',
  'sockets.jsonl',
  'reasons.json',
  'sysctl.txt',
  'names.txt',
]);

/** How events.bin begins; what follows says the order of its bytes. */
export const SIGNATURE = 'TCPAUTOPSY\r\n\x1a\n';

export function isBundleFile(name: string): boolean {
  return OWN.has(name) || PACKED.some((end) => LINES.has(name.slice(0, -end.length)) && name.endsWith(end));
}

/** Those of them that may be packed: the large ones. */
const LINES = new Set(['events.bin', 'events.jsonl', 'counters.jsonl', 'sockets.jsonl']);
const PACKED = ['.gz', '.zst', '.xz'];

/** Where the file is: under its own name or, packed since the capture, under a longer one. */
export async function locate(folder: string, name: string, files: Files): Promise<string> {
  const path = join(folder, name);
  if ((await sizeOf(path, files)) !== null) return path;
  for (const end of PACKED) if ((await sizeOf(path + end, files)) !== null) return path + end;
  return path;
}

/** In bytes; null when it is not there. */
export function sizeOf(path: string, files: Files): Promise<number | null> {
  return files.stat(path).then(
    (file) => file.size,
    () => null,
  );
}

/** True when the folder holds a bundle's manifest, or at least its events. */
export async function isBundle(folder: string, files: Files): Promise<boolean> {
  const [manifest, events] = [
    await head(join(folder, 'manifest.json'), 4096, files),
    await head(join(folder, 'events.jsonl'), 4096, files),
  ];
  if (isManifest(manifest ?? '') || isEvents(events ?? '')) return true;
  const recorded = await head(await locate(folder, 'events.bin', files), 14, files);
  return recorded === SIGNATURE;
}

/** True when a file of this name that begins so makes its folder a bundle. */
export function marksBundle(name: string, beginning: string): boolean {
  if (name === 'manifest.json') return isManifest(beginning);
  if (name === 'events.jsonl') return isEvents(beginning);
  return /^events\.bin(\.|$)/.test(name) && beginning.startsWith(SIGNATURE);
}

/** True when the text is a bundle's manifest, whole or not. */
function isManifest(text: string): boolean {
  return /"schema"\s*:\s*"tcpautopsy-capture\//.test(text.slice(0, 4096));
}

/** True when the text begins as the events of a bundle do, whole or not: its manifest may be lost. */
function isEvents(text: string): boolean {
  return /^\{"type": "attached_probes",|^\{"type": "printf", "data": "begin t=\d/m.test(text.slice(0, 4096));
}

/** The first `limit` bytes of a file as text; null when it cannot be opened. */
export async function head(path: string, limit: number, files: Files): Promise<string | null> {
  const file = await files.open(path).catch(() => null);
  if (!file) return null;
  try {
    const bytes = new Uint8Array(limit);
    return new TextDecoder().decode(bytes.subarray(0, await file.read(bytes, 0)));
  } finally {
    await file.close();
  }
}
