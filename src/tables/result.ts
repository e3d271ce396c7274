/** The one serialisable result that every output is written from. */
import type { Endpoint } from '../model/address.ts';
import type { ClockFit } from '../model/case.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Finding } from '../model/finding.ts';
import type { Activity, Incident, ServerHealth } from '../model/incident.ts';
import type { Answer, CauseGroup, Durations, Ending, Reconciliation, SettingInfo } from '../model/result.ts';
import type { ClockLabel } from '../model/time.ts';
import type { ConnectionRow } from './connections.ts';
import type { RuleInfo } from './rules.ts';
import type { InputSummary } from './sources.ts';

export type TimelineKind =
  | 'packet'
  | 'state'
  | 'reset'
  | 'drop'
  | 'icmp'
  | 'retransmit'
  | 'listener'
  | 'counter'
  | 'socket'
  | 'call'
  | 'walk'
  | 'log'
  | 'aggregate';

export const TIMELINE_FILE = 'timeline.csv';

/** What a segment said; numbers as on the wire. */
export interface Segment {
  /** `SYN`, `FIN ACK`, `PSH ACK`. */
  flags: string;
  seq: number;
  ack: number;
  /** null: its list does not have it. */
  window: number | null;
  /** Bytes of payload. */
  length: number;
}

/** A row of timeline.csv. */
export interface TimelineItem {
  /** Place in the order, from 1. */
  number: number;
  /** Nanoseconds on the common timeline, for charts; null when only the order is known. */
  at: number | null;
  time: string;
  clock: ClockLabel;
  timeSource: string;
  connection: string;
  kind: TimelineKind;
  side: 'client' | 'server' | '';
  what: string;
  /** Of a packet. */
  segment: Segment | null;
  /** What the kernel gave as the reason of a drop or a reset, by its name; '' elsewhere. */
  reason: string;
  stateBefore: string;
  stateAfter: string;
  pid: number | null;
  comm: string;
  source: string;
  locator: string;
  /** Nanoseconds since the first state of the same socket, by the durations its tool printed: where `at` is null. */
  elapsed?: number | null;
  /** Numbers behind `what`, for charts: `acceptQueue`, `acceptLimit`, `tcpFlags`, counters by their kernel names. */
  measures?: Readonly<Record<string, number>>;
}

/** What an output counts instead of listing it: there is too much of it that is alike. */
export interface Aggregation {
  /** Output file. */
  file: string;
  what: 'connections';
  listed: number;
  of: number;
  text: string;
}

/** Connections that are alike in server, ending and cause. */
export interface UnlistedGroup extends Ending {
  server: Endpoint;
  /** Rules that hold for each of them. */
  rules: string[];
  connections: number;
  /** Addresses they came from. */
  clients: number;
}

/** Connections of one big capture beyond those listed: they stand one by one in the CSV files only. */
export interface UnlistedPart {
  connections: number;
  groups: UnlistedGroup[];
  /** How long FIN_WAIT2 lasted on the wire. */
  finWait2: Durations | null;
  /** The same of the full socket, where logs of states tell of it; absent where none does. */
  finWait2Kernel?: Durations;
}

export interface Result {
  tool: { name: 'tcpautopsy'; version: string };
  command: string;
  /** What was replaced or left out, when the result was redacted. */
  redaction?: string;
  /** What happened, in at most five sentences. */
  story: string[];
  /** Said of a result of which only a part is shown. */
  cut?: string;
  /** The gravest first; empty where nothing is wrong. */
  incidents: Incident[];
  /** Those with most hurt connections first. */
  servers: ServerHealth[];
  /** Null where too few of its problems have a time. */
  activity: Activity | null;
  /** Of all connections where tables of them are written, else of those listed; null of none. */
  durations: { handshake: Durations | null; lasted: Durations | null };
  inputs: InputSummary[];
  hosts: { name: string; addresses: string[] }[];
  causes: CauseGroup[];
  /** Of each rule that holds for some connection. */
  rules: RuleInfo[];
  findings: Finding[];
  connections: ConnectionRow[];
  timeline: TimelineItem[];
  clocks: ClockFit[];
  counters: Reconciliation[];
  answers: Answer[];
  settings: SettingInfo[];
  diagnostics: Diagnostic[];
  /** Absent while everything is listed. */
  aggregated?: Aggregation[];
  /** Connections of one big capture of which there is nothing to tell, or that are like many others; absent when all are listed. */
  unlisted?: UnlistedPart;
}
