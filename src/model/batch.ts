/** What a batch keeps of each group: the rows that its roll-up is made of. */
import type { Confidence, Severity } from './finding.ts';

/** One cause at one listener in a group. Times are RFC 3339 UTC, '' where no clock reaches it. */
export interface CauseAt {
  rule: string;
  title: string;
  severity: Severity;
  /** Of the least sure of its gravest findings. */
  confidence: Confidence;
  /** `10.0.0.1:80`. */
  listener: string;
  /** Where the fault or act lies: the host's name where the files give it, else its address. */
  host: string;
  connections: number;
  first: string;
  last: string;
  /** Connections by hour (`2026-11-03T14`). */
  hours: Record<string, number>;
}

/** Which group it is, whatever became of it. */
export interface GroupHead {
  key: string;
  place: string;
  reason: string;
  version: string;
  /** SHA-256 over what its members hold: the same for the same captures, whatever they are called, the version and the options. */
  content: string;
  /** Paths of its members. */
  members: string[];
  bytes: number;
}

/** Where the output of a group lies in OUT. */
export function folderOfKey(key: string): string {
  return `groups/${key.slice(0, 2)}/${key.slice(2, 4)}/${key}`;
}

/** `done.json` in the folder of a group. */
export interface GroupRow extends GroupHead {
  hosts: string[];
  /** UTC day of its first record, or `unknown`. */
  day: string;
  first: string;
  last: string;
  packets: number;
  lines: number;
  connections: number;
  /** Connections with a finding above info. */
  problems: number;
  /** Kinds of damage or loss. */
  damage: { code: string; place: string; at: string; message: string; count: number }[];
  causes: CauseAt[];
}

/** `failure.json` in the folder of a group that could not be analysed. */
export interface Failure extends GroupHead {
  /** Where it failed: `read`, `analysis`, `memory`, `time`, `size`, `worker`. */
  stage: string;
  /** `byte 512`, `line 7`, or ''. */
  at: string;
  message: string;
  attempts: number;
}
