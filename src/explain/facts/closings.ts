/** Closings of a listening socket, and what was closed or reset in the same system call (inet_csk_listen_stop). */
import type { Listener } from '../../model/case.ts';
import { SERVER, type SocketLife, type Transition } from '../../model/connection.ts';
import type { Moment } from '../rule.ts';
import type { Facts } from './facts.ts';
import { PREEMPTED, SAME_CALL } from './timing.ts';
import type { WireFacts, WireReset } from './wire.ts';
import type { World } from './world.ts';

export interface ServerReset {
  facts: Facts;
  wire: WireFacts;
  reset: WireReset;
  moment: Moment;
}

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

/** RSTs in the active shape that the server sent, in order of time within each capture. */
function activeResets(notable: readonly Facts[]): ServerReset[] {
  return notable
    .flatMap((facts) => {
      const { wire } = facts;
      const reset = wire?.decisiveReset;
      if (!wire || !reset || reset.side !== SERVER) return [];
      if (reset.shape !== 'active' && reset.shape !== 'unclear') return [];
      return [{ facts, wire, reset, moment: facts.atPacket(wire, reset.packet) }];
    })
    .sort((a, b) => a.moment.source - b.moment.source || a.reset.packet.time - b.reset.packet.time);
}

/** A connection that began after the first RST was not in the accept queue then. */
function begunBefore({ wire }: ServerReset, first: ServerReset): boolean {
  return wire.wire.source !== first.wire.wire.source || wire.packets[0]!.time < first.reset.packet.time;
}

/** RSTs on which the server had never sent a byte, those of one go together. */
export function findBursts(world: World, notable: readonly Facts[]): ServerReset[][] {
  const bursts: ServerReset[][] = [];
  let last: Moment | null = null;
  for (const reset of activeResets(notable).filter(neverAnswered)) {
    const burst = bursts.at(-1);
    if (burst && last && sameCall(world, reset.moment, last) && begunBefore(reset, burst[0]!))
      burst.push(reset);
    else bursts.push([reset]);
    last = reset.moment;
  }
  return bursts;
}

/** From the listener's own line on, its process closes one child after the other. */
export function findClosedTogether(
  world: World,
  closings: readonly Closing[],
  notable: readonly Facts[],
): Map<Facts, Closing> {
  const found = new Map<Facts, Closing>();
  for (const closing of closings) {
    const { life: listener, transition } = closing;
    const children = notable
      .flatMap((facts) => {
        const life = facts.life(SERVER);
        const end = life?.abort;
        const same = life?.life.source === listener.source && end?.pid === transition.pid;
        return life && end && same && end.line > transition.line ? [{ facts, life, end }] : [];
      })
      .sort((a, b) => a.end.line - b.end.line);
    let last = closing.moment;
    for (const { facts, life, end } of children) {
      const moment = facts.atTransition(life, end);
      // a close() of its own would have set sk_shutdown: without that only the listener's call disconnects one after the other
      const within = end.fields?.shutdown === 0 ? PREEMPTED : SAME_CALL;
      if (world.between(moment, last) !== null && !sameCall(world, moment, last, within)) break;
      found.set(facts, closing);
      last = moment;
    }
  }
  return found;
}

function sameCall(world: World, a: Moment, b: Moment, within = SAME_CALL): boolean {
  const apart = world.between(a, b);
  return apart !== null && Math.abs(apart) <= within;
}

/** The server sent no payload on this connection as far as the capture shows, and no FIN. */
function neverAnswered({ wire }: ServerReset): boolean {
  return wire.of(wire.wire.bytes, SERVER) === 0 && wire.of(wire.wire.fins, SERVER) === 0;
}
