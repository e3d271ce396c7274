/** Events: one thing the kernel, or a table of it, said. Importers make them; every one can be found again. */
import type { Endpoint } from './address.ts';
import type {
  CounterEvent,
  QueueCountEvent,
  SnapshotEvent,
  SocketEvent,
  StateCountEvent,
  SysctlEvent,
} from './table-event.ts';
import type { TcpState } from './tcp.ts';
import type { SourceTime } from './time.ts';

export interface EventBase {
  /** Source.id */
  source: number;
  /** 1-based line in its file. */
  line: number;
  /** Time on the source's clock; null where the source gives none (its order is then all there is). */
  time: SourceTime | null;
  /** Network namespace (inode number) of the socket, or of the device a packet came in by, where the kernel named it. */
  netns?: string;
}

/** A change of sk_state (sock:inet_sock_set_state), as tcpstates prints it. */
export interface StateEvent extends EventBase {
  kind: 'state';
  /** Kernel address of the socket, in the source's own notation; unique only during one life (G11). */
  socket: string;
  /** Whoever was running, not necessarily the owner (G12). Null when not printed. */
  pid: number | null;
  comm: string | null;
  local: Endpoint;
  remote: Endpoint;
  from: TcpState;
  to: TcpState;
  /** Nanoseconds spent in `from`, as the tool measured it; null when not printed. 0 on the first line of a socket. */
  duration: number | null;
  /** Struct fields at that moment, where the capture read them. */
  fields?: SocketFields;
}

/** Fields of struct sock and tcp_sock as a capture reads them at an event; a field the kernel lacks is absent. */
export interface SocketFields {
  /** rcv_nxt - copied_seq: bytes received and not read; includes 1 for a received FIN. */
  unread?: number;
  /** sk_shutdown: 1 receive, 2 send. */
  shutdown?: number;
  /** SOCK_DEAD: no process holds the socket any more. SOCK_DONE: it has taken the peer's FIN. */
  dead?: boolean;
  done?: boolean;
  /** SO_LINGER is on, and its time in jiffies. */
  linger?: boolean;
  lingerTime?: number;
  /** TCP_LINGER2 in jiffies; negative: no FIN_WAIT2. */
  linger2?: number;
  /** Accept queue now and its limit (listeners). */
  backlog?: number;
  limit?: number;
  /** sk_err, a positive errno. */
  error?: number;
  /** The running task is exiting. */
  exiting?: boolean;
  /** snd_nxt and rcv_nxt, raw. */
  sendNext?: number;
  receiveNext?: number;
}

/** A packet as a kernel event describes it. */
export interface PacketHeader {
  from: Endpoint;
  to: Endpoint;
  flags: number;
  seq: number;
  ack: number;
  payload: number;
}

/** The kernel sends a RST (tcp:tcp_send_reset). For active ones the event comes after the packet (G1). */
export interface ResetSentEvent extends EventBase {
  kind: 'reset-sent';
  socket: string | null;
  pid: number | null;
  comm: string | null;
  /** The end that resets, and the other. */
  local: Endpoint;
  remote: Endpoint;
  /** State of the socket at the event (G6); null without a socket. */
  state: TcpState | null;
  /** sk_rst_reason as this kernel names it; null when the kernel does not say (before 6.10 and 6.12). */
  reason: string | null;
  /** The packet that the RST answers; null for an active reset. */
  answers: PacketHeader | null;
}

/** The kernel took a RST, or reset the connection itself (tcp:tcp_receive_reset, G2). */
interface ResetReceivedEvent extends EventBase {
  kind: 'reset-received';
  socket: string;
  local: Endpoint;
  remote: Endpoint;
}

/** Any other probe of a capture: retransmissions, accept queue, functions. `name` and `values` as in docs/bundle.md. */
export interface ProbeEvent extends EventBase {
  kind: 'probe';
  name: string;
  socket: string | null;
  pid: number | null;
  comm: string | null;
  local: Endpoint;
  remote: Endpoint;
  /** Present when the probe saw a packet. */
  packet: PacketHeader | null;
  values: Readonly<Record<string, number>>;
  /** Values that are addresses of kernel structures, as printed; `0` is none. */
  pointers: Readonly<Record<string, string>>;
  /** Of tools other than a capture: what the line says, for the timeline. */
  said?: string;
}

/** A packet that the kernel dropped (skb:kfree_skb, tcp_drop). */
export interface DropEvent extends EventBase {
  kind: 'drop';
  pid: number | null;
  /** Sender and receiver of the dropped packet as printed (but see import-formats.md for IPv6). */
  from: Endpoint;
  to: Endpoint;
  state: TcpState | null;
  /** TCP flags of the packet; null when not printed. */
  flags: number | null;
  reason: { code: number | null; name: string | null } | null;
  /** Present when the tool prints the ends of the socket (`to` local, `from` remote): which one sent is not known. */
  socketEnds?: true;
  /**
   * Of tools that watch every drop in the kernel, on the way out too: whether the packet had come in through a device,
   * or had none yet. Absent where the stack or the tool's own nature tells.
   */
  place?: 'in' | 'out' | 'unknown';
  /** Of a firewall's log: the words of the line (prefix of a LOG rule), which alone say that the packet was dropped. */
  said?: string;
  /** Kernel functions, innermost first, without offsets. */
  stack: string[];
}

/** A call that a tool saw: connect, accept or close. A local port of 0 is one that it does not print. */
export interface CallEvent extends EventBase {
  kind: 'call';
  call: 'connect' | 'accept' | 'close';
  /** Nanoseconds until a SYN-ACK or RST answered the SYN (tcpconnlat). */
  answered?: number;
  pid: number;
  comm: string;
  local: Endpoint;
  remote: Endpoint;
}

/** The end of a connection as tcplife sums it up. */
interface LifeEvent extends EventBase {
  kind: 'life';
  pid: number;
  comm: string;
  local: Endpoint;
  remote: Endpoint;
  /** Bytes sent and received, in the tool's steps of 1 KiB or a hundredth of it. */
  sent: number;
  received: number;
  /** Nanoseconds from the first state the tool saw to CLOSE. */
  duration: number;
}

/** A kernel function was entered (bpftrace function traces, --walk). */
export interface WalkEvent extends EventBase {
  kind: 'walk';
  function: string;
  /** Address of the struct sock, request or minisock, in the source's own notation. */
  socket: string;
  /** Whoever was running, not necessarily the owner (G12). */
  pid: number | null;
  /** State before the function ran; null when not printed. */
  state: TcpState | null;
  /** tcp_set_state only: the state it sets. */
  newState: TcpState | null;
  /** sk_max_ack_backlog: a socket made by accept() inherits the listener's, one made by connect() has 0. */
  acceptLimit: number | null;
}

/** What an ICMP error says of a segment: it was refused, too big for a link, or its TTL ran out (RFC 792, RFC 4443). */
export interface IcmpEvent extends EventBase {
  kind: 'icmp';
  says: 'unreachable' | 'too-big' | 'expired' | 'other';
  /** The message in words: `host unreachable, administratively prohibited`. */
  text: string;
  /** Who sent it. */
  by: string;
  /** Sender and receiver of the segment that it quotes. */
  from: Endpoint;
  to: Endpoint;
  /** Sequence number of that segment and length of its IP packet; null where the text does not quote them. */
  seq: number | null;
  size: number | null;
  /** Largest packet that the next link takes, where it says so. */
  mtu: number | null;
  /** How many came that say the same of this connection, and when the last did. */
  count: number;
  last: SourceTime;
}

/** A line of the kernel's log about a limit of TCP or connection tracking. */
export interface LogEvent extends EventBase {
  kind: 'log';
  what:
    | 'syn-flood-cookies'
    | 'syn-flood-drops'
    | 'conntrack-full'
    | 'orphans'
    | 'memory'
    | 'socket-memory'
    | 'page-allocation'
    | 'process-killed'
    | 'martian'
    | 'time-wait-overflow'
    | 'backlog-reserve'
    | 'neighbours-full'
    | 'window-shrunk';
  /** Of the listener, where the line names it. */
  port: number | null;
  text: string;
}

/** Packets that the kernel dropped, of which the line names no connection. */
export interface DropCountEvent extends EventBase {
  kind: 'drop-count';
  /** Kernel function that freed them, without offset; an address where it has no name. */
  where: string;
  /** skb_drop_reason by its name; null when not printed. */
  reason: string | null;
  count: number;
}

/** What probes and tools say of one connection at one moment. */
export type ProbedEvent = ResetSentEvent | ResetReceivedEvent | ProbeEvent | LifeEvent;

export type KernelEvent =
  | StateEvent
  | DropEvent
  | CallEvent
  | SocketEvent
  | SnapshotEvent
  | CounterEvent
  | SysctlEvent
  | LifeEvent
  | WalkEvent
  | LogEvent
  | IcmpEvent
  | QueueCountEvent
  | StateCountEvent
  | DropCountEvent
  | ResetSentEvent
  | ResetReceivedEvent
  | ProbeEvent;
