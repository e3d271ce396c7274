/**
 * Resets to a packet that met no socket of its connection, only the listener or nothing (reset reasons TCP_FLAGS,
 * INVALID_SYN and NO_SOCKET): what had become of the socket, as the probes of requests, cookies and minisocks tell.
 */
import { sameEndpoint } from '../../model/address.ts';
import type { ProbeEvent } from '../../model/event.ts';
import { eventEvidence, transitionEvidence, type Wording } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { heldText, isFullLook, lookOf } from '../facts/queue.ts';
import { PREEMPTED, SHORTEST_FIN_WAIT2 } from '../facts/timing.ts';
import type { RuleId } from '../rules/index.ts';
import { count, span } from '../words.ts';
import { type Candidate, withEvidence } from './candidate.ts';
import { maker, named, timeWaitOverflow } from './common.ts';
import type { KernelSaid } from './kernel-said.ts';

/** TW_RST: what tcp_timewait_state_process returns when the minisock is to reset. */
const TW_RST = 1;

/** The listener itself: there was no request, or none that would take the packet (kernel-notes §2.0). */
export function listenerMet(said: KernelSaid): Candidate[] {
  if (said.isSyn) return [];
  return (
    abortedOnOverflow(said) ??
    expiredRequest(said) ??
    failedCookie(said) ??
    lostMinisock(said) ??
    leftToMinisock(said) ??
    noMinisock(said) ??
    []
  );
}

/** No socket at all. */
export function nothingLeft(said: KernelSaid): Candidate[] {
  return lostMinisock(said) ?? leftToMinisock(said) ?? noMinisock(said) ?? gone(said) ?? [];
}

/**
 * Causes in which a socket of the connection met the packet: not these when the kernel says that none did, or only the
 * listener, which is looked up last (__inet_lookup_skb).
 */
const MET_A_SOCKET: ReadonlySet<string> = new Set([
  'time-wait-data-reset',
  'data-after-close-reset',
  'linger2-reset',
]);

/** What the packets admit, less what the kernel's own word excludes. */
export function withoutSocket(said: KernelSaid | null, candidates: Candidate[]): Candidate[] {
  if (said?.met !== 'none' && said?.met !== 'LISTEN') return candidates;
  const left = candidates.filter((c) => !MET_A_SOCKET.has(c.rule));
  return left.some((c) => c.evidence.length > 0) ? left : candidates;
}

function told(said: KernelSaid, rule: RuleId, because: Wording, events: readonly ProbeEvent[]): Candidate[] {
  const make = maker({ side: said.sideName, moment: said.moment, evidence: said.evidence() });
  const more = events.slice(0, 4).map((e) => eventEvidence(said.f.world, e, () => describe(said.f, e)));
  return [withEvidence(make(rule, 'proved', because), more)];
}

/** What a probe said, in words. */
function describe(f: Facts, e: ProbeEvent): string {
  const look = lookOf(f.world, e);
  const queue = look ? `: ${heldText(look)}` : '';
  return `the kernel's ${e.name}${queue}`;
}

/** S-ABORT-OVERFLOW: the very packet that found no room is reset. */
function abortedOnOverflow(said: KernelSaid): Candidate[] | null {
  const refused = said.about('child-refused').filter((e) => isFullLook(looked(e)));
  const [first] = refused;
  if (first) {
    const because = () => `${heldText(looked(first))} when its ACK came, and tcp_abort_on_overflow is 1`;
    return told(said, 'abort-on-overflow-reset', because, refused);
  }
  // tcp_check_req gives the same reason to a packet with SYN
  if (said.reason !== 'INVALID_SYN' || said.hasSyn) return null;
  const look = said.f.listener.queueBefore(said.moment);
  const held = () => (look && isFullLook(look) ? heldText(look) : 'its accept queue was full');
  const because = () => `${held()} when its ACK came, and tcp_abort_on_overflow is 1`;
  return told(said, 'abort-on-overflow-reset', because, look ? [look.event] : []);
}

/** S-REQ-EXPIRED: the timer of the request had removed it. */
function expiredRequest(said: KernelSaid): Candidate[] | null {
  const removed = said.f.probes
    .of('request-removed')
    .filter((e) => before(said, e) && e.values.from_timer === 1);
  const last = removed.at(-1);
  if (!last) return null;
  const orphaned = listenerGone(said, last);
  if (orphaned) return orphaned;
  const ago = said.f.probes.apart(said.event, last) ?? 0;
  const acked = last.values.acked === 1 ? ', although an ACK for it had come and found no room' : '';
  const because = () =>
    `the timer had removed its half-open connection ${span(ago)} before, after ${count(last.values.retransmits ?? 0, 'repeated SYN-ACK')}${acked}`;
  return told(said, 'request-expired-reset', because, [last]);
}

/** The request outlived its listener until its timer saw that (reqsk_timer_handler: not TCP_LISTEN); this one is another. */
function listenerGone(said: KernelSaid, removed: ProbeEvent): Candidate[] | null {
  const { probes, listener } = said.f;
  const stop = listener.probes.find(
    (e) =>
      e.name === 'listen-stop' &&
      e.socket === removed.pointers.listener &&
      (probes.apart(removed, e) ?? -1) >= 0,
  );
  if (!stop) return null;
  const ago = probes.apart(said.event, stop) ?? 0;
  const because = () =>
    `the listening socket that held its half-open connection was closed ${span(ago)} before, the connection went with it, and the one that listens there now knows nothing of it`;
  return told(said, 'no-socket-reset', because, [stop, removed]);
}

/** The cookie's own ACK found the accept queue full, and a later segment is no cookie. */
function failedCookie(said: KernelSaid): Candidate[] | null {
  const checks = said.f.probes.of('cookie-check').filter((e) => before(said, e));
  const refused = checks.find((e) => e.pointers.result === '0' && isFullLook(looked(e)));
  const failed = said.about('cookie-check').find((e) => e.pointers.result === e.socket);
  if (!refused || !failed) return null;
  const because = () =>
    `${heldText(looked(refused))} when the ACK of its SYN cookie came, and this segment is no valid cookie`;
  return told(said, 'cookie-overflow-reset', because, [refused, failed]);
}

/** The minisock that stood for FIN_WAIT2 had ended by its timer: nothing but time killed it. */
function lostMinisock(said: KernelSaid): Candidate[] | null {
  const expiry = expiredMinisock(said.f, said.side);
  if (!expiry || !before(said, expiry)) return null;
  const ago = said.f.probes.apart(said.event, expiry) ?? 0;
  return told(
    said,
    'fin-wait2-expired-reset',
    () => `its FIN_WAIT2 timewait socket had ended ${span(ago)} before`,
    [expiry],
  );
}

/**
 * No probe saw the minisock, but the full socket had handed FIN_WAIT2 over to one (SOCK_DEAD, no FIN taken, no error)
 * longer ago than the least that one lives, and none was refused for want of room.
 */
function leftToMinisock(said: KernelSaid): Candidate[] | null {
  const { f, side } = said;
  const life = f.life(side);
  const end = life?.find('FIN_WAIT2', 'CLOSE');
  const fields = end?.fields;
  if (!life || !end || !fields?.dead || fields.done || fields.error !== undefined) return null;
  const ago = f.probes.apart(said.event, { source: life.life.source, time: end.time });
  const overflow = timeWaitOverflow(f, side);
  if (ago === null || ago < SHORTEST_FIN_WAIT2 || overflow !== 0) return null;
  const met = said.met === 'LISTEN' ? 'only the listener' : 'no socket at all';
  const because = () =>
    `its socket had left FIN_WAIT2 to a timewait socket ${span(ago)} before, and ${said.offender} met ${met}: the timewait socket had ended`;
  const make = maker({ side: said.sideName, moment: said.moment, evidence: said.evidence() });
  return [
    withEvidence(make('fin-wait2-expired-reset', 'inferred', because), [transitionEvidence(f, life, end)]),
    ...named(['no-socket-reset'], said.sideName),
  ];
}

/** It met nothing sooner after FIN_WAIT2 than a minisock can have ended: none was made (tcp_max_tw_buckets), or it was killed. */
function noMinisock(said: KernelSaid): Candidate[] | null {
  const { f, side } = said;
  const life = f.life(side);
  const end = life?.find('FIN_WAIT2', 'CLOSE') ?? life?.find('CLOSING', 'CLOSE');
  if (!life || !end) return null;
  const ago = f.probes.apart(said.event, { source: life.life.source, time: end.time });
  if (ago === null || ago < 0 || ago >= SHORTEST_FIN_WAIT2) return null;
  const overflow = timeWaitOverflow(f, side) ?? 0;
  const counted = () => (overflow > 0 ? `, and TCPTimeWaitOverflow rose by ${overflow}` : '');
  const because = () =>
    `its socket had left ${end.from} ${span(ago)} before, and no timewait socket stood for it when ${said.offender} came${counted()}`;
  const make = maker({ side: said.sideName, moment: said.moment, evidence: said.evidence() });
  return [
    withEvidence(make('no-socket-reset', 'inferred', because), [transitionEvidence(f, life, end)]),
    ...named(['fin-wait2-expired-reset'], said.sideName),
  ];
}

/** The side's socket was seen to end before, and not in FIN_WAIT2: then nothing can have stood for it. */
function gone(said: KernelSaid): Candidate[] | null {
  const life = said.f.life(said.side);
  const end = life?.life.transitions.at(-1);
  if (
    !life ||
    end?.to !== 'CLOSE' ||
    life.closedFirst ||
    end.from === 'LAST_ACK' ||
    life.life.missing.length > 0
  )
    return null;
  const apart = said.f.probes.apart(said.event, { source: life.life.source, time: end.time });
  if (apart === null || apart < 0) return null;
  const because = () =>
    `no socket was left for ${said.offender}: it had gone from ${end.from} to CLOSE ${span(apart)} before`;
  if (end.from === 'SYN_SENT') return told(said, 'no-socket-reset', because, []);
  // it ended without a RST of its own: whatever ended it, by a timer most likely, is the cause
  const make = maker({ side: said.sideName, moment: said.moment, evidence: said.evidence() });
  return [
    make('no-socket-reset', 'inferred', because),
    ...named(['retransmission-timeout', 'keepalive-timeout-reset'], said.sideName),
  ];
}

/** The end of a FIN_WAIT2 minisock that no packet brought about; null when no probe tells of one. */
export function expiredMinisock(f: Facts, side: 0 | 1): ProbeEvent | null {
  const killed = f.probes.of('minisock-kill', side).find((e) => e.values.substate === 5);
  if (!killed) return null;
  // the return of that call may be told late, on a CPU that had other work, and nothing reaches it once it is gone
  const reset = f.probes
    .near(['minisock-packet'], killed, killed.socket, PREEMPTED)
    .some(
      (e) =>
        e.values.verdict === TW_RST || (e.packet !== null && sameEndpoint(e.packet.to, f.endpoint(side))),
    );
  return reset ? null : killed;
}

function before(said: KernelSaid, e: ProbeEvent): boolean {
  return (said.f.probes.apart(said.event, e) ?? -1) >= 0;
}

function looked(e: ProbeEvent): { held: number; limit: number } {
  return { held: e.values.backlog ?? 0, limit: e.values.limit ?? 0 };
}
