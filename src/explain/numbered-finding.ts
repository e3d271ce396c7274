/** Findings as Verdicts holds them: numbers at hand, words when they are read. */
import type { Finding, FindingSide, Role, Severity } from '../model/finding.ts';
import type { ClockLabel } from '../model/time.ts';
import type { Facts } from './facts/facts.ts';
import type { Explained, Moment, Rule } from './rule.ts';
import type { Verdicts } from './verdicts.ts';

/** One finding: its numbers are there, its words are made when they are read. */
export class NumberedVerdict implements Explained {
  readonly #verdicts: Verdicts;
  readonly #i: number;

  constructor(verdicts: Verdicts, i: number) {
    this.#verdicts = verdicts;
    this.#i = i;
  }

  get n(): number {
    return this.#verdicts.connectionAt(this.#i);
  }

  get moment(): Moment | null {
    return this.#verdicts.momentAt(this.#i);
  }

  get facts(): Facts {
    return this.#verdicts.world.facts(this.n);
  }

  get rule(): Rule {
    return this.#verdicts.ruleAt(this.#i);
  }

  get finding(): Finding {
    return new NumberedFinding(this.#verdicts, this.#i);
  }
}

class NumberedFinding implements Finding {
  readonly #verdicts: Verdicts;
  readonly #i: number;

  constructor(verdicts: Verdicts, i: number) {
    this.#verdicts = verdicts;
    this.#i = i;
  }

  get #n(): number {
    return this.#verdicts.connectionAt(this.#i);
  }

  get connection(): string {
    return `c${this.#n + 1}`;
  }

  get rule(): string {
    return this.#verdicts.ruleAt(this.#i).id;
  }

  get group(): Finding['group'] {
    return this.#verdicts.field(this.#i).group;
  }

  get role(): Role {
    return this.#verdicts.field(this.#i).role;
  }

  get confidence(): Finding['confidence'] {
    return this.#verdicts.field(this.#i).confidence;
  }

  get severity(): Severity {
    return this.#verdicts.field(this.#i).severity;
  }

  get side(): FindingSide {
    return this.#verdicts.field(this.#i).side;
  }

  get client(): Finding['client'] {
    return this.#verdicts.world.facts(this.#n).case.client;
  }

  get server(): Finding['server'] {
    return this.#verdicts.world.facts(this.#n).case.server;
  }

  get time(): string {
    return this.#verdicts.moment(this.#i).time;
  }

  get clock(): ClockLabel {
    return this.#verdicts.moment(this.#i).clock;
  }

  get summary(): string {
    return this.#told.summary;
  }

  get remedy(): string {
    return this.#told.remedy;
  }

  get evidence(): Finding['evidence'] {
    return this.#told.evidence;
  }

  get missing(): Finding['missing'] {
    return this.#told.missing;
  }

  get alternatives(): string[] {
    return this.#told.alternatives;
  }

  /** A rule has one finding a side, as a rule; of several that of the same moment. */
  get #told(): Finding {
    const own = this.#verdicts.words(this.#n).filter((f) => f.rule === this.rule && f.side === this.side);
    return own.find((f) => f.time === this.time) ?? own[0]!;
  }
}
