import { etherType, ipProtocol, type Layer } from '../cursor.ts';
import { UNKNOWN_TUNNEL } from '../outcomes.ts';

/** IP protocols that carry packets in ways that are not decoded. */
const PROTOCOLS = [
  53, // SwIPe
  55, // minimal encapsulation
  94, // IP within IP of KA9Q
  98, // encapsulation of RFC 1241
  99, // any private encryption
  108, // IPComp
  115, // L2TP version 3
];
const TYPES = [
  0x876b, // TCP/IP compression (RFC 1144)
];

/** What surely holds other packets, but cannot be read. */
export const opaque: Layer = {
  id: 'opaque',
  over: [...PROTOCOLS.map(ipProtocol), ...TYPES.map(etherType)],
  role: 'tunnel',
  decode: () => UNKNOWN_TUNNEL,
};
