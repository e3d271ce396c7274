/** The one serialisable result that every output is written from. */
import type { Endpoint } from './address.ts';
import type { ClockFit } from './case.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Confidence, Finding, Group, Severity } from './finding.ts';
import type { Activity, Incident, ServerHealth } from './incident.ts';
import type { Stack } from './stack.ts';
import type { ClockLabel } from './time.ts';

export type CloseKind = 'fin' | 'rst' | 'timeout' | 'refused' | 'unanswered' | 'open' | 'unknown';

/** A row of connections.csv; null is an empty cell. */
export interface ConnectionRow {
  id: string;
  host: string;
  netns: string;
  client: Endpoint;
  server: Endpoint;
  startTime: string;
  endTime: string;
  clock: ClockLabel;
  durationS: number | null;
  /** Nanoseconds since 1970, all digits; '' without UTC. */
  startEpochNs: string;
  /** From the first SYN to the third segment of the handshake, else to ESTABLISHED of the client's socket. */
  handshakeS: number | null;
  closeKind: CloseKind;
  closedBy: 'client' | 'server' | 'both' | 'none';
  firstFinBy: 'client' | 'server' | '';
  resetBy: 'client' | 'server' | 'middle' | '';
  /** sk_rst_reason of the first RST that the kernel sent for it, by its name. */
  kernelResetReason: string;
  closeRule: string;
  closeConfidence: Confidence | '';
  synRule: string;
  finWait2Rule: string;
  stuckRule: string;
  connState: string;
  history: string;
  completeness: number | null;
  clientPackets: number | null;
  serverPackets: number | null;
  clientBytes: number | null;
  serverBytes: number | null;
  clientSyns: number | null;
  serverSynAcks: number | null;
  clientRetransmits: number | null;
  serverRetransmits: number | null;
  finWait2WireS: number | null;
  finWait2KernelS: number | null;
  clientPid: number | null;
  clientComm: string;
  clientContainer: string;
  clientPod: string;
  serverPid: number | null;
  serverComm: string;
  serverContainer: string;
  serverPod: string;
  clientStack: Stack;
  serverStack: Stack;
  encapsulation: string;
  sources: string[];
}

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
  window: number;
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

/** What a rule says of all its findings. */
export interface RuleInfo {
  rule: string;
  title: string;
  remedy: string;
  /** Kernel function, RFC. */
  reference: string;
}

/** Connections that share one cause, told as one. */
export interface CauseGroup {
  rule: string;
  title: string;
  group: Group;
  severity: Severity;
  /** Weakest to strongest confidence among its findings. */
  confidence: Confidence;
  connections: string[];
  /** Besides those, connections that are counted and not listed, and how many of each confidence; absent when there are none. */
  unlisted?: { connections: number; confidences: Partial<Record<Confidence, number>> };
  summary: string;
  remedy: string;
  /** What recordings of another time, with the probes that its findings lack, prove of the same server; absent when there are none. */
  settled?: string[];
}

/** A setting of a host that decided something here. */
export interface SettingInfo {
  name: string;
  value: string;
  /** What the value means. */
  meaning: string;
}

/** A question people ask of such files, answered from them. */
export interface Answer {
  question: string;
  answer: string;
}

/** How a counter's steps are explained by the connections seen. */
export interface Reconciliation {
  counter: string;
  host: string;
  source: string;
  from: number | null;
  to: number;
  /** null when there is one reading only: a total since boot. */
  delta: number | null;
  explained: number | null;
  text: string;
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
export interface UnlistedGroup {
  server: Endpoint;
  closeKind: CloseKind;
  closedBy: ConnectionRow['closedBy'];
  resetBy: ConnectionRow['resetBy'];
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

/** In four bins a decade (their middles). */
export interface Durations {
  bins: { seconds: number; connections: number }[];
  shortest: number;
  longest: number;
}

export interface InputSummary {
  name: string;
  format: string;
  host: string;
  clock: string;
  clockLabel: ClockLabel;
  records: number;
  /** What the records are. */
  unit: 'packets' | 'lines';
  /** Times of its first and last record, as `clock` says; '' without any. */
  first: string;
  last: string;
  /** Of the file, in hexadecimal, where it was asked for. */
  sha256?: string;
  /** Of a capture that was rotated, in the order of their packets. */
  files?: { name: string; sha256?: string }[];
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
