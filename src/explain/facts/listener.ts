/** What the connections of one server endpoint, its listening socket and its counters say together. */
import { listenersAt } from '../../align/orient.ts';
import type { Endpoint } from '../../model/address.ts';
import type { Case, CounterSeries, Listener } from '../../model/case.ts';
import type { Process } from '../../model/case-process.ts';
import { SERVER, type SocketLife } from '../../model/connection.ts';
import type { ProbeEvent } from '../../model/event.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import { EVENTS, isHealthy, type Mask, ODD_STATES, STATES } from '../mask.ts';
import { byName, memoised } from '../memo.ts';
import type { Moment } from '../rule.ts';
import { type Closing, findBursts, findClosedTogether, findClosings } from './closings.ts';
import type { Facts } from './facts.ts';
import { answerTimes, concurrentHandshakes, halfOpen, synAckTimes } from './handshakes-at.ts';
import { hasBetween } from './numbers.ts';
import type { ServerReset } from './own-resets.ts';
import { isAboveLimit, isFullLook, isOfItsTime, lookBefore, type QueueLook, queueLooks } from './queue.ts';
import { type Step, stepsOf } from './steps.ts';
import type { World } from './world.ts';

/** A look at the accept queue in a socket table. */
export interface QueueSight {
  row: SocketEvent;
  /** Connections in the same snapshot that no process owns: not accepted yet. */
  unaccepted: SocketEvent[];
  /** True when the table could show owners at all: the listener's own was visible. */
  ownersVisible: boolean;
}

// Outside of the class: of a hundred thousand servers few are asked, and a closure of each for each is 5 KB.
const notableOf = memoised((l: ListenerFacts) => [...l.showing(~0)]);
/** The listening socket as each source shows it: logs and tables of one host are not always known to be of one. */
const listenersOf = memoised(({ world, members }: ListenerFacts): Listener[] => {
  const { server, listener } = world.facts(members[0]!).case;
  const matches = listenersAt(server, world.context.listeners);
  return listener && !matches.includes(listener) ? [...matches, listener] : matches;
});
const closingsOf = memoised((l: ListenerFacts) => findClosings(l.world, listenersOf(l)));
const burstsOf = memoised(({ world, number }: ListenerFacts) =>
  findBursts(world, world.ownResets.byServer.get(number) ?? []),
);
const burstsByConnection = memoised(
  (l: ListenerFacts) => new Map(burstsOf(l).flatMap((b) => b.map((r) => [r.facts.n, b]))),
);
const closedTogetherOf = memoised((l: ListenerFacts) =>
  findClosedTogether(l.world, closingsOf(l), [...l.showing(ODD_STATES)]),
);
const sightsOf = memoised((l: ListenerFacts): QueueSight[] => {
  const rows = listenersOf(l).flatMap((own) => own.rows);
  return rows.map((row) => {
    const unaccepted = l.world.snapshots
      .of(row)
      .rows.filter((r) => r.facts.listener.number === l.number && r.facts.rows(SERVER).includes(r.row))
      .map((r) => r.row)
      .filter((r) => r.owner === 'none' && isEstablishedChild(r));
    return { row, unaccepted, ownersVisible: row.owner === 'known' };
  });
});
const fullSightsOf = memoised((l: ListenerFacts) => sightsOf(l).filter(isFull));
const probesOf = memoised((l: ListenerFacts) => listenersOf(l).flatMap((own) => own.probes));
const looksOf = memoised((l: ListenerFacts) => queueLooks(l.world, listenersOf(l), l.showing(EVENTS)));
const closeWaitOf = memoised((l: ListenerFacts) =>
  [...l.showing(STATES)].reduce((most, f) => Math.max(most, f.life(SERVER)?.closeWait ?? 0), 0),
);
const stepsByName = memoised((l: ListenerFacts) =>
  byName((name) => l.counters.flatMap((s) => stepsOf(s, name))),
);

export class ListenerFacts {
  readonly world: World;
  /** The same server has the same; of very many the facts are let go and derived again. */
  readonly number: number;
  /** Its connections, by number. */
  readonly members: Int32Array;

  /** `number`: of its server; `members`: its connections, at least one. */
  constructor(world: World, number: number, members: Int32Array) {
    this.world = world;
    this.number = number;
    this.members = members;
  }

  /** The first of its connections. */
  connections(limit: number): Facts[] {
    return Array.from(this.members.subarray(0, limit), (n) => this.world.facts(n));
  }

  /** The port answered another SYN within so many ns after a moment of a capture: something still listens. */
  answersAgain(source: number, after: number, within: number): boolean {
    const times = synAckTimes(this).get(source);
    return times !== undefined && hasBetween(times.sorted, after, after + within);
  }

  /** Its connections that show one of these, and are not healthy. */
  *showing(bits: Mask): Iterable<Facts> {
    for (const n of this.members) {
      const mask = this.world.mask(n);
      if (!isHealthy(mask) && mask & bits) yield this.world.facts(n);
    }
  }

  /** Connections of this listener that did not just open and close. */
  get notable(): Facts[] {
    return notableOf(this);
  }

  get #first(): Case {
    return this.world.facts(this.members[0]!).case;
  }

  get server(): Endpoint {
    return this.#first.server;
  }

  /** The moment the listening socket was closed, from its own state events. */
  get closings(): Closing[] {
    return closingsOf(this);
  }

  /** The connections on which the server, which had never sent a byte, sent a RST in one go with this one's. */
  burst(facts: Facts): readonly ServerReset[] {
    return burstsByConnection(this).get(facts.n) ?? [];
  }

  /** The closing of the listener in which this connection's socket was closed, by the server's state events. */
  closedWith(facts: Facts): Closing | null {
    return closedTogetherOf(this).get(facts.n) ?? null;
  }

  /** When the server sent several such RSTs at once. */
  get bursts(): Moment[] {
    return burstsOf(this)
      .filter((b) => b.length > 1)
      .map((b) => b[0]!.moment);
  }

  /** Every time a socket table showed the listening socket. */
  get sights(): QueueSight[] {
    return sightsOf(this);
  }

  /** The process that listened, as the last table of the connection's time that names one does; else the one that called listen(), as a log of states says. */
  ownerOf(f: Facts): Process | null {
    const sight = this.sights.findLast(
      ({ row }) => row.owner === 'known' && row.comm !== null && isOfItsTime(f, row.source),
    );
    const lives = this.#first.listener?.lives;
    return sight?.row ?? lives?.findLast((l) => l.owner?.comm && isOfItsTime(f, l.source))?.owner ?? null;
  }

  /** A table showed the accept queue full, or (netstat prints no limit) exactly as long as the unaccepted rows. */
  get fullSight(): QueueSight | null {
    return fullSightsOf(this)[0] ?? null;
  }

  /** One that is not of another time than the connection. */
  fullSightOf(f: Facts): QueueSight | null {
    return fullSightsOf(this).find(({ row }) => isOfItsTime(f, row.source)) ?? null;
  }

  /** Every time a probe of a capture read how full the accept queue was. */
  get queueLooks(): readonly QueueLook[] {
    return looksOf(this);
  }

  /** What the last probe before a moment read; null when none did. */
  queueBefore(moment: Moment): QueueLook | null {
    return lookBefore(this.world, this.queueLooks, moment);
  }

  /** What a capture's probes said of the listening socket itself. */
  get probes(): readonly ProbeEvent[] {
    return probesOf(this);
  }

  /** The listening socket in state events. */
  get lives(): readonly SocketLife[] {
    return listenersOf(this).flatMap((l) => l.lives);
  }

  /** A probe found the accept queue full. */
  get fullLook(): QueueLook | null {
    return this.queueLooks.find(isFullLook) ?? null;
  }

  /** Limit of the accept queue: as a probe read it, else as ss prints it, else one less than a full queue was seen to hold. */
  get acceptLimit(): number | null {
    const read = this.queueLooks[0];
    if (read) return read.limit;
    const shown = this.sights.find(({ row }) => row.acceptLimit !== null && row.acceptLimit > 0);
    if (shown) return shown.row.acceptLimit;
    return this.fullSight ? this.fullSight.row.recvQ - 1 : null;
  }

  /** Most handshakes under way at one time, as far as logs of state events show. */
  get concurrentHandshakes(): number {
    return concurrentHandshakes(this);
  }

  /** Shortest time in a capture from a SYN to the SYN-ACK after it, ns: what the way to the server and back takes. */
  answerTime(source: number): number | null {
    return answerTimes(this)(`${source}`);
  }

  /** Requests that are half open: rows in SYN_RECV at one look, or handshakes whose ACK no capture shows. */
  get halfOpen(): number {
    return halfOpen(this);
  }

  /** Longest time a connection of this listener stood in CLOSE_WAIT, ns; 0 when none did. */
  get longestCloseWait(): number {
    return closeWaitOf(this);
  }

  /** Counters that can be of the server's host. */
  get counters(): readonly CounterSeries[] {
    const { client, server } = this.#first;
    return this.world.seriesOf(server, client);
  }

  /** Steps of a counter of the server's host. */
  steps(name: string): Step[] {
    return stepsByName(this)(name);
  }

  rise(name: string): number | null {
    const steps = this.steps(name);
    return steps.length === 0 ? null : steps.reduce((sum, s) => sum + s.delta, 0);
  }
}

function isFull({ row, unaccepted }: QueueSight): boolean {
  return isAboveLimit(row) ?? (row.recvQ > 0 && row.recvQ === unaccepted.length);
}

function isEstablishedChild(row: SocketEvent): boolean {
  return row.state === 'ESTABLISHED' || row.state === 'CLOSE_WAIT';
}
