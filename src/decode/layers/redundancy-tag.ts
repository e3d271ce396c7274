import { etherType } from '../cursor.ts';
import { tag } from '../tag.ts';

/** Frames that are sent on two paths: HSR (IEC 62439-3) and the R-TAG of IEEE 802.1CB. */
export const redundancyTag = tag('redundancy-tag', [etherType(0x892f), etherType(0xf1c1)], 6);
