/** Closings of a listening socket, and what was closed or reset in the same system call (inet_csk_listen_stop). */
import type { Listener } from '../../model/case.ts';
import { SERVER, type SocketLife, type Transition } from '../../model/connection.ts';
import type { Moment } from '../rule.ts';
import type { Facts } from './facts.ts';
import type { LifeFacts } from './life.ts';
import type { ServerReset } from './own-resets.ts';
import { PREEMPTED, SAME_CALL } from './timing.ts';
import type { World } from './world.ts';

export interface Closing {
  life: SocketLife;
  transition: Transition;
  moment: Moment;
}

export function findClosings(world: World, listeners: readonly Listener[]): Closing[] {
  const { timeline } = world.context;
  return listeners.flatMap(({ lives }) =>
    lives.flatMap((life) =>
      life.transitions.flatMap((transition, i) =>
        transition.from === 'LISTEN' && transition.to === 'CLOSE'
          ? [{ life, transition, moment: { source: life.source, at: timeline.ofTransition(life, i) } }]
          : [],
      ),
    ),
  );
}

/** A connection that began after the first RST was not in the accept queue then. */
function begunBefore({ moment, began }: ServerReset, first: ServerReset): boolean {
  return moment.source !== first.moment.source || began < first.time;
}

/** So many bursts may be there by chance before one says anything. */
const BY_CHANCE = 0.01;

/**
 * RSTs on which the server had never sent a byte, those of one go together; unless resets are so many in the capture
 * that as many fall together by chance.
 */
export function findBursts(world: World, resets: readonly ServerReset[]): ServerReset[][] {
  return fallenTogether(world, resets).flatMap((burst) => {
    if (burst.length === 1) return [burst];
    const [first, last] = [burst[0]!, burst.at(-1)!];
    const byChance = world.burstsByChance(first.moment.source, burst.length, last.time - first.time);
    return byChance < BY_CHANCE ? [burst] : burst.map((reset) => [reset]);
  });
}

function fallenTogether(world: World, resets: readonly ServerReset[]): ServerReset[][] {
  const bursts: ServerReset[][] = [];
  let last: Moment | null = null;
  for (const reset of resets) {
    const burst = bursts.at(-1);
    if (burst && last && sameCall(world, reset.moment, last) && begunBefore(reset, burst[0]!))
      burst.push(reset);
    else bursts.push([reset]);
    last = reset.moment;
  }
  return bursts;
}

/**
 * The children that a listener took with it: from LISTEN → CLOSE on its process disconnects one after the other, as many as
 * sk_ack_backlog held, where that was read.
 */
export function findClosedTogether(
  world: World,
  closings: readonly Closing[],
  notable: readonly Facts[],
): Map<number, Closing> {
  const found = new Map<number, Closing>();
  for (const closing of closings) {
    const { life: listener, transition } = closing;
    const children = notable
      .flatMap((facts) => {
        const life = facts.life(SERVER);
        const end = life?.abort;
        const same = life?.life.source === listener.source && end?.pid === transition.pid;
        return life && end && same && isAfter(end, transition) && !wasAccepted(facts, life)
          ? [{ facts, life, end }]
          : [];
      })
      .sort((a, b) => (isAfter(a.end, b.end) ? 1 : -1));
    let last = closing.moment;
    for (const { facts, life, end } of children.slice(0, transition.fields?.backlog)) {
      const moment = facts.atTransition(life, end);
      // a close() of its own would have set sk_shutdown: without that only the listener's call disconnects one after the other
      const within = end.fields?.shutdown === 0 ? PREEMPTED : SAME_CALL;
      if (world.between(moment, last) !== null && !sameCall(world, moment, last, within)) break;
      found.set(facts.n, closing);
      last = moment;
    }
  }
  return found;
}

/** By the kernel's time, where it was printed finely; else by the order of the lines. */
function isAfter(a: Transition, b: Transition): boolean {
  const timed = a.time !== null && b.time !== null && a.time !== b.time;
  return timed ? a.time! > b.time! : a.line > b.line;
}

/** Both bits of sk_shutdown on a socket that was open: close() set them, and tcp_disconnect does not. */
const CLOSED_BY_CALL = 3;

/** A process had it: it was accepted, written to or read from, or closed by a call of its own. */
function wasAccepted(f: Facts, { abort, life }: LifeFacts): boolean {
  if (f.case.calls.some((c) => c.call === 'accept') || f.rows(SERVER).some((r) => r.owner === 'known'))
    return true;
  if (f.probes.of('accept').length > 0) return true;
  if (f.wire !== null && f.wire.of(f.wire.wire.bytes, SERVER) > 0) return true;
  const [opened, ended] = [life.transitions.find((t) => t.to === 'ESTABLISHED')?.fields, abort?.fields];
  if (ended?.shutdown === CLOSED_BY_CALL) return true;
  if (ended?.unread === undefined || opened?.receiveNext === undefined) return false;
  const received = (ended.receiveNext! - opened.receiveNext) | 0;
  return received > ended.unread || ((ended.sendNext! - opened.sendNext!) | 0) > 0;
}

function sameCall(world: World, a: Moment, b: Moment, within = SAME_CALL): boolean {
  const apart = world.between(a, b);
  return apart !== null && Math.abs(apart) <= within;
}
