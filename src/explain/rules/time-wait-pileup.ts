import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import { rowEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { TIME_WAIT } from '../facts/timing.ts';
import { ROWS } from '../mask.ts';
import { SIDE_NAMES } from '../procedures/common.ts';
import type { Rule, Verdict } from '../rule.ts';
import { clients, connectionsOf, howMany, toServers } from '../together.ts';
import { count, largest, number } from '../words.ts';

/** One a second, for as long as TIME_WAIT lasts. */
const MANY = TIME_WAIT / 1e9;
/** net.ipv4.ip_local_port_range, 32768 to 60999, where no file gives it. */
const PORTS = 28_232;

export interface Piled extends Verdict {
  /** Connections in TIME_WAIT at once. */
  n: number;
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
  tell: (f, { side, severity, n }) => {
    const of =
      side === 'client'
        ? `of the about ${PORTS} ports that ${f.case.client.address} has for one server`
        : 'at the server';
    return {
      summary: `${count(n, 'connection')} between the same addresses were in TIME_WAIT in one socket table, ${of}${severity === 'warning' ? ': they may run out' : ''}.`,
      remedy:
        'Keep connections open and reuse them. TIME_WAIT falls to the side that closes first: let clients do so if the server is short, servers if the clients are. ' +
        'net.ipv4.tcp_tw_reuse=1 lets a client reuse such ports; tcp_fin_timeout does not shorten TIME_WAIT.',
    };
  },
  together: (all) => {
    const most = largest(
      connectionsOf(all).flatMap((f) =>
        f.case.rows.filter((r) => r.state === 'TIME_WAIT').map((r) => f.world.timeWaits(r)),
      ),
    );
    return `${howMany(all)}${toServers(all)} were in TIME_WAIT at once, up to ${number(most ?? 0)} of them between the same addresses in one socket table. They came from ${clients(all)}.`;
  },
};

function piled(f: Facts, side: SideIndex): Piled | null {
  const row = f.rows(side).find((r) => r.state === 'TIME_WAIT');
  if (!row) return null;
  const n = f.world.timeWaits(row);
  if (n < MANY) return null;
  const buckets = f.sysctl(side, 'net.ipv4.tcp_max_tw_buckets');
  const limit = side === CLIENT ? PORTS : (buckets ?? Number.POSITIVE_INFINITY);
  const scarce = n * 2 >= limit;
  return {
    confidence: 'proved',
    severity: scarce ? 'warning' : 'info',
    side: SIDE_NAMES[side]!,
    moment: f.atEvent(row),
    evidence: [rowEvidence(f.world, row)],
    n,
  };
}
