/** Lines of a kernel's log: each says that a limit was met, and of which listener at most. */

import { groupBy } from '../../align/tuple.ts';
import type { LogEvent } from '../../model/event.ts';
import { getOr } from '../../model/get-or.ts';
import { eventEvidence } from '../facts/evidence.ts';
import type { World } from '../facts/world.ts';
import type { RuleId } from '../rules/index.ts';
import { count, list, moment as momentText, number } from '../words.ts';
import type { Sign } from './index.ts';

interface Meaning extends Pick<Sign, 'confidence' | 'severity' | 'remedy'> {
  rule: RuleId;
  /** After `The kernel reported`. */
  says: string;
  alternatives?: RuleId[];
}

/** Ports that a sentence names. */
const NAMED = 3;

const MEANS: Readonly<Record<LogEvent['what'], Meaning>> = {
  // tcp_syn_flood_action is called before the accept queue is looked at, so the cookie may not have been sent
  'syn-flood-cookies': {
    rule: 'syn-cookie-handshake',
    confidence: 'inferred',
    severity: 'warning',
    says: 'a full SYN queue, and SYNs are answered with SYN cookies from then on. A SYN flood looks like this, and so does a burst of clients or a small backlog. The line comes once per listener',
    remedy:
      'Take two readings of `nstat -az TcpExtSyncookiesSent TcpExtSyncookiesRecv`: many sent and few returned suggest forged SYNs; lost ACKs look the same. For real clients raise the backlog of listen() and net.core.somaxconn.',
    alternatives: ['accept-queue-overflow-syn'],
  },
  'syn-flood-drops': {
    rule: 'syn-queue-full-drop',
    confidence: 'proved',
    severity: 'error',
    says: 'a full SYN queue without SYN cookies, so SYNs are dropped. The line comes once per listener',
    remedy:
      'Set net.ipv4.tcp_syncookies=1. For real clients raise the backlog of listen(), net.core.somaxconn and net.ipv4.tcp_max_syn_backlog.',
  },
  'conntrack-full': {
    rule: 'conntrack-table-full',
    confidence: 'proved',
    severity: 'error',
    says: 'a full connection tracking table: packets of new connections are dropped, whoever sends them',
    remedy:
      'Compare nf_conntrack_count with net.netfilter.nf_conntrack_max, and `drop` and `early_drop` in `conntrack -S`. Raise the limit, shorten the timeouts, or do not track what needs no tracking.',
  },
  orphans: {
    rule: 'memory-pressure-reset',
    confidence: 'proved',
    severity: 'error',
    says: 'too many orphaned sockets (net.ipv4.tcp_max_orphans): it closes such connections with a RST and no orderly end',
    remedy:
      'Raise net.ipv4.tcp_max_orphans, or find the service that closes many connections whose peers do not answer: orphans have no process, so compare the local ports of `ss -tano state fin-wait-1 state last-ack` with `ss -ltnp`. TcpExtTCPAbortOnMemory counts the resets.',
  },
  memory: {
    rule: 'memory-pressure-reset',
    confidence: 'proved',
    severity: 'error',
    says: 'TCP memory above the third value of net.ipv4.tcp_mem: it resets connections without a process and prunes queues',
    remedy:
      'Find the sockets that hold the memory (`ss -tmaie`), usually readers that do not read; then raise net.ipv4.tcp_mem. TcpExtTCPAbortOnMemory and TcpExtTCPMemoryPressures count it.',
  },
  'socket-memory': {
    rule: 'memory-pressure-reset',
    confidence: 'proved',
    severity: 'error',
    says: 'out of socket memory: too many orphaned sockets or too much TCP memory, for which old kernels have one line. Connections without a process are reset',
    remedy:
      'Compare the orphans and `mem` in /proc/net/sockstat with net.ipv4.tcp_max_orphans and the third value of net.ipv4.tcp_mem.',
  },
  // warn_alloc is silent for __GFP_NOWARN, as most allocations of receive buffers are
  'page-allocation': {
    rule: 'memory-pressure-reset',
    confidence: 'possible',
    severity: 'warning',
    says: 'a page that could not be allocated. In a driver or in TCP that costs a packet, and in a RST the packet that would tell the peer; elsewhere nothing of TCP',
    remedy:
      'Read `order`, `mode` and the call trace below the line: GFP_ATOMIC in a network function costs packets. Raise vm.min_free_kbytes, or find what takes the memory.',
  },
  'process-killed': {
    rule: 'unread-data-reset',
    confidence: 'possible',
    severity: 'warning',
    says: 'a process killed for want of memory. The kernel closes its sockets: with a RST where data were unread or connections not accepted, else with a FIN',
    remedy:
      'Find out whether the process is the server or the client of the connections. Give it memory or a limit of its own; restarts by its supervisor show as refused connections.',
    alternatives: ['listener-closed-reset', 'connection-refused'],
  },
  // logged for a martian (EINVAL) and for what rp_filter rejects (EXDEV) alike
  martian: {
    rule: 'martian-drop',
    confidence: 'possible',
    severity: 'warning',
    says: 'packets dropped for their source address: one that cannot come from outside, or one that rp_filter rejects because the reply would leave by another interface',
    remedy:
      'The line names destination, source and interface. `ip route get SOURCE` on the host: another interface means an asymmetric route (rp_filter=2, or mend the route); an address of the host itself means a loop or a forged source.',
    alternatives: ['reverse-path-drop'],
  },
  'time-wait-overflow': {
    rule: 'time-wait-overflow',
    confidence: 'proved',
    severity: 'warning',
    says: 'no room for another timewait socket (net.ipv4.tcp_max_tw_buckets): connections are forgotten at once, and their late packets are answered with a RST',
    remedy:
      'Raise net.ipv4.tcp_max_tw_buckets, or let the clients close first. TcpExtTCPTimeWaitOverflow counts it.',
  },
  'backlog-reserve': {
    rule: 'syn-backlog-reserve-drop',
    confidence: 'proved',
    severity: 'error',
    says: 'SYNs dropped without SYN cookies, because the last quarter of net.ipv4.tcp_max_syn_backlog is kept for clients it knows',
    remedy:
      'Set net.ipv4.tcp_syncookies=1, or raise net.ipv4.tcp_max_syn_backlog, the backlog of listen() and net.core.somaxconn.',
  },
  // of this host, whatever the packet: a SYN to a new peer, a SYN-ACK to a client on the same network
  'neighbours-full': {
    rule: 'syn-ack-lost-locally',
    confidence: 'possible',
    severity: 'warning',
    says: 'a full table of neighbours (net.ipv4.neigh.default.gc_thresh3): packets to hosts of its own networks that are not in it are dropped here',
    remedy:
      'Raise net.ipv4.neigh.default.gc_thresh1 to 3 (net.ipv6 for IPv6), or put a router between so large networks; `ip -s neigh` counts the entries.',
    alternatives: ['no-reply-route-drop', 'unanswered-syn'],
  },
  'window-shrunk': {
    rule: 'peer-window-closed',
    confidence: 'possible',
    severity: 'warning',
    says: 'a peer that closed its receive window while data were under way: the data are sent again until it opens, or the connection is given up',
    remedy:
      'The line names the peer and the local port. Look at what runs there (a stack or a device that shrinks windows, a process that does not read), with `ss -tim` on both ends.',
    alternatives: ['retransmission-timeout'],
  },
};

export function logged(world: World): Sign[] {
  const groups = new Map<string, LogEvent[]>();
  // a log whose host has no name is of a host of its own
  const hostOf = (e: LogEvent) => world.hostName(e.source) || e.source;
  for (const e of world.context.log) getOr(groups, `${e.what} ${hostOf(e)}`, () => []).push(e);
  return [...groups.values()].map((all) => {
    const [first] = all as [LogEvent];
    const { says, ...meaning } = MEANS[first.what];
    const { timeline } = world.context;
    const at = timeline.at(first.source, first.time);
    const time = timeline.format(at, timeline.label(first.source));
    const host = world.hostName(first.source);
    const since = time === '' ? '' : ` from ${momentText(time)} on`;
    const ports = [...groupBy(all, (e) => e.port)].sort((a, b) => b[1].length - a[1].length);
    return {
      ...meaning,
      side: 'server',
      moment: { source: first.source, at },
      ...(ports.length === 1 && { port: ports[0]![0] }),
      summary: `The kernel${host && ` of ${host}`} reported${onPorts(ports)}${since} (${count(all.length, 'line')}): ${says}.`,
      evidence: all.slice(0, 5).map((e) => eventEvidence(world, e, e.text)),
    };
  });
}

/** ` on port 80`, ` on ports 80 (12 lines), 443 and 8080`: those with most lines first. */
function onPorts(ports: readonly (readonly [port: number, lines: readonly LogEvent[]])[]): string {
  if (ports.length === 0) return '';
  if (ports.length === 1) return ` on port ${ports[0]![0]}`;
  const shown = ports
    .slice(0, NAMED)
    .map(([port, lines]) => (lines.length > 1 ? `${port} (${count(lines.length, 'line')})` : `${port}`));
  if (ports.length > NAMED) shown.push(`${number(ports.length - NAMED)} more`);
  return ` on ports ${list(shown)}`;
}
