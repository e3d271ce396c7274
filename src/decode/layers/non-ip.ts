import { etherType, type Layer, linkType } from '../cursor.ts';
import { NOT_IP } from '../outcomes.ts';

/** EtherTypes that never carry IP. Any other unknown one may hide TCP, and is said so. */
const TYPES = [
  0x0001, // Novell 802.3 in cooked headers
  0x000c, // CAN in cooked headers
  0x000d, // CAN FD
  0x0060, // loopback test
  0x0806, // ARP
  0x0842, // wake on LAN
  0x2000, // CDP in Cisco HDLC and GRE
  0x2001, // CGMP, NHRP
  0x22ea, // SRP
  0x22f0, // AVTP
  0x22f4, // L2 IS-IS
  0x6002, // DEC: MOP, DECnet, LAT
  0x6003,
  0x6004,
  0x8035, // RARP
  0x809b, // AppleTalk
  0x8137, // IPX
  0x8808, // pause frames
  0x8809, // LACP and other slow protocols
  0x8863, // PPPoE discovery
  0x886d, // Intel teaming
  0x887b, // HomePlug
  0x8892, // PROFINET
  0x888e, // EAPOL
  0x8899, // Realtek loop detection
  0x88a2, // ATA over Ethernet
  0x88a4, // EtherCAT
  0x88ab, // POWERLINK
  0x88b8, // GOOSE
  0x88b9, // GSE
  0x88ba, // sampled values
  0x88ca, // TIPC
  0x88cc, // LLDP
  0x88d9, // LLTD
  0x88e1, // HomePlug AV
  0x88e3, // MRP
  0x88f5, // MVRP
  0x88f7, // PTP
  0x88fb, // PRP supervision
  0x8902, // CFM
  0x8906, // Fibre Channel over Ethernet
  0x8912, // HomePlug, broadcast
  0x8914, // FCoE initialization
  0x8915, // RoCE
  0x9000, // Ethernet configuration testing
];

/** Link types of other networks than those of IP (https://www.tcpdump.org/linktypes.html). */
const LINK_TYPES = [
  187, // Bluetooth
  189, // USB
  190, // CAN
  195, // IEEE 802.15.4
  201, // Bluetooth
  220, // USB
  227, // CAN
  230, // IEEE 802.15.4
  249, // USB
  251, // Bluetooth low energy
  253, // netlink
  254, // Bluetooth, Linux monitor
  256, // Bluetooth low energy
  266, // USB, Darwin
  283, // IEEE 802.15.4 TAP
];

export const nonIp: Layer = {
  id: 'non-ip',
  over: [...TYPES.map(etherType), ...LINK_TYPES.map(linkType)],
  role: 'plain',
  decode: () => NOT_IP,
};
