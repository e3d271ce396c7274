/** What explaining says of connections and hosts, as plain data. */
import type { Confidence, Group, Severity } from './finding.ts';

export type CloseKind = 'fin' | 'rst' | 'timeout' | 'refused' | 'unanswered' | 'open' | 'unknown';

/** How a connection ended, and who ended it. */
export interface Ending {
  closeKind: CloseKind;
  closedBy: 'client' | 'server' | 'both' | 'none';
  /** `middle`: something on the path; '' without a RST. */
  resetBy: 'client' | 'server' | 'middle' | '';
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

/** In four bins a decade (their middles). */
export interface Durations {
  bins: { seconds: number; connections: number }[];
  shortest: number;
  longest: number;
}
