/**
 * What a capture's probes say of the side that closed first (kernel-notes §4.1): tcp_time_wait with its substate, the
 * minisock's birth and end, and the flags of the full socket as it left FIN_WAIT1 and FIN_WAIT2.
 */
import type { SideIndex } from '../../model/connection.ts';
import type { ProbeEvent, SocketFields } from '../../model/event.ts';
import { eventEvidence, reasoning, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { LifeFacts } from '../facts/life.ts';
import { DELAYED_ACK_MIN, MARGIN } from '../facts/timing.ts';
import { span } from '../words.ts';
import { type Candidate, withEvidence } from './candidate.ts';
import { type Make, named, SIDE_NAMES, timeWaitOverflow } from './common.ts';
import { byKeepaliveTimer, outlives60s } from './keepalive-timer.ts';

const FIN_WAIT2 = 5;
const RCV_SHUTDOWN = 1;
/** Whether the socket left FIN_WAIT2 by the hand-over to a minisock, and what came of it; empty when nothing says. */
export function probedFinWait2(f: Facts, life: LifeFacts, make: Make): Candidate[] {
  const told = byFunctions(f, life, make);
  return told.length > 0 ? told : byFlags(f, life, make);
}

/** tcp_time_wait, and inet_twsk_alloc within it. */
function byFunctions(f: Facts, life: LifeFacts, make: Make): Candidate[] {
  const { side } = life;
  const call = f.probes.of('time-wait', side)[0];
  if (!call) return [];
  const alloc = f.probes.of('minisock-alloc', side)[0];
  const evidence = [call, alloc]
    .filter((e) => e !== undefined)
    .map((e) => eventEvidence(f.world, e, () => said(e)));
  if (alloc?.pointers.minisock === '0') {
    const because = 'tcp_time_wait was called and inet_twsk_alloc gave no timewait socket';
    return [withEvidence(make('time-wait-overflow', 'proved', because), evidence)];
  }
  if (call.values.substate !== FIN_WAIT2 || byKeepaliveTimer(f, life, call)) return [];
  const because = 'tcp_time_wait(FIN_WAIT2) handed the connection over to a timewait socket';
  const c = make('fin-wait2-in-minisock', alloc ? 'proved' : 'inferred', because);
  if (alloc) return [withEvidence(c, evidence)];
  return [withEvidence(c, evidence), ...named(['time-wait-overflow'], SIDE_NAMES[side]!)];
}

function said(e: ProbeEvent): string {
  if (e.name === 'minisock-alloc')
    return e.pointers.minisock === '0'
      ? 'inet_twsk_alloc: no timewait socket was to be had'
      : 'inet_twsk_alloc: a timewait socket';
  const state = e.values.substate === FIN_WAIT2 ? 'FIN_WAIT2' : 'TIME_WAIT';
  return `tcp_time_wait(${state}, ${e.values.jiffies} jiffies)`;
}

/**
 * SOCK_DEAD when the FIN was acknowledged: its process had closed it. SOCK_DONE at the end of FIN_WAIT2: the full
 * socket itself took the peer's FIN; without it tcp_time_wait(FIN_WAIT2) did, once resets and errors are excluded.
 */
function byFlags(f: Facts, life: LifeFacts, make: Make): Candidate[] {
  const start = life.find('FIN_WAIT1', 'FIN_WAIT2');
  const end = life.find('FIN_WAIT2', 'CLOSE');
  const [then, last] = [start?.fields, end?.fields];
  if (!start || !end || then?.dead === undefined || last?.dead === undefined) return [];
  if (stillHeld(then)) {
    const because = () => `its process still held the socket when its FIN was acknowledged${after(life)}`;
    const note = 'not SOCK_DEAD, and only its sending side was shut down';
    return [withEvidence(make('half-close', 'proved', because), [transitionEvidence(f, life, start, note)])];
  }
  const stayed = life.finWait2 ?? 0;
  if (!then.dead || !last.dead || last.error !== undefined) return [];
  const longer = last.done ? stayed >= DELAYED_ACK_MIN && outlives60s(f, life) : byKeepaliveTimer(f, life);
  if (longer) return orphanStayed(f, life, last, make);
  if (last.done) {
    const because = () => `the full socket took the peer's FIN within ${stay(life)}`;
    const c = make('fin-with-ack', stayed < MARGIN ? 'inferred' : 'possible', because);
    return [c, ...named(['long-fin-wait2'], SIDE_NAMES[life.side]!)];
  }
  if (endedByOwnReset(f, life)) return [];
  return handedOver(f, life, make);
}

/** The descriptor was open; with the receiving side shut down as well, close() may be waiting in SO_LINGER. */
export function stillHeld({ dead, shutdown }: SocketFields): boolean {
  return dead === false && shutdown !== undefined && (shutdown & RCV_SHUTDOWN) === 0;
}

function orphanStayed(f: Facts, life: LifeFacts, last: SocketFields, make: Make): Candidate[] {
  const timeout = f.sysctl(life.side, 'net.ipv4.tcp_fin_timeout');
  const known = timeout !== null && timeout > 60 ? `, and tcp_fin_timeout is ${timeout} s` : '';
  const how = last.done ? "until it took the peer's FIN itself" : 'until a timer handed it over';
  const because = () =>
    `no process held it, and the full socket stayed in FIN_WAIT2 for ${stay(life)}, ${how}${known}`;
  return [make('long-fin-wait2', 'inferred', because), ...named(['half-close'], SIDE_NAMES[life.side]!)];
}

function handedOver(f: Facts, life: LifeFacts, make: Make): Candidate[] {
  const { side } = life;
  const because = () =>
    `the full socket left FIN_WAIT2 after ${stay(life)} without having taken a FIN, as tcp_time_wait hands it over to a timewait socket`;
  const evidence = [reasoning('at CLOSE it was SOCK_DEAD and not SOCK_DONE, and had no error')];
  const overflow = timeWaitOverflow(f, side);
  const c = withEvidence(make('fin-wait2-in-minisock', 'inferred', because), evidence);
  if (overflow !== null && overflow > 0) {
    const none = () => `${because()}; TCPTimeWaitOverflow rose by ${overflow}, so there may have been none`;
    const met = f.wire?.decisiveReset;
    const reset = met?.side === side && met.shape === 'passive';
    const lost = withEvidence(make('time-wait-overflow', reset ? 'inferred' : 'possible', none), evidence);
    return reset ? [lost, c] : [{ ...c, confidence: 'possible' }, lost];
  }
  return [c, ...named(['time-wait-overflow'], SIDE_NAMES[side]!)];
}

/** A reset of its own, or one that it took, belongs to the same moment. */
function endedByOwnReset(f: Facts, life: LifeFacts): boolean {
  const end = life.find('FIN_WAIT2', 'CLOSE')!;
  const at = { source: life.life.source, time: end.time };
  return f.case.kernel.some((e) => {
    if (e.kind === 'probe' || e.kind === 'life' || e.socket !== life.life.socket) return false;
    const apart = f.probes.apart(e, at);
    return apart !== null && Math.abs(apart) <= MARGIN;
  });
}

function stay(life: LifeFacts): string {
  return span(life.finWait2 ?? 0);
}

function after(life: LifeFacts): string {
  return life.finWait2 === null ? '' : `, and FIN_WAIT2 lasted ${stay(life)}`;
}

/** The end of a minisock in FIN_WAIT2 by its timer, told as what it was. */
export function expiryText(f: Facts, side: SideIndex, killed: ProbeEvent): string {
  const start = f.probes.of('minisock-alloc', side)[0];
  const lived = start ? f.probes.apart(killed, start) : null;
  return `the FIN_WAIT2 timewait socket of ${f.name(side)} ended${lived === null ? '' : ` after ${span(lived)}`} without a packet that could have ended it`;
}
