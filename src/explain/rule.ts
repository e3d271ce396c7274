/**
 * What a rule is: a named cause, the kernel condition behind it, and a function that says whether it holds for a
 * case. Adding a rule: one file under rules/, one line in rules/index.ts, a fixture.
 */
import type { Confidence, Finding, FindingSide, Group, Severity } from '../model/finding.ts';
import type { CloseKind } from '../model/result.ts';
import type { CommonTime } from '../model/time.ts';
import type { Citation } from './facts/evidence.ts';
import type { Facts } from './facts/facts.ts';
import type { Mask } from './mask.ts';
import type { Wanted } from './missing.ts';
import type { Procedure } from './procedures/candidate.ts';
import type { RuleId } from './rules/index.ts';

/** When something happened: the source that timed it, and its time on the common timeline (null when unknown). */
export interface Moment {
  source: number;
  at: CommonTime | null;
}

/** What a rule decides of one case, in numbers and references; the runner adds identity and role. A rule adds what it found. */
export interface Verdict {
  confidence: Confidence;
  side: FindingSide;
  moment: Moment | null;
  evidence: readonly Citation[];
  /** Other rule ids that fit as well, likeliest first. */
  alternatives?: readonly RuleId[];
  /** Where they are not the rule's own. */
  severity?: Severity;
  group?: Group;
  /** What to do, where the connection shows more than the cause: without names, for a group has one for all. */
  remedy?: string;
}

/** What is said of a verdict when a row is written or a finding shown. */
export interface Words {
  summary: string;
  remedy: string;
  /** What would settle it; left out is what the inputs hold already, and all of what is proved. */
  missing?: readonly Wanted[];
}

/** A finding with the facts it was drawn from. */
export interface Explained {
  /** Place of its connection among all. */
  n: number;
  moment: Moment | null;
  facts: Facts;
  rule: Rule;
  finding: Finding;
}

/** What a signature needs: a kind of evidence, finer than what files hold. */
export type Witness =
  | 'packets'
  /** Captures of both ends. */
  | 'captures'
  | 'states'
  /** Struct fields that a capture reads through BTF at its tracepoints. */
  | 'fields'
  /** Reset and drop reasons. */
  | 'reasons'
  | 'drops'
  /** The function tier of a capture. */
  | 'functions'
  | 'tables'
  | 'counters'
  /** Lines of the kernel's log, which name no connection. */
  | 'log';

/** How a cause shows itself to one kind of evidence on which kernels, and how sure it may be claimed by that. */
export interface Signature {
  /** All of these are needed. */
  by: readonly Witness[];
  /** `6.12+`, `any`. */
  kernels: string;
  claims: Confidence;
  sign: string;
}

/** `Id`: the name of its file, by which it is called everywhere. `V`: its verdicts, with what it found. */
export type Rule<Id extends string = string, V extends Verdict = Verdict> = About<Id, V> & Decision<V>;

/** Of its own, or of a procedure that several rules share: the rule of its likeliest candidate is the one that holds. */
type Decision<V> =
  /** null: does not apply. No sentence is made here: of most that is decided, none is ever read. */
  { decide(facts: Facts): V | V[] | null; by?: undefined } | { by: Procedure };

interface About<Id extends string, V extends Verdict> {
  id: Id;
  group: Group;
  /** Short and human, for headings: `Accept queue full: SYN dropped`. */
  title: string;
  severity: Severity;
  /** What is said of its connections, after their number: `were refused, because nothing listens there`. */
  happened: string;
  /** The kernel's condition in words. */
  condition: string;
  /** The rule is asked when the connection shows one of these: without them it cannot hold. */
  when: Mask;
  /** Kernel function, RFC. */
  reference: string;
  /** The surest first. No finding is surer than the signatures of its evidence allow. */
  signatures: readonly Signature[];
  /** This rule is an earlier step of the story when one of these holds for the same connection. */
  stageOf?: readonly RuleId[];
  /** Names the cause of a reset although it is not of the close group: it fills close_rule as well. */
  namesReset?: boolean;
  /** It says what is to be seen and names no cause: nothing of it is uncertain. */
  factual?: boolean;
  /** How the connections end whose close it decides; of a rule of the handshake, how those end of which nothing came. */
  closes?: CloseKind;
  /** So a connection ends that met no trouble: tables say it and counts count it, and it is no finding. */
  normal?: boolean;
  /** Linux's way alone: of a host not known to run it never more than possible. */
  linuxOnly?: boolean;
  /** Packets alone can prove it, for it is a fact of the wire; of the process behind them they prove nothing. */
  wireProves?: boolean;
  /** Worth knowing besides, and never what decides a connection. */
  noteOnly?: boolean;
  tell(facts: Facts, verdict: V): Words;
  /**
   * All connections of this cause in one paragraph that is true of each of them; without it what happened, and the first
   * as an example. MAYBE stands where the caller says how sure it is.
   */
  together?(explained: readonly Explained[]): string;
  /** What is to be done of all of them, where that of one holds its own numbers. */
  remedyOfAll?(explained: readonly Explained[]): string;
}
