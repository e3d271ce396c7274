import { etherType } from '../cursor.ts';
import { tag } from '../tag.ts';

/** IEEE 802.1Q tags, stacked (802.1ad) or not; 0x9100 and 0x9200 are pre-standard outer tags. */
export const vlan = tag('vlan', [0x8100, 0x88a8, 0x9100, 0x9200].map(etherType), 4);
