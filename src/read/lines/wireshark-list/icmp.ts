/** ICMP errors in the Info column (packet-icmp.c, packet-icmpv6.c). The segment they quote is not shown there. */
import type { PrintedIcmp } from '../tcpdump/icmp.ts';
import type { ListRow } from './columns.ts';

const INFO =
  /^(destination unreachable|time-to-live exceeded|time exceeded|packet too big)(?: \(([^)]{1,80})\))?/;
/** What stands in brackets, and the code it is. */
const UNREACHABLE: Readonly<Record<string, number>> = {
  'network unreachable': 0,
  'host unreachable': 1,
  'protocol unreachable': 2,
  'port unreachable': 3,
  'fragmentation needed': 4,
  'source route failed': 5,
  'destination network unknown': 6,
  'destination host unknown': 7,
  'source host isolated': 8,
  'network administratively prohibited': 9,
  'host administratively prohibited': 10,
  'network unreachable for tos': 11,
  'host unreachable for tos': 12,
  'communication administratively filtered': 13,
  'host precedence violation': 14,
  'precedence cutoff in effect': 15,
};
const UNREACHABLE_6: Readonly<Record<string, number>> = {
  'no route to destination': 0,
  'administratively prohibited': 1,
  'beyond scope of source address': 2,
  'address unreachable': 3,
  'port unreachable': 4,
  'source address failed ingress/egress policy': 5,
  'reject route to destination': 6,
};
/** Number of the type in ICMP, and in ICMPv6. */
const TYPES: Readonly<Record<string, readonly [number, number]>> = {
  'destination unreachable': [3, 1],
  'time-to-live exceeded': [11, 3],
  'time exceeded': [11, 3],
  'packet too big': [3, 2],
};

/** null for a row of anything else. */
export function listedIcmp({ source, destination, protocol, info }: ListRow): PrintedIcmp | null {
  const [, what, why = ''] = INFO.exec(info.toLowerCase()) ?? [];
  if (what === undefined) return null;
  const isV6 = protocol === 'ICMPv6';
  const type = TYPES[what]![isV6 ? 1 : 0];
  const reassembly = why.startsWith('fragment reassembly') ? 1 : 0;
  const code = what === 'destination unreachable' ? (isV6 ? UNREACHABLE_6 : UNREACHABLE)[why] : reassembly;
  if (code === undefined) return null;
  return { by: source, told: destination, isV6, type, code, mtu: 0, target: null, port: null };
}
