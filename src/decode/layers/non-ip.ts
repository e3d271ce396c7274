import { etherType, type Layer } from '../cursor.ts';
import { NOT_IP } from '../outcomes.ts';

/** EtherTypes that are common beside IP and never carry it. Any other unknown one may hide TCP, and is said so. */
const TYPES = [
  0x0001, // Novell 802.3 in cooked headers
  0x0806, // ARP
  0x8035, // RARP
  0x809b, // AppleTalk
  0x8137, // IPX
  0x8808, // pause frames
  0x8809, // LACP and other slow protocols
  0x8863, // PPPoE discovery
  0x886d, // Intel teaming
  0x888e, // EAPOL
  0x8899, // Realtek loop detection
  0x88cc, // LLDP
  0x88f7, // PTP
  0x8902, // CFM
  0x9000, // Ethernet configuration testing
];

export const nonIp: Layer = {
  id: 'non-ip',
  over: TYPES.map(etherType),
  role: 'plain',
  decode: () => NOT_IP,
};
