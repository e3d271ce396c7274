import { DIRECTION_IN, DIRECTION_OUT } from '../../model/packet.ts';
import { etherType, type Layer, linkType, vantageOf } from '../cursor.ts';
import { NOT_IP, TRUNCATED_LINK } from '../outcomes.ts';

const TO_ANOTHER_HOST = 3;
const OUTGOING = 4;
/** ARPHRD_NETLINK: the protocol field is a netlink family there. */
export const NETLINK = 824;

/** Direction by Linux packet type (LINUX_SLL_HOST 0 … LINUX_SLL_OUTGOING 4); packets of others have none. */
export function cookedDirection(packetType: number): number {
  if (packetType === OUTGOING) return DIRECTION_OUT;
  return packetType < TO_ANOTHER_HOST ? DIRECTION_IN : 0;
}

/** Linux cooked capture, version 1 (LINKTYPE_LINUX_SLL): what `tcpdump -i any` wrote before libpcap 1.10. */
export const linuxCooked: Layer = {
  id: 'linux-cooked',
  over: [linkType(113)],
  role: 'plain',
  decode(cursor, packet) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 16) return TRUNCATED_LINK;
    const packetType = bytes[pos + 1] & 7;
    packet.direction = cookedDirection(packetType);
    packet.vantage = vantageOf(cursor.frame.interfaceId, 0, (packetType + 1) & 7);
    cursor.pos = pos + 16;
    if (((bytes[pos + 2] << 8) | bytes[pos + 3]) === NETLINK) return NOT_IP;
    return etherType((bytes[pos + 14] << 8) | bytes[pos + 15]);
  },
};
