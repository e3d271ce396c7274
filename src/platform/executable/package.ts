/** What lies beside the command in the package is in this executable. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { getAsset } from 'node:sea';
import type { Kit } from '../package.ts';

/** Set by scripts/package.js. */
declare const TCPAUTOPSY_VERSION: string;

export const VERSION: string = TCPAUTOPSY_VERSION;

/** Files of capture/ and recorder/ in this executable. */
declare const TCPAUTOPSY_KIT: readonly string[];

/** Where the .deb has them. */
const INSTALLED = join(dirname(process.execPath), '../lib/tcpautopsy/');

/** Where it is not installed they are unpacked, until this process ends. Throws where the temporary folder cannot be written. */
export function kit(): Kit {
  if (existsSync(`${INSTALLED}capture`)) return { scripts: INSTALLED, recorder: INSTALLED };
  const folder = mkdtempSync(join(tmpdir(), 'tcpautopsy-kit-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const name of TCPAUTOPSY_KIT) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, new Uint8Array(getAsset(name)));
    chmodSync(path, /\.\w+$/.test(name) ? 0o644 : 0o755);
  }
  return { scripts: `${folder}/`, recorder: `${folder}/` };
}
