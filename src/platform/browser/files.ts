/** A page has no files but those it is given (read/given.ts). */
import type { Files } from '../types.ts';

const none = async (path: string): Promise<never> => {
  throw Object.assign(new Error(`ENOENT: no files here, ${path}`), { code: 'ENOENT' });
};

export const disk: Files = { open: none, stat: none, list: none };

export function join(...parts: string[]): string {
  return parts.join('/').replace(/\/{2,}/g, '/');
}
