/** Groups in parcels: what a process is sent at a time, and a job of a queue. */
import type { Group, Groups } from './plan.ts';

/** A parcel is some seconds of work at most. */
const PARCEL_BYTES = 1 << 24;
const PARCEL_GROUPS = 50;
/** Groups of one packed archive go together, so that it is not gone through again and again. */
const ARCHIVE_BYTES = 1 << 28;

/**
 * In order, small ones together; at least four for each process, where there are as many groups. Without those of more
 * than `largest` bytes.
 */
export function* parcels(
  groups: Groups,
  jobs: number,
  largest = Number.POSITIVE_INFINITY,
): Generator<Group[], undefined> {
  const most = Math.min(PARCEL_GROUPS, Math.max(1, Math.ceil(groups.length / (4 * jobs))));
  let parcel: Group[] = [];
  let bytes = 0;
  for (const group of groups) {
    if (group.bytes > largest) continue;
    const archive = packedIn(group);
    const isSame = parcel.length > 0 && packedIn(parcel[0]!) === archive;
    bytes += group.bytes;
    const fits =
      isSame && (archive !== null ? bytes <= ARCHIVE_BYTES : parcel.length < most && bytes <= PARCEL_BYTES);
    if (!fits) {
      if (parcel.length > 0) yield parcel;
      parcel = [];
      bytes = group.bytes;
    }
    parcel.push(group);
  }
  if (parcel.length > 0) yield parcel;
}

function packedIn({ members }: Group): string | null {
  const [first] = members;
  return first!.inside.length > 0 && first!.offset === undefined ? first!.file : null;
}
