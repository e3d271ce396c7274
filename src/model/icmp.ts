/** Messages of ICMP errors (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1) and ICMPv6 errors (RFC 4443 §3). */
import { formatEndpoint } from './address.ts';
import type { IcmpEvent } from './event.ts';

const UNREACHABLE: readonly string[] = [
  'network unreachable',
  'host unreachable',
  'protocol unreachable',
  'port unreachable',
  'fragmentation needed',
  'source route failed',
  'network unknown',
  'host unknown',
  'source host isolated',
  'network administratively prohibited',
  'host administratively prohibited',
  'network unreachable for this type of service',
  'host unreachable for this type of service',
  'administratively prohibited by a filter',
  'host precedence violation',
  'precedence cutoff',
];
const UNREACHABLE_6: readonly string[] = [
  'no route to the destination',
  'administratively prohibited',
  'beyond the scope of the source address',
  'address unreachable',
  'port unreachable',
  'source address failed a policy',
  'route rejected',
];

export function saysOf(isV6: boolean, type: number, code: number): IcmpEvent['says'] {
  if (isV6) return (['other', 'unreachable', 'too-big', 'expired'] as const)[type] ?? 'other';
  if (type === 3) return code === 4 ? 'too-big' : 'unreachable';
  return type === 11 ? 'expired' : 'other';
}

export function icmpText(isV6: boolean, type: number, code: number): string {
  const says = saysOf(isV6, type, code);
  if (says === 'unreachable')
    return (isV6 ? UNREACHABLE_6 : UNREACHABLE)[code] ?? `destination unreachable (code ${code})`;
  if (says === 'too-big') return isV6 ? 'packet too big' : UNREACHABLE[4]!;
  if (says === 'expired') return code === 1 ? 'reassembly time exceeded' : 'time to live exceeded in transit';
  return !isV6 && type === 4 ? 'source quench' : 'parameter problem';
}

/** What came, about whose segment, how often. */
export function icmpFact({ by, text, from, to, mtu, size, count }: IcmpEvent): string {
  const next = mtu === null ? '' : `, the next link takes ${mtu} bytes`;
  const quoted = size === null ? 'a segment' : `a segment of ${size} bytes`;
  const often = count === 1 ? '' : `, ${count} times`;
  return `${by} sent ICMP "${text}"${next}, about ${quoted} from ${formatEndpoint(from)} to ${formatEndpoint(to)}${often}`;
}

/** `word`: that behind the checksum. Routers before RFC 1191 leave it 0. */
export function mtuOf({
  isV6,
  type,
  code,
  word,
}: Record<'type' | 'code' | 'word', number> & { isV6: boolean }) {
  if (saysOf(isV6, type, code) !== 'too-big') return null;
  const mtu = isV6 ? word >>> 0 : word & 0xffff;
  return mtu === 0 ? null : mtu;
}
