/** Events of one moment: what socket tables, counters and settings said when they were read. */
import type { Endpoint } from './address.ts';
import type { EventBase } from './event.ts';
import type { TcpState } from './tcp.ts';

/** One row of a socket table (netstat, ss) at the moment of its snapshot. */
export interface SocketEvent extends EventBase {
  kind: 'socket';
  /** Number of the snapshot within its source, from 1. */
  snapshot: number;
  state: TcpState;
  local: Endpoint;
  remote: Endpoint;
  recvQ: number;
  sendQ: number;
  /** The tool prints no queues: both are 0 and mean nothing. */
  withoutQueues?: true;
  /** LISTEN only: the limit of the accept queue, where the tool shows it (ss does, netstat prints 0). */
  acceptLimit: number | null;
  /** `none`: the column was there and names nobody. `hidden`: it was not asked for, or the table says that it hides owners. */
  owner: 'known' | 'none' | 'hidden';
  pid: number | null;
  comm: string | null;
  /** `timewait`, `keepalive`, `on`, `persist` …, with the time left in nanoseconds; null when not shown. */
  timer: { name: string; left: number; retransmits: number } | null;
  /** Packets this socket dropped (`ss -m`, the d of skmem); of a listener its own share of ListenDrops. */
  drops?: number;
  /** Nanoseconds since the peer's last data or acknowledgment came (`ss -i`: the smaller of lastrcv and lastack). */
  unheard?: number;
}

/** A snapshot of a socket table begins, even when no row follows: an empty table is evidence for its moment. */
export interface SnapshotEvent extends EventBase {
  kind: 'snapshot';
  snapshot: number;
  /** The filter the command line applied (`grep 8080`), or null: rows it would hide prove nothing by absence. */
  filter: string | null;
  rows: number;
}

/** Counters of one network namespace at one moment. */
export interface CounterEvent extends EventBase {
  kind: 'counters';
  snapshot: number;
  /** Kernel names (TcpExt without prefix, Tcp with `Tcp`): ListenOverflows, TcpOutRsts. */
  values: Map<string, number>;
  /** True for nstat without -a: the values are deltas since its previous call. */
  delta: boolean;
  /** Nothing in the text says whether they are: `delta` is only the likelier. */
  assumed?: true;
}

/** Values of sysctls. */
export interface SysctlEvent extends EventBase {
  kind: 'sysctl';
  name: string;
  value: string;
}

/** How often the last ACK of a handshake met so many connections in an accept queue (tcpsynbl); no listener is named. */
export interface QueueCountEvent extends EventBase {
  kind: 'queue-count';
  /** sk_max_ack_backlog: the kernel lets in one more. */
  limit: number;
  /** Between these, both included. */
  least: number;
  most: number;
  count: number;
}

/** How many sockets were in a state (`ss -s`, `sort | uniq -c`); `orphaned` is no state. */
export interface StateCountEvent extends EventBase {
  kind: 'state-count';
  state: string;
  count: number;
}
