/** What a batch says over all its groups. Plain data: page, Markdown, CSV and charts are written from it. */
import type { Confidence, Severity } from './finding.ts';

/** One cause over all groups. Times are RFC 3339 UTC, '' where none is known. */
export interface RolledCause {
  rule: string;
  title: string;
  severity: Severity;
  confidence: Confidence;
  groups: number;
  connections: number;
  hosts: string[];
  listeners: string[];
  first: string;
  last: string;
  /** At none of its places before `newSince`. */
  isNew: boolean;
  /** Where it is: listeners with their hosts; and those of them where it was not before `newSince`. */
  places: number;
  newPlaces: number;
}

/** A cause at one listener and host: a row of rollup.csv. */
export interface RolledAt {
  rule: string;
  severity: Severity;
  confidence: Confidence;
  listener: string;
  host: string;
  groups: number;
  connections: number;
  first: string;
  last: string;
  isNew: boolean;
}

export interface Rollup {
  version: string;
  groups: number;
  /** Groups with a finding above info. */
  withCauses: number;
  /** Groups that are read although something of them is damaged. */
  withDamage: number;
  connections: number;
  bytes: number;
  hosts: string[];
  first: string;
  last: string;
  causes: RolledCause[];
  at: RolledAt[];
  /** Connections by rule and hour (`2026-11-03T14`). */
  hours: { rule: string; hour: string; connections: number }[];
  /** Groups that show the same causes at the same listeners, the largest set first. */
  alike: { causes: string[]; groups: { key: string; place: string; first: string }[]; of: number }[];
  /** Every group that shows something above info, by time: links of the page. */
  shown: { key: string; place: string; first: string; rules: string[]; connections: number; html: boolean }[];
  failures: { key: string; place: string; stage: string; at: string; message: string }[];
  /** Some of those with damage, and what it is. */
  damaged: { key: string; place: string; message: string; at: string }[];
  /** Groups whose files are no more where they were. */
  gone: { key: string; place: string }[];
  /** Groups of the plan that are not done. */
  missing: number;
  /** What is called new was not there before: `the last run`, or a day or time; null: there was no run, and nothing is new. */
  newSince: string | null;
}
