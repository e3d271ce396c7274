/**
 * What is found of a host and of no connection: lines of its kernel's log, counts of its sockets, its counters. A cause is
 * named as it would be of a connection; such a finding has no connection, and of the server's endpoint at most the port.
 */
import type { Confidence, Finding, FindingSide, Missing, Severity } from '../../model/finding.ts';
import type { Citation } from '../facts/evidence.ts';
import type { World } from '../facts/world.ts';
import type { Explained, Moment } from '../rule.ts';
import { type RuleId, ruleById } from '../rules/index.ts';
import { counted } from './counted.ts';
import { dropped } from './dropped.ts';
import { limited } from './limited.ts';
import { logged } from './logged.ts';
import { manyInState } from './many-in-state.ts';
import { queues } from './queues.ts';

/** What one kind of evidence says of a host. */
export interface Sign {
  rule: RuleId;
  confidence: Confidence;
  severity: Severity;
  side: FindingSide;
  moment: Moment | null;
  summary: string;
  remedy: string;
  evidence: Citation[];
  missing?: Missing[];
  alternatives?: RuleId[];
  /** Of the listener, where it is known. */
  port?: number;
}

/** Each is given what is told of connections, which need not be said twice. */
type Reader = (world: World, explained: readonly Explained[]) => Sign[];

const READERS: readonly Reader[] = [logged, manyInState, queues, dropped, counted, limited];

export function findingsOfHosts(world: World, explained: readonly Explained[]): Finding[] {
  return READERS.flatMap((read) => read(world, explained)).map((sign) => finding(sign, world));
}

function finding(
  { port = 0, moment, missing = [], alternatives = [], ...sign }: Sign,
  world: World,
): Finding {
  const { timeline } = world.context;
  const clock = moment ? timeline.label(moment.source) : 'order';
  return {
    ...sign,
    evidence: sign.evidence.map((e) => e.tell()),
    connection: '',
    group: ruleById(sign.rule)!.group,
    role: 'verdict',
    client: { address: '', port: 0 },
    server: { address: '', port },
    time: timeline.format(moment?.at ?? null, clock),
    clock,
    missing,
    alternatives,
  };
}
