import { etherType } from '../cursor.ts';
import { tag } from '../tag.ts';

/** E-tag of port extenders (IEEE 802.1BR). */
export const eTag = tag('e-tag', [etherType(0x893f)], 8);
