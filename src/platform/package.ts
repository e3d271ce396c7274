/** The package that this is part of: src/ or dist/ lie in it, and capture/ beside them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Its folder; ends with a slash. Modules are joined to files of dist/ itself, so that no depth is counted on. */
const ROOT: string = fileURLToPath(import.meta.url.replace(/^(.*\/)(?:src|dist)\/.*$/s, '$1'));

export const VERSION: string = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')).version;

/** What a host needs to capture: the folders that capture/ and, where it was built, recorder/ lie in; both end with a slash. */
export interface Kit {
  scripts: string;
  recorder: string;
}

export function kit(): Kit {
  return { scripts: ROOT, recorder: `${ROOT}dist/` };
}
