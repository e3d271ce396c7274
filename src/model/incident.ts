/** One fault with all that followed from it: what the first screen of every output shows. */
import type { Confidence, Severity } from './finding.ts';
import type { ClockLabel } from './time.ts';

/** A cause, and what followed from it. */
export interface IncidentCause {
  /** Rule id; '' for a fault that no single connection shows, such as a process that does not accept. */
  rule: string;
  title: string;
  severity: Severity;
  /** Connections it holds for; those of its consequences are counted there. */
  connections: number;
  /** How many of them by confidence. */
  confidences: Partial<Record<Confidence, number>>;
  children: IncidentCause[];
}

/** How often something happened in each step of an axis. */
export interface Counts {
  label: string;
  counts: number[];
}

/** The incident on one axis of time, in equal steps. */
export interface Picture {
  /** Begin of the first step and end of the last one, as `clock` says. */
  from: string;
  to: string;
  clock: ClockLabel;
  /** Length of a step in seconds. */
  step: number;
  /** Connections by the step in which each cause met them, the root's first. */
  causes: (Counts & { rule: string })[];
  /** How full the accept queue was at most in each step, null where nobody looked. */
  queue: { limit: number | null; held: (number | null)[] } | null;
}

export interface Incident {
  /** What happened, in one sentence as sure as it is. */
  headline: string;
  severity: Severity;
  /** The weakest of the findings that make it so grave; null where no finding of a connection says it. */
  confidence: Confidence | null;
  cause: IncidentCause;
  /** Processes, with pid, container, host and server, as far as known. */
  who: string[];
  /** First and last moment that is known of it; '' without times. */
  since: string;
  until: string;
  clock: ClockLabel;
  /** Seconds between them. */
  lasted: number | null;
  /** Hurt, of all to the same servers. */
  connections: number;
  of: number;
  clients: number;
  ofClients: number;
  servers: number;
  /** The one thing to do. */
  action: string;
  /** Null where there is one moment only, or none. */
  picture: Picture | null;
  /** An example, for a closer look; '' where no connection is. */
  example: string;
}

/** All problem connections on one axis of time. */
export interface Activity extends Pick<Picture, 'from' | 'to' | 'clock' | 'step' | 'causes'> {
  /** Those with most of them. */
  servers: Counts[];
}

/** What became of the connections to one server. */
export interface ServerHealth {
  server: string;
  connections: number;
  clients: number;
  /** Connections with a finding above info. */
  hurt: number;
  /** Those without one that the server answered, as far as the evidence goes. */
  well: number;
  /** Of these such that it closed first, without having sent a byte to a client that had. */
  unserved: number;
}
