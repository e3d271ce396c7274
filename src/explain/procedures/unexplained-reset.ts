/** A reset that nothing here explains, and what can cause one, by where it came. */
import { formatEndpoint, sameEndpoint } from '../../model/address.ts';
import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import type { ProbedEvent, ProbeEvent, ResetSentEvent } from '../../model/event.ts';
import { FIN, RST, type TcpState } from '../../model/tcp.ts';
import { eventEvidence, reasoning } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { RuleId } from '../rules/index.ts';
import type { Candidate } from './candidate.ts';
import { maker, named, SIDE_NAMES } from './common.ts';

export const CAUSES_LIVE: readonly RuleId[] = [
  'unread-data-reset',
  'linger-zero-reset',
  'no-socket-reset',
  'keepalive-timeout-reset',
  'retransmission-timeout',
  'disconnect-reset',
  'socket-destroy-reset',
];
/** By the state in which the reset came: in FIN_WAIT1 this side had closed, in CLOSE_WAIT the sender of the RST. */
export const CAUSES_FROM: Record<string, readonly RuleId[]> = {
  FIN_WAIT1: [
    'data-after-close-reset',
    'unread-data-reset',
    'no-socket-reset',
    'retransmission-timeout',
    'memory-pressure-reset',
    'linger-zero-reset',
    'disconnect-reset',
    'socket-destroy-reset',
  ],
  CLOSE_WAIT: [
    'time-wait-data-reset',
    'data-after-close-reset',
    'fin-wait2-expired-reset',
    'linger2-reset',
    'no-socket-reset',
    'unread-data-reset',
    'linger-zero-reset',
    'keepalive-timeout-reset',
    'disconnect-reset',
    'socket-destroy-reset',
  ],
};
const CAUSES_OF_LISTENER: readonly RuleId[] = [
  'listener-closed-reset',
  'cookie-overflow-reset',
  'request-expired-reset',
  'abort-on-overflow-reset',
];

/** Segments that a list shows without their numbers (`tshark -T fields` of a few columns, flows of hubble), in its order. */
export function listed(f: Facts): ProbeEvent[] {
  const isListed = ({ name }: ProbeEvent) => name === 'segment' || name === 'hubble-flow';
  return f.case.kernel.filter((e) => e.kind === 'probe').filter(isListed);
}

/** tcp:tcp_send_reset, as a probe of ours tells it or as the line of a trace. */
function isSentReset(e: ProbedEvent): e is ResetSentEvent | ProbeEvent {
  return e.kind === 'reset-sent' || (e.kind === 'probe' && e.name === 'tcp_send_reset');
}

function reasonOf(e: ProbedEvent): string | null {
  if (e.kind === 'reset-sent') return e.reason;
  return e.kind === 'probe' ? (/\breason (\w+)/.exec(e.said ?? '')?.[1] ?? null) : null;
}

/** What a trace without packets and states says of a reset: who sent it or took it, and at most the kernel's reason. */
export function tracedReset(f: Facts): Candidate[] {
  if (f.lives.length > 0 || f.wire) return [];
  const e = f.case.kernel.find((e) => e.kind === 'reset-received' || isSentReset(e));
  if (!e) return [];
  const isClient = sameEndpoint(e.local, f.endpoint(CLIENT));
  const side: SideIndex = isClient === (e.kind !== 'reset-received') ? CLIENT : SERVER;
  const reason = reasonOf(e);
  const says = () => (reason === null ? '' : `reason ${reason}`);
  const evidence = [eventEvidence(f.world, e, says)];
  const all = unexplained(f, side, evidence, f.atEvent(e));
  if (reason !== 'NO_SOCKET') return all;
  const because = `a packet met no socket (NO_SOCKET): a SYN to a port on which nothing listens, or a packet of a connection that was gone`;
  const make = maker({ side: SIDE_NAMES[side]!, moment: f.atEvent(e), evidence });
  const rules: RuleId[] = side === SERVER ? ['connection-refused', 'no-socket-reset'] : ['no-socket-reset'];
  return [make(rules[0]!, 'possible', because), ...named(rules.slice(1), SIDE_NAMES[side]!)];
}

/** A RST of such a list, which does not show what it answers: empty when both sides had closed before. */
export function listedReset(f: Facts): Candidate[] {
  const all = listed(f);
  const reset = all.find((e) => hasFlag(e, RST));
  if (!reset) return [];
  const before = all.slice(0, all.indexOf(reset));
  const closed = new Set(before.filter((e) => hasFlag(e, FIN)).map((e) => formatEndpoint(e.local)));
  if (closed.size === 2) return [];
  const side = sameEndpoint(reset.local, f.endpoint(CLIENT)) ? CLIENT : SERVER;
  const isFirst = side === SERVER && !before.some((e) => sameEndpoint(e.local, reset.local));
  const evidence = [eventEvidence(f.world, reset, reset.said ?? '')];
  const [first, ...others] = unexplained(f, side, evidence, f.atEvent(reset));
  return [first!, ...(isFirst ? named(['connection-refused'], 'server') : []), ...others];
}

function hasFlag({ packet }: ProbeEvent, flag: number): boolean {
  return packet !== null && packet !== undefined && (packet.flags & flag) !== 0;
}

/** A reset whose cause nothing here tells, with what can cause one in such a place. */
export function unexplained(
  f: Facts,
  side: SideIndex,
  evidence: Candidate['evidence'],
  moment: Candidate['moment'],
  from?: TcpState,
): Candidate[] {
  const isOwn = (e: ProbeEvent) => sameEndpoint(e.local, f.endpoint(side));
  const isSeen =
    f.case.kernel.some((e) => isSentReset(e) && sameEndpoint(e.local, f.endpoint(side))) ||
    f.wires.some((w) => w.of(w.wire.rsts, side) > 0) ||
    listed(f).some((e) => hasFlag(e, RST) && isOwn(e));
  const what = isSeen ? 'sent a RST' : 'sent a RST, or the connection was given up';
  const because = () => `${f.name(side)} ${what}; nothing here says why`;
  const first: Candidate = {
    rule: 'unexplained-reset',
    side: SIDE_NAMES[side],
    confidence: 'possible',
    because,
    moment,
    evidence: [...evidence, reasoning(because)],
  };
  const causes = CAUSES_FROM[from ?? ''] ?? CAUSES_LIVE;
  const queue = side === SERVER ? CAUSES_OF_LISTENER : [];
  return [first, ...named([...causes, ...queue], SIDE_NAMES[side])];
}
