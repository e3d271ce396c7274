/** What is found in an archive of captures, as it is planned with. */

/** A file, or one within an archive. */
export interface Member {
  /** Path of the file itself, as it was found. */
  file: string;
  /** Where in it: names within archives, the outermost first; none for the file itself. */
  inside: readonly string[];
  size: number;
  /** Of its content, in hexadecimal. Of an object in a bucket, of what the store says of its content (ETag and size). */
  hash: string;
  /** `text`: one of its first lines is of a known format. */
  kind: 'capture' | 'text' | 'other';
  /** Makes the folder it is in a capture bundle. */
  bundle?: true;
  look?: Glance;
  /** As the store of the file has it: another one when the file has changed. */
  mark?: string | undefined;
  /** In a tar that is not packed: where its bytes begin in the file. */
  offset?: number;
}

/** What the first and last bytes of a capture say. Times are ns of the Unix epoch, in digits. */
export interface Glance {
  /** Format, byte order, link types, snap lengths, ticks. */
  kind: string;
  first: string;
  last: string;
  /** Samples of its connections at the beginning and at the end, and of its addresses: short digests, sorted. */
  head: readonly string[];
  tail: readonly string[];
  addresses: readonly string[];
}

/** What could not be read, or was left out for a reason to be told. */
export interface Problem {
  place: string;
  /** `byte 512`, or ''. */
  at: string;
  reason: string;
}

export function placeOf({ file, inside }: Pick<Member, 'file' | 'inside'>): string {
  return [file, ...inside].join('/');
}

export function folderOf(place: string): string {
  return place.slice(0, Math.max(place.lastIndexOf('/'), 0));
}

export function nameOf(place: string): string {
  return place.slice(place.lastIndexOf('/') + 1);
}
