import type { Endpoint } from './address.ts';
import type { ClockLabel } from './time.ts';

export type Group = 'close' | 'syn' | 'fin-wait2' | 'stuck';
export const GROUPS: readonly Group[] = ['close', 'syn', 'fin-wait2', 'stuck'];

/** The verdict of a group, an earlier step of the same story, or something worth noting besides. */
export type Role = 'verdict' | 'stage' | 'note';

/**
 * `proved`: the kernel said so, or the wire alone admits one cause. `inferred`: signature plus context leave one
 * likely cause. `possible`: consistent, others are too; the finding lists them.
 */
export type Confidence = 'proved' | 'inferred' | 'possible';
export const CONFIDENCE_ORDER: readonly Confidence[] = ['proved', 'inferred', 'possible'];
/** The gravest first. */
export const SEVERITY_ORDER: readonly Severity[] = ['error', 'warning', 'info'];

/** Least first. */
export const SEVERITIES = ['info', 'warning', 'error'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Where the fault or act lies. */
export type FindingSide = 'client' | 'server' | 'path';

/** One checkable fact. */
export interface Evidence {
  /** Number of the source (sources.csv, from 1); null for reasoning over the other items. */
  source: number | null;
  /** `frame 12`, `line 7`, `lines 5, 9`, or ''. */
  at: string;
  /** As formatted for its clock, '' when the source has none. */
  time: string;
  fact: string;
}

/** What would settle the question and is in none of the inputs, and how to record it. */
export interface Missing {
  /** What it is, and why it is not there where a capture says so. */
  what: string;
  /** Name of the capture's piece (bpf/, docs/bundle.md) that records it; '' for packets, tables, counters and settings. */
  probe: string;
  /** The host it is to be recorded on: its name, else its address; '' where either end will do. */
  host: string;
  /** Port of the server. */
  port: number;
  /** The command that records it; '' where the host's capture could not attach the probe, or has recorded it at another time. */
  command: string;
}

export interface Finding {
  connection: string;
  rule: string;
  group: Group;
  role: Role;
  confidence: Confidence;
  severity: Severity;
  side: FindingSide;
  client: Endpoint;
  server: Endpoint;
  time: string;
  clock: ClockLabel;
  summary: string;
  remedy: string;
  evidence: Evidence[];
  missing: Missing[];
  /** Rule ids, likeliest first. */
  alternatives: string[];
}
