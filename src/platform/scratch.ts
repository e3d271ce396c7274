/** One temporary file for what memory should not hold. Its descriptor is good in every thread of the process. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Open, and without a name already, so that nothing is left behind however the process ends. */
export function openScratch(): number {
  const folder = mkdtempSync(join(tmpdir(), 'tcpautopsy-'));
  try {
    return openSync(join(folder, 'scratch'), 'wx+', 0o600);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function writeAt(file: number, bytes: Uint8Array, position: number): void {
  for (let n = 0; n < bytes.length; ) n += writeSync(file, bytes, n, bytes.length - n, position + n);
}

/** Fills `into`, which must lie within what was written. */
export function readAt(file: number, into: Uint8Array, position: number): void {
  for (let n = 0; n < into.length; ) n += readSync(file, into, n, into.length - n, position + n);
}

export function closeScratch(file: number): void {
  closeSync(file);
}
