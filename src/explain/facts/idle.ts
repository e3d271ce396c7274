/**
 * Times without any packet after which devices forget a connection, and servers close a kept one. All are defaults that can
 * be configured: a match makes a cause likelier, and proves nothing.
 */
import type { SideIndex } from '../../model/connection.ts';
import { SYN } from '../../model/tcp.ts';
import { NS_PER_MS, NS_PER_S, type SourceTime } from '../../model/time.ts';
import type { WireFacts } from './wire.ts';

interface IdleTimeout {
  seconds: number;
  of: string;
  /** Where it is documented. */
  source: string;
}

/** What keeps a table of connections between the hosts. */
export const MAPPINGS: readonly IdleTimeout[] = [
  {
    seconds: 240,
    of: 'Azure Load Balancer',
    source: 'learn.microsoft.com: Load Balancer TCP reset and idle timeout (4 minutes)',
  },
  {
    seconds: 300,
    of: 'many firewalls and home routers',
    source: 'e.g. MikroTik, ufw and vendor profiles of 5 minutes',
  },
  {
    seconds: 350,
    of: 'AWS Network Load Balancer and NAT gateway',
    source: 'docs.aws.amazon.com: NLB connection idle timeout, NAT gateways (350 s, then a RST)',
  },
  {
    seconds: 600,
    of: 'Google Cloud firewall',
    source: 'cloud.google.com: VPC firewall rules, connection tracking (10 minutes)',
  },
  { seconds: 900, of: 'IPVS', source: 'ipvsadm(8) --set, net/netfilter/ipvs/ip_vs_proto_tcp.c (15 minutes)' },
  {
    seconds: 1200,
    of: 'Google Cloud NAT',
    source: 'cloud.google.com: Cloud NAT, TCP established connection idle timeout (20 minutes)',
  },
  { seconds: 1800, of: 'many firewalls', source: 'Juniper SRX and others: TCP session timeout (30 minutes)' },
  {
    seconds: 3600,
    of: 'many firewalls',
    source: 'Cisco ASA, Palo Alto, FortiGate: TCP session timeout (1 hour)',
  },
  {
    seconds: 86_400,
    of: 'conntrack as kube-proxy sets it',
    source: 'kube-proxy --conntrack-tcp-timeout-established (24 h)',
  },
  {
    seconds: 432_000,
    of: 'conntrack',
    source: 'net.netfilter.nf_conntrack_tcp_timeout_established (5 days)',
  },
];

/** What closes a kept connection that nobody uses. */
export const SERVERS: readonly IdleTimeout[] = [
  {
    seconds: 5,
    of: 'Node.js and Apache httpd',
    source: 'nodejs.org: server.keepAliveTimeout; httpd.apache.org: KeepAliveTimeout',
  },
  {
    seconds: 20,
    of: 'Tomcat',
    source: 'tomcat.apache.org: HTTP connector, connectionTimeout and keepAliveTimeout',
  },
  { seconds: 60, of: 'AWS Application Load Balancer', source: 'docs.aws.amazon.com: ALB idle timeout' },
  { seconds: 75, of: 'nginx', source: 'nginx.org: keepalive_timeout' },
  { seconds: 120, of: 'IIS', source: 'learn.microsoft.com: IIS connectionTimeout' },
  {
    seconds: 600,
    of: 'Google Cloud load balancers',
    source: 'cloud.google.com: HTTP keepalive timeout (610 s)',
  },
];

/** No device that keeps to RFC 5382 forgets an established connection so soon; those that do not take a minute at least. */
export const SHORTEST_MAPPING = 60 * NS_PER_S;
/** A server's timer runs out on time; who uses a connection again does it at any time after the mapping was gone. */
export const ON_TIME = 1.05;
const AFTER = 1.15;

/** The timeout that an idle time is at or shortly above. */
export function knownTimeout(idle: number, among: readonly IdleTimeout[]): IdleTimeout | null {
  const within = among === SERVERS ? ON_TIME : AFTER;
  const seconds = idle / NS_PER_S;
  return (
    among.findLast((t) => seconds >= t.seconds * (2 - ON_TIME) && seconds <= t.seconds * within + 1) ?? null
  );
}

/** ` (nginx: 75 s by default)`. */
export function nameOf(known: IdleTimeout | null): string {
  return known ? ` (${known.of}: ${known.seconds} s by default)` : '';
}

/** The longest silence of the connection. */
interface Silence {
  from: SourceTime;
  to: SourceTime;
  /** ns */
  idle: number;
}

/** The longest silence, where it is as long as a mapping lives. */
export function idleAsMapping(wire: WireFacts): Silence | null {
  const found = silenceOf(wire);
  return found && found.idle >= SHORTEST_MAPPING ? found : null;
}

/** null without one of a second, or where packets of the connection are missing from the file. */
export function silenceOf({ wire, oneDirection }: WireFacts): Silence | null {
  if (wire.silence === null || oneDirection) return null;
  return { ...wire.silence, idle: wire.silence.to - wire.silence.from };
}

/** The packet is the first after a silence, or came no later than that; its time is rounded. */
export function endsSilence({ to }: Silence, time: SourceTime): boolean {
  return Math.abs(time - to) <= NS_PER_MS;
}

/**
 * The side that spoke first after the longest silence and never had an answer to it: what it sent was sent again and not
 * acknowledged. null when there is no such side.
 */
export function lostAfterSilence(wire: WireFacts, { to }: Silence): SideIndex | null {
  for (const side of [0, 1] as const) {
    const [next, acked] = [
      wire.of(wire.wire.nextSeq, side),
      wire.of(wire.wire.acked, (1 - side) as SideIndex),
    ];
    if (next === null || acked === null || next === acked) continue;
    const again = wire.packets.filter(
      (p) => wire.sideOf(p) === side && p.time > to && p.seq === acked && !(p.flags & SYN),
    );
    if (wire.of(wire.wire.retransmits, side) > 0 && again.length > 0) return side;
  }
  return null;
}
