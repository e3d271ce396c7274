import { etherType } from '../cursor.ts';
import { tag } from '../tag.ts';

/** Cisco VN-tag (IEEE 802.1BR's forerunner). */
export const vnTag = tag('vn-tag', [etherType(0x8926)], 6);
