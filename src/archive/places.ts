/** Where inputs and outputs lie: on this machine, or in buckets. Nothing of a bucket is loaded for files. */
import { disk } from '../platform/files.ts';
import { FolderStore, type Store } from '../platform/store.ts';
import type { Files } from '../platform/types.ts';

const S3 = 's3://';

export function isRemote(path: string): boolean {
  return path.startsWith(S3);
}

/** Rejects with AccessError, for the user, when a bucket cannot be listed. */
export async function checkInputs(paths: readonly string[]): Promise<void> {
  for (const path of paths) if (isRemote(path)) await (await import('../platform/s3.ts')).checkAccess(path);
}

/** `isPlanning`: what a listing says of an object is believed. */
export async function originOf(paths: readonly string[], isPlanning: boolean): Promise<Files> {
  if (!paths.some(isRemote)) return disk;
  const { S3Files } = await import('../platform/s3.ts');
  const remote = new S3Files(isPlanning);
  const of = (path: string) => (isRemote(path) ? remote : disk);
  return {
    open: (path) => of(path).open(path),
    stat: (path) => of(path).stat(path),
    list: (path) => of(path).list(path),
  };
}

export async function storeAt(out: string): Promise<Store> {
  return isRemote(out) ? new (await import('../platform/s3-store.ts')).S3Store(out) : new FolderStore(out);
}
