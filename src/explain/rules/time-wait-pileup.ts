import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import { NS_PER_MS } from '../../model/time.ts';
import { rowEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { TIME_WAIT } from '../facts/timing.ts';
import { ROWS } from '../mask.ts';
import { SIDE_NAMES } from '../procedures/common.ts';
import type { Rule, Verdict } from '../rule.ts';
import { clients, connectionsOf, howMany, toServers } from '../together.ts';
import { count, largest, number, span } from '../words.ts';

/** One a second, for as long as TIME_WAIT lasts. */
const MANY = TIME_WAIT / 1e9;
/** In a range of so few ports fewer are told. */
const FEW = 8;
/** net.ipv4.ip_local_port_range, 32768 to 60999, where no file gives it. */
const PORTS = 28_232;

export interface Piled extends Verdict {
  /** Connections in TIME_WAIT at once. */
  n: number;
  /** Of the client's side: the ports that it has for one server. */
  ports: number;
}

export const rule: Rule<'time-wait-pileup', Piled> = {
  id: 'time-wait-pileup',
  group: 'stuck',
  title: 'Many connections in TIME_WAIT at once',
  severity: 'info',
  happened: 'were in TIME_WAIT at once',
  condition:
    'The side that closes first keeps every connection in TIME_WAIT for 60 s; at more than one a second they pile up, and with all ephemeral ports to one server in use connect() fails (EADDRNOTAVAIL).',
  when: ROWS,
  reference: 'tcp_time_wait (TCP_TIMEWAIT_LEN 60 s), kernel-notes F-TW-MANY',
  signatures: [
    {
      by: ['tables'],
      kernels: 'any',
      claims: 'proved',
      sign: 'so many rows in TIME_WAIT between the same ends in one table',
    },
  ],
  decide: (f) => [piled(f, CLIENT), piled(f, SERVER)].filter((d) => d !== null),
  tell: (f, { side, severity, n, ports }) => {
    const { address } = f.case.client;
    const range = f.world.portRange(address);
    const known = range ? `${number(ports)} ports (${range[0]} to ${range[1]})` : `about ${ports} ports`;
    const of = side === 'client' ? `of the ${known} that ${address} has for one server` : 'at the server';
    const scarce =
      side === 'client' && range && n >= ports ? `: none is left${reuse(f)}` : ': they may run out';
    return {
      summary: `${count(n, 'connection')} between the same addresses were in TIME_WAIT in one socket table, ${of}${severity === 'warning' ? scarce : ''}.`,
      remedy:
        'Keep connections open and reuse them. TIME_WAIT falls to the side that closes first: let clients do so if the server is short, servers if the clients are. ' +
        'net.ipv4.tcp_tw_reuse=1 lets a client reuse such ports; tcp_fin_timeout does not shorten TIME_WAIT.',
    };
  },
  together: (all) => {
    const most = largest(
      connectionsOf(all).flatMap((f) =>
        f.case.rows.filter((r) => r.state === 'TIME_WAIT').map((r) => f.world.snapshots.timeWaits(r)),
      ),
    );
    return `${howMany(all)}${toServers(all)} were in TIME_WAIT at once, up to ${number(most ?? 0)} of them between the same addresses in one socket table. They came from ${clients(all)}.`;
  },
};

function piled(f: Facts, side: SideIndex): Piled | null {
  const row = f.rows(side).find((r) => r.state === 'TIME_WAIT');
  if (!row) return null;
  const n = f.world.snapshots.timeWaits(row);
  const buckets = f.sysctl(side, 'net.ipv4.tcp_max_tw_buckets');
  const ports = portsOf(f);
  const limit = side === CLIENT ? ports : (buckets ?? Number.POSITIVE_INFINITY);
  const scarce = n * 2 >= limit;
  if (n < MANY && !(scarce && side === CLIENT && n >= FEW)) return null;
  return {
    confidence: 'proved',
    severity: scarce ? 'warning' : 'info',
    side: SIDE_NAMES[side]!,
    moment: f.atEvent(row),
    evidence: [rowEvidence(f.world, row)],
    n,
    ports,
  };
}

function portsOf(f: Facts): number {
  const range = f.world.portRange(f.case.client.address);
  return range ? Math.max(range[1] - range[0] + 1, 1) : PORTS;
}

/** tcp_twsk_unique(): with timestamps a port may be taken again after a second, or tcp_tw_reuse_delay (6.14 and later). */
function reuse(f: Facts): string {
  const on = f.sysctl(CLIENT, 'net.ipv4.tcp_tw_reuse');
  if (on === null) return '';
  if (on !== 1) return ', and connect() fails with EADDRNOTAVAIL until one has ended';
  const delay = f.sysctl(CLIENT, 'net.ipv4.tcp_tw_reuse_delay') ?? 1000;
  return `, but for tcp_tw_reuse, which takes one again ${span(delay * NS_PER_MS)} after its last packet`;
}
