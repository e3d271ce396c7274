import { etherType, type Layer, linkType, vantageOf, word } from '../cursor.ts';
import { NOT_IP, TRUNCATED_LINK } from '../outcomes.ts';
import { cookedDirection, NETLINK } from './linux-cooked.ts';

/** Linux cooked capture, version 2 (LINKTYPE_LINUX_SLL2): `tcpdump -i any` since libpcap 1.10, with the interface. */
export const linuxCooked2: Layer = {
  id: 'linux-cooked2',
  over: [linkType(276)],
  role: 'plain',
  decode(cursor, packet) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 20) return TRUNCATED_LINK;
    const ifindex = word(bytes, pos + 4);
    const packetType = bytes[pos + 10] & 7;
    packet.direction = cookedDirection(packetType);
    packet.vantage = vantageOf(cursor.frame.interfaceId, ifindex, (packetType + 1) & 7);
    cursor.pos = pos + 20;
    if (((bytes[pos + 8] << 8) | bytes[pos + 9]) === NETLINK) return NOT_IP;
    return etherType((bytes[pos] << 8) | bytes[pos + 1]);
  },
};
