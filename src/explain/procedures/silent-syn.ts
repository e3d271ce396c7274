/** A SYN that nobody answered, or only after it was sent again, as packets, states, tables and conntrack show it. */
import { sameEndpoint } from '../../model/address.ts';
import { CLIENT, type KeyPacket, SERVER } from '../../model/connection.ts';
import type { ProbeEvent } from '../../model/event.ts';
import { UNANSWERED } from '../../model/outcome.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import { ACK, RST, STATE_NAMES, SYN, seqDiff } from '../../model/tcp.ts';
import type { CommonTime } from '../../model/time.ts';
import {
  type Citation,
  eventEvidence,
  packetEvidence,
  rowEvidence,
  transitionEvidence,
} from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { Rise, Spell } from '../facts/steps.ts';
import { SHORTEST_RTO, SYN_RTO } from '../facts/timing.ts';
import type { WireFacts } from '../facts/wire.ts';
import { memoised } from '../memo.ts';
import type { Moment } from '../rule.ts';
import { refusedLooks } from './probed-syn.ts';
import { FIRST_TRY } from './silence.ts';
import { listed } from './unexplained-reset.ts';

const SYN_SENT = STATE_NAMES.indexOf('SYN_SENT');

/** An unanswered SYN, as the evidence shows it. */
export interface SilentSyn {
  /** SYNs seen; null when only a socket table, the state log or connection tracking shows the attempt. */
  syns: number | null;
  /** Seconds after the first at which it was sent again. */
  retries: number[];
  /** How often a table says that it was sent again. */
  resent?: number;
  /** The attempt succeeded in the end, after this long. */
  answeredAfter: number | null;
  /** The attempt was given up, as the client's state events say. */
  gaveUp: boolean;
  /** The capture holds nothing but SYNs, as a filter leaves them: an answer could not be in it. */
  isFiltered: boolean;
  /** Connection tracking alone tells of it: the state of the client's socket is not known. */
  isTracked?: true;
  /** Longer than the first retransmission takes; otherwise the answer may still have been under way. */
  overdue: boolean;
  moment: Moment | null;
  /** When those without an answer were sent. */
  lost: readonly Spell[];
  evidence: Citation[];
}

export const silentSyn = memoised((f: Facts): SilentSyn | null => {
  // of two captures the client's shows the SYNs that the server's lacks
  const seen = f.wires.map((wire) => onWire(f, wire)).filter((s) => s !== null);
  seen.sort((a, b) => (b.syns ?? 0) - (a.syns ?? 0));
  return seen[0] ?? inStates(f) ?? inTables(f) ?? inRetransmissions(f) ?? inConntrack(f);
});

function onWire(f: Facts, wire: WireFacts): SilentSyn | null {
  if (wire.of(wire.wire.syns, CLIENT) === 0) return null;
  // the answers are not in the file: that there were none it does not show
  if (wire.oneDirection || f.world.captures.isOneDirection(wire.wire.source)) return null;
  const own = wire.packets.filter((p) => (p.flags & (SYN | ACK)) === SYN && wire.sideOf(p) === CLIENT);
  const [first] = own;
  if (!first) return null;
  const ofServer = wire.packets.filter((p) => wire.sideOf(p) === SERVER);
  const answer = ofServer.find((p) => p.flags & RST || seqDiff(p.ack, first.seq + 1) === 0);
  const strangers = answer ? [] : ofServer.filter((p) => !(p.flags & (ACK | SYN)));
  if (strangers.length > 0 || (answer && !(answer.flags & (SYN | RST)))) return null;
  // its answer is in the list, without numbers
  if (listed(f).some((e) => sameEndpoint(e.local, f.endpoint(SERVER)))) return null;
  // each was answered, with numbers that the client could not take
  const until = (i: number) => own[i + 1]?.time ?? Number.POSITIVE_INFINITY;
  if (!answer && own.every((p, i) => ofServer.some((a) => a.time >= p.time && a.time < until(i))))
    return null;
  const before = answer ? own.filter((p) => p.time < answer.time) : own;
  // answered at the first try, or sent again at once because an old connection's ACK came back
  const waited = (before.at(-1)?.time ?? first.time) - first.time;
  if (answer && waited < SHORTEST_RTO) return null;
  const isTimed = f.world.source(wire.wire.source).clock.kind !== 'order';
  // the capture ends before the SYN could be sent again: its answer may have come
  const left = f.world.captures.span(wire.wire.source)[1] - first.time;
  if (isTimed ? waited < SHORTEST_RTO && left < SYN_RTO : own.length < 2) return null;
  const isFiltered = !answer && f.world.captures.holdsNoSynAcks(wire.wire.source);
  const retries = isTimed ? before.slice(1).map((p) => (p.time - first.time) / 1e9) : [];
  return {
    syns: before.length,
    retries,
    answeredAfter: answer ? answer.time - first.time : null,
    gaveUp: givenUp(f),
    isFiltered,
    overdue: !isFiltered || waited >= SHORTEST_RTO || !isTimed,
    moment: f.atPacket(wire, first),
    lost: before.slice(0, answer ? -1 : undefined).map((p) => [f.atPacket(wire, p), f.atPacket(wire, p)]),
    evidence: synEvidence(f, wire, before, answer),
  };
}

function synEvidence(
  f: Facts,
  wire: WireFacts,
  syns: KeyPacket[],
  answer: KeyPacket | undefined,
): Citation[] {
  const items = [packetEvidence(f, wire, syns[0]!, FIRST_TRY)];
  if (syns.length > 1) items.push(packetEvidence(f, wire, syns.at(-1)!, () => `try ${syns.length}`));
  if (answer) items.push(packetEvidence(f, wire, answer, 'the first answer'));
  return items;
}

function givenUp(f: Facts): boolean {
  return f.life(CLIENT)?.find('SYN_SENT', 'CLOSE') != null;
}

/** The client's socket stayed in SYN_SENT for longer than the first retransmission takes. */
function inStates(f: Facts): SilentSyn | null {
  const life = f.life(CLIENT);
  if (!life || f.wire) return null;
  const end = life.find('SYN_SENT', 'ESTABLISHED') ?? life.find('SYN_SENT', 'CLOSE');
  if (!end || end.duration === null || end.duration < SHORTEST_RTO) return null;
  const ended = f.atTransition(life, end);
  const begun = ended.at === null ? null : ((ended.at - end.duration) as CommonTime);
  return {
    syns: null,
    retries: [],
    answeredAfter: end.to === 'ESTABLISHED' ? end.duration : null,
    gaveUp: end.to === 'CLOSE',
    isFiltered: false,
    overdue: true,
    moment: ended,
    lost: [[{ ...ended, at: begun }, ended]],
    evidence: [transitionEvidence(f, life, end)],
  };
}

/** A table caught the client in SYN_SENT, and nothing shows that it got any further. */
function inTables(f: Facts): SilentSyn | null {
  if (f.wire || f.life(CLIENT)) return null;
  const rows = f.rows(CLIENT);
  if (rows.length === 0 || f.rows(SERVER).length > 0 || rows.some((r) => r.state !== 'SYN_SENT')) return null;
  const overdue = rows.length > 1 || rows.some((r) => (r.timer?.retransmits ?? 0) > 0);
  const resent = Math.max(...rows.map((r) => (r.timer?.name === 'on' ? r.timer.retransmits : 0)));
  return {
    ...waiting(f, rows),
    resent,
    overdue,
    evidence: rows.slice(0, 3).map((r) => rowEvidence(f.world, r)),
  };
}

/** The client's kernel sent the SYN again, and nothing shows that it got any further. */
function inRetransmissions(f: Facts): SilentSyn | null {
  const again = probedAlone(f, 'retransmit');
  if (again.length === 0 || again.some((e) => e.values.state !== SYN_SENT)) return null;
  return {
    ...waiting(f, again),
    resent: again.length,
    overdue: true,
    evidence: again.slice(0, 3).map((e) => eventEvidence(f.world, e, e.said ?? '')),
  };
}

/** Connection tracking saw no answer, which may have taken another way; that none came by it knows when the entry has ended. */
function inConntrack(f: Facts): SilentSyn | null {
  const entries = probedAlone(f, 'conntrack');
  if (entries.length === 0 || entries.some((e) => !e.values.unreplied)) return null;
  return {
    ...waiting(f, entries),
    isTracked: true,
    overdue: entries.some((e) => e.values.ended),
    evidence: entries.slice(0, 3).map((e) => eventEvidence(f.world, e, e.said ?? '')),
  };
}

/** What a probe said where there is no packet, no state and no row; none where anything else shows that the SYN was answered. */
function probedAlone(f: Facts, name: string): ProbeEvent[] {
  const { kernel, lives, rows, calls } = f.case;
  if (f.wire || lives[CLIENT] || lives[SERVER] || rows.length > 0) return [];
  // accept() returned it, connect() had its answer, it was closed or reset, or a segment with ACK came by
  if (calls.some((e) => e.call === 'accept' || e.answered !== undefined)) return [];
  if (kernel.some((e) => e.kind !== 'probe' || (e.packet && e.packet.flags & ACK))) return [];
  return kernel.filter((e) => e.kind === 'probe').filter((e) => e.name === name);
}

/** No packet is there: from the first to the last of what shows that it waited. */
function waiting(f: Facts, seen: readonly (SocketEvent | ProbeEvent)[]) {
  const [from, to] = [f.atEvent(seen[0]!), f.atEvent(seen.at(-1)!)];
  const spells: Spell[] = [[from, to]];
  return {
    syns: null,
    retries: [],
    answeredAfter: null,
    gaveUp: false,
    isFiltered: false,
    moment: from,
    lost: spells,
  };
}

/** Its SYNs had no answer here, and could have none: the capture holds nothing but SYNs. */
export function isFiltered(f: Facts): boolean {
  const { cases } = f.world.context;
  // many of which one capture alone tells: nothing is derived for it
  if (cases.outcome(f.n) !== UNANSWERED) return silentSyn(f)?.isFiltered ?? false;
  return [...cases.captures.keys()].some((source) => f.world.captures.holdsNoSynAcks(source));
}

/** What a counter of the server's host says of the SYNs that had no answer; null when it did not rise then. */
export function risen(f: Facts, name: string): Rise | null {
  const silent = silentSyn(f);
  const rise = silent && f.rise(SERVER, name, silent.lost);
  return rise && rise.sum > 0 ? rise : null;
}

/** Steps that may be its SYNs, refused by a full accept queue. */
export function overflowSteps(f: Facts): Rise | null {
  return risen(f, 'ListenOverflows');
}

/** SYNs of the connection that had no answer; null when only a table or a log tells of them. */
export function refusedSyns(f: Facts): number | null {
  const silent = silentSyn(f);
  if (!silent) return refusedLooks(f).length;
  if (silent.syns === null) return null;
  return silent.answeredAfter === null ? silent.syns : silent.syns - 1;
}
