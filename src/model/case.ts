/** A case: one connection with all that is known of it. The context: what is known of its hosts. */
import type { Endpoint } from './address.ts';
import type { Pair, SocketLife, WireConnection } from './connection.ts';
import type {
  CallEvent,
  DropCountEvent,
  DropEvent,
  IcmpEvent,
  LogEvent,
  ProbedEvent,
  ProbeEvent,
  WalkEvent,
} from './event.ts';
import type { Brief, Outcome } from './outcome.ts';
import type { Source } from './source.ts';
import type {
  CounterEvent,
  QueueCountEvent,
  SnapshotEvent,
  SocketEvent,
  StateCountEvent,
  SysctlEvent,
} from './table-event.ts';
import type { ClockLabel, CommonTime, SourceTime } from './time.ts';

export interface Case {
  /** c1, c2, … in the order of first sight. */
  id: string;
  client: Endpoint;
  server: Endpoint;
  /** False where nothing tells the client from the server: they are called so in the order of first sight only. */
  sided: boolean;
  /** Network namespaces (inode numbers) of both ends, where the kernel named them. */
  netns: Pair<string | null>;
  /** The capture that shows it best first; empty without packets. */
  wires: WireConnection[];
  /** Full sockets, [client's, server's]. */
  lives: Pair<SocketLife | null>;
  drops: DropEvent[];
  /** ICMP errors that quote a segment of it. */
  icmp: readonly IcmpEvent[];
  calls: CallEvent[];
  /** Rows of socket tables that show this tuple, from either side. */
  rows: SocketEvent[];
  /** What the probes of a capture said of it: RSTs sent and taken, retransmissions, functions. In the order of time. */
  kernel: ProbedEvent[];
  listener: Listener | null;
}

/** All connections, in the order of first sight from 0 on; each is made when it is asked for, and the id of n is `c` n + 1. */
export interface Cases extends Iterable<Case> {
  readonly count: number;
  /** Captures (Source.id) that show them, with the times of their first and last packets. */
  readonly captures: ReadonlyMap<number, readonly [SourceTime, SourceTime]>;
  /** Those of which a capture shows packets, ascending. */
  shownBy(source: number): Int32Array;
  /** Servers, by their numbers; `place` names the network namespace or host where several have the same endpoint. */
  readonly servers: readonly (Endpoint & { place?: string })[];
  at(n: number): Case;
  /** What the packets of one capture say, where nothing else tells of it and its tuple was used once; 0 where it has to be looked at. */
  outcome(n: number): Outcome;
  /** Number of its server. */
  server(n: number): number;
  /** Good until the next one is asked for. */
  brief(n: number): Brief;
  /** The number of an address that stands in Brief.keys. */
  keyOf(address: string): number;
  /** Times of SYN-ACKs of one with an outcome, by the clock of its capture. */
  synAcks(n: number, take: (time: number) => void): void;
}

/** n of a connection. */
export function numberOf({ id }: Pick<Case, 'id'>): number {
  return Number(id.slice(1)) - 1;
}

/** A listening socket: from state events, socket tables or the SYN-ACKs of a capture. */
export interface Listener {
  host: Host | null;
  local: Endpoint;
  lives: SocketLife[];
  rows: SocketEvent[];
  /** What a capture's probes said of the listening socket itself: accept-queue, listen-stop, syn-flood. */
  probes: ProbeEvent[];
}

/** One machine (or network namespace) the evidence comes from. */
export interface Host {
  /** From the prompt, manifest or --host; else its first local address. */
  name: string;
  /** True when only an address stands for the name. */
  unnamed: boolean;
  addresses: Set<string>;
  sources: Source[];
}

/** Counter readings of one host in order, with what each step added. */
export interface CounterSeries {
  source: Source;
  /** null when the files do not say whose counters these are. */
  host: Host | null;
  readings: CounterEvent[];
}

/** The sysctls that one source shows. */
export interface Settings {
  /** Null when nothing says whose they are. */
  host: Host | null;
  values: ReadonlyMap<string, string>;
  /** Where each was read last. */
  readings: ReadonlyMap<string, SysctlEvent>;
  /** Those that were read with another value before: which of them held when is not known. */
  changed: ReadonlySet<string>;
}

/** Everything around the cases that a rule may look at. */
export interface Context {
  sources: Source[];
  hosts: Host[];
  cases: Cases;
  listeners: Listener[];
  counters: CounterSeries[];
  snapshots: SnapshotEvent[];
  /** Whole lives of a source's tables and logs that belong to no case, e.g. of listeners. */
  settings: Settings[];
  /** Kernel functions as traces saw them entered, in the order of their lines; they name no connection. */
  /** Lines of kernel logs, counts of sockets, counts of drops: of no connection. */
  log: readonly LogEvent[];
  stateCounts: readonly StateCountEvent[];
  queueCounts: readonly QueueCountEvent[];
  dropCounts: readonly DropCountEvent[];
  walks: WalkEvent[];
  timeline: Timeline;
}

/** What alignment found: how every source's times reach the common timeline. */
export interface Timeline {
  /** Time of a record of a source on the common timeline of its clock domain; null when it has no time. */
  at(source: number, time: SourceTime | null): CommonTime | null;
  /** Time of a transition, also through durations where the source prints no times. */
  ofTransition(life: SocketLife, index: number): CommonTime | null;
  /** True when common times of the two sources may be compared: both lie in one clock domain. */
  comparable(a: number, b: number): boolean;
  /** What the common timeline is for this source. */
  label(source: number): ClockLabel;
  /** RFC 3339, time of day, or seconds since the first event, as `label` says; '' for null. */
  format(time: CommonTime | null, label: ClockLabel): string;
  /** Nanoseconds since 1970, as they are written; '' where the label is not `utc`. */
  epochNs(time: CommonTime | null, label: ClockLabel): string;
  fits: ClockFit[];
}

/** How one source's clock was brought to another's. */
export interface ClockFit {
  source: string;
  reference: string;
  /** `anchored` (same clock or anchors), `estimated` (pairs), `none`. */
  method: 'anchored' | 'estimated' | 'none';
  /** Nanoseconds added to the source's time (relative to both bases). */
  offset: number | null;
  /** Parts per million, 0 when the span is too short to tell. */
  drift: number;
  /** Median and largest distance of the pairs from the fit, in nanoseconds. */
  residual: number | null;
  worst: number | null;
  pairs: number;
  message: string;
}
