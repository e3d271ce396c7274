import { readFileSync } from 'node:fs';

/** Version of the package, from its package.json beside src/ or dist/. */
export const VERSION: string = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
).version;
