import { randomBytes } from 'node:crypto';

/** So many bytes that nobody can guess. */
export const secretBytes: (length: number) => Uint8Array = randomBytes;
