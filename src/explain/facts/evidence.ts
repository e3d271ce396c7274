/** Evidence items: where a reader finds the fact again. */
import { formatEndpoint } from '../../model/address.ts';
import type { KeyPacket, Transition, WireConnection } from '../../model/connection.ts';
import type { DropEvent } from '../../model/event.ts';
import type { Evidence } from '../../model/finding.ts';
import { OPT_SACK } from '../../model/packet.ts';
import { eventPlace, packetPlace } from '../../model/source.ts';
import type { CounterEvent, SocketEvent } from '../../model/table-event.ts';
import { flagNames, RST } from '../../model/tcp.ts';
import type { CommonTime, SourceTime } from '../../model/time.ts';
import { count, processName, span } from '../words.ts';
import { meaningOfDrop } from './drop-reasons.ts';
import type { Facts } from './facts.ts';
import type { LifeFacts } from './life.ts';
import type { WireFacts } from './wire.ts';
import type { World } from './world.ts';

/** Words, or what makes them when they are read. */
export type Wording = string | (() => string);

export function worded(text: Wording): string {
  return typeof text === 'string' ? text : text();
}

/** A reference to a piece of evidence; it is put into words when a row is written or a finding shown. */
export interface Citation {
  /** As sources.csv counts them; null for reasoning over the other items. */
  source: number | null;
  /** Its frame or line there. */
  at: number;
  tell(): Evidence;
}

/** A conclusion from the items before it, or knowledge of the kernel: nothing to look up in a file. */
export function reasoning(fact: Wording): Citation {
  return { source: null, at: 0, tell: () => ({ source: null, at: '', time: '', fact: worded(fact) }) };
}

/** As sources.csv counts them. */
export function numberOf(source: number): number {
  return source + 1;
}

function at(world: World, source: number, time: CommonTime | null): string {
  const { timeline } = world.context;
  return timeline.format(time, timeline.label(source));
}

export function cite(source: number, at: number, tell: () => Omit<Evidence, 'source'>): Citation {
  const number = numberOf(source);
  return {
    source: number,
    at,
    tell: () => {
      const told = tell();
      return { source: number, at: told.at, time: told.time, fact: told.fact };
    },
  };
}

export function packetEvidence(facts: Facts, wire: WireFacts, p: KeyPacket, note: Wording = ''): Citation {
  const { world } = facts;
  const { source } = wire.wire;
  return cite(source, p.frame, () => ({
    at: packetPlace(world.source(source), p.frame),
    time: at(world, source, world.context.timeline.at(source, p.time)),
    fact: packetFact(
      facts.name(wire.sideOf(p)),
      p,
      wire.windowless,
      [resetText(world, source, p), worded(note)].filter(Boolean).join(': '),
    ),
  }));
}

/** Where a connection starts in a capture; what is said of it is of no one packet. */
export function frameEvidence(
  { world }: Facts,
  { source, startFrame }: WireConnection,
  fact: Wording,
): Citation {
  return cite(source, startFrame, () => ({
    at: packetPlace(world.source(source), startFrame),
    time: '',
    fact: worded(fact),
  }));
}

/** What the payload of a RST says, where it was captured. */
export function resetText(
  world: World,
  source: number,
  { flags, frame }: Pick<KeyPacket, 'flags' | 'frame'>,
): string {
  const text = flags & RST ? world.source(source).resetTexts?.get(frame) : undefined;
  return text === undefined ? '' : `with the text ${JSON.stringify(text)}`;
}

/** What a packet was, of the sender with this name. */
function packetFact(name: string, p: KeyPacket, windowless: boolean, note: string): string {
  const bare = [...(windowless ? [] : [`win ${p.window}`]), ...(p.options & OPT_SACK ? ['SACK'] : [])];
  const numbers = p.payload > 0 ? count(p.payload, 'byte') : bare.join(', ');
  return `${name} sent ${flagNames(p.flags)}${numbers && ` (${numbers})`}${note && `: ${note}`}`;
}

export function transitionEvidence(
  facts: Facts,
  life: LifeFacts,
  t: Transition,
  note: Wording = '',
): Citation {
  const { source } = life.life;
  return cite(source, t.line, () => ({
    at: `line ${t.line}`,
    time: at(facts.world, source, facts.atTransition(life, t).at),
    fact: transitionFact(facts.name(life.side), t, worded(note)),
  }));
}

/** What a change of state was, of the side with this name. */
function transitionFact(name: string, t: Pick<Transition, 'from' | 'to' | 'duration'>, note = ''): string {
  const spent = t.duration === null || t.duration === 0 ? '' : ` after ${span(t.duration)}`;
  return `${name}: ${t.from} → ${t.to}${spent}${note && `: ${note}`}`;
}

export function rowEvidence(world: World, row: SocketEvent, note: Wording = ''): Citation {
  return eventEvidence(world, row, () => rowFact(row, worded(note)));
}

function rowFact(row: SocketEvent, note: string): string {
  const owner = row.owner === 'known' ? `, process ${processName(row)}` : '';
  const none = row.owner === 'none' ? ', no process' : '';
  const timer = row.timer ? `, timer ${row.timer.name} ${span(row.timer.left)}` : '';
  return (
    `socket table: ${formatEndpoint(row.local)} to ${formatEndpoint(row.remote)} in ${row.state}` +
    `${row.withoutQueues ? '' : `, Recv-Q ${row.recvQ}`}${timer}${owner}${none}${note && `: ${note}`}`
  );
}

export function dropEvidence(world: World, drop: DropEvent, note: Wording = ''): Citation {
  return eventEvidence(world, drop, () => dropFact(drop, worded(note)));
}

function dropFact(drop: DropEvent, note: string): string {
  const flags = drop.flags === null ? 'a packet' : flagNames(drop.flags);
  const where = drop.stack.find((f) => !/^(tcp_drop|kfree_skb|sk_skb_reason_drop|__kfree_skb)/.test(f));
  const why = drop.reason?.name && !drop.said ? ` with reason ${drop.reason.name}` : '';
  const means = meaningOfDrop(drop.reason?.name);
  const state = drop.state === null ? '' : ` in state ${drop.state}`;
  return (
    `${drop.said ? `a log line ("${drop.said}") says that a firewall` : 'the kernel'} dropped ${flags} from ${formatEndpoint(drop.from)} to ${formatEndpoint(drop.to)}${state}` +
    `${where ? ` (in ${where})` : ''}${why}${means && ` (${means})`}${note && `: ${note}`}`
  );
}

export function counterEvidence(world: World, reading: CounterEvent, fact: Wording): Citation {
  return eventEvidence(world, reading, fact);
}

export function eventEvidence(
  world: World,
  e: { source: number; line: number; time: SourceTime | null },
  fact: Wording,
): Citation {
  return cite(e.source, e.line, () => ({
    at: eventPlace(world.source(e.source), e.line),
    time: at(world, e.source, world.context.timeline.at(e.source, e.time)),
    fact: worded(fact),
  }));
}
