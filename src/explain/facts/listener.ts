/** What the connections of one server endpoint, its listening socket and its counters say together. */
import { listenersAt } from '../../align/orient.ts';
import type { Endpoint } from '../../model/address.ts';
import type { Case, Cases, CounterSeries, Listener } from '../../model/case.ts';
import type { Process } from '../../model/case-process.ts';
import { CLIENT, SERVER, type SocketLife } from '../../model/connection.ts';
import type { ProbeEvent, SocketEvent } from '../../model/event.ts';
import { getOr } from '../../model/get-or.ts';
import { HALF_OPEN } from '../../model/outcome.ts';
import { ACK, SYN } from '../../model/tcp.ts';
import { EVENTS, isHealthy, type Mask, ODD_STATES, ROWS, STATES, SYN_TROUBLE } from '../mask.ts';
import { byName, lazy } from '../memo.ts';
import type { Moment } from '../rule.ts';
import { type Closing, findBursts, findClosedTogether, findClosings } from './closings.ts';
import type { Facts } from './facts.ts';
import { hasBetween, Numbers } from './numbers.ts';
import type { ServerReset } from './own-resets.ts';
import { isAboveLimit, isFullLook, isOfItsTime, lookBefore, type QueueLook, queueLooks } from './queue.ts';
import { type Step, stepsOf } from './steps.ts';
import type { World } from './world.ts';

/** Handshakes to measure a server's usual answer time by. */
const HANDSHAKES = 500;

/** A look at the accept queue in a socket table. */
export interface QueueSight {
  row: SocketEvent;
  /** Connections in the same snapshot that no process owns: not accepted yet. */
  unaccepted: SocketEvent[];
  /** True when the table could show owners at all: the listener's own was visible. */
  ownersVisible: boolean;
}

export class ListenerFacts {
  readonly world: World;
  readonly #members: Int32Array;

  /** `members`: its connections, at least one. */
  constructor(world: World, members: Int32Array) {
    this.world = world;
    this.#members = members;
  }

  /** The first of its connections. */
  connections(limit: number): Facts[] {
    return Array.from(this.#members.subarray(0, limit), (n) => this.world.facts(n));
  }

  readonly #notable = lazy(() => [...this.#showing(~0)]);
  readonly #listeners = lazy(() => this.#findListeners());
  readonly #closings = lazy(() => findClosings(this.world, this.#listeners()));
  readonly #bursts = lazy(() => findBursts(this.world, this.#ownResets()));
  readonly #burstOf = lazy(() => new Map(this.#bursts().flatMap((b) => b.map((r) => [r.facts.n, b]))));
  readonly #closedTogether = lazy(() =>
    findClosedTogether(this.world, this.closings, [...this.#showing(ODD_STATES)]),
  );
  readonly #sights = lazy(() => this.#findSights());
  readonly #full = lazy(() => this.#sights().filter(isFull));
  readonly #probes = lazy(() => this.#listeners().flatMap((l) => l.probes));
  readonly #looks = lazy(() => queueLooks(this.world, this.#listeners(), this.#showing(EVENTS)));
  readonly #concurrent = lazy(() => this.#countConcurrent());
  readonly #answerTimes = byName((source) => {
    let least: number | null = null;
    for (const n of this.#members.subarray(0, HANDSHAKES)) {
      for (const w of this.world.context.cases.at(n).wires) {
        if (String(w.source) !== source) continue;
        let syn: number | null = null;
        for (const p of w.keyPackets) {
          if (!(p.flags & SYN)) continue;
          if (p.flags & ACK && syn !== null)
            least = Math.min(least ?? Number.POSITIVE_INFINITY, p.time - syn);
          syn = p.flags & ACK ? null : p.time;
        }
      }
    }
    return least;
  });
  readonly #halfOpen = lazy(() => {
    const { cases } = this.world.context;
    let answered = 0;
    for (const f of this.#showing(SYN_TROUBLE)) {
      const outcome = cases.outcome(f.n);
      if (outcome !== 0 ? outcome === HALF_OPEN : isHalfOpen(f)) answered++;
    }
    const bySnapshot = new Map<string, number>();
    for (const f of this.#showing(ROWS)) {
      for (const r of f.rows(SERVER).filter((row) => row.state === 'SYN_RECV')) {
        const key = `${r.source} ${r.snapshot}`;
        bySnapshot.set(key, (bySnapshot.get(key) ?? 0) + 1);
      }
    }
    return Math.max(answered, ...bySnapshot.values());
  });
  /** Times of the SYN-ACKs by capture. */
  readonly #synAcks = lazy(() => {
    const bySource = new Map<number, Numbers>();
    const { cases } = this.world.context;
    for (const n of this.#members) this.#addSynAcks(cases, n, bySource);
    return bySource;
  });

  #addSynAcks(cases: Cases, n: number, bySource: Map<number, Numbers>): void {
    if (cases.outcome(n) !== 0) {
      const [source] = cases.captures.keys();
      const times = getOr(bySource, source!, () => new Numbers());
      cases.synAcks(n, (time) => times.push(time));
      return;
    }
    for (const w of cases.at(n).wires) {
      if (w.synAcks[SERVER] === 0) continue;
      const times = getOr(bySource, w.source, () => new Numbers());
      for (const p of w.keyPackets) if ((p.flags & (SYN | ACK)) === (SYN | ACK)) times.push(p.time);
    }
  }

  readonly #first = lazy((): Case => this.world.context.cases.at(this.#members[0]!));
  readonly #closeWait = lazy(() =>
    [...this.#showing(STATES)].reduce((most, f) => Math.max(most, f.life(SERVER)?.closeWait ?? 0), 0),
  );
  readonly #steps = byName((name) => {
    return this.counters.flatMap((s) => stepsOf(s, name));
  });

  #ownResets(): readonly ServerReset[] {
    const { ownResets, context } = this.world;
    return ownResets.byServer.get(context.cases.server(this.#members[0]!)) ?? [];
  }

  /** The port answered another SYN within so many ns after a moment of a capture: something still listens. */
  answersAgain(source: number, after: number, within: number): boolean {
    const times = this.#synAcks().get(source);
    return times !== undefined && hasBetween(times.sorted, after, after + within);
  }

  /** Its connections that show one of these, and are not healthy. */
  *#showing(bits: Mask): Iterable<Facts> {
    for (const n of this.#members) {
      const mask = this.world.mask(n);
      if (!isHealthy(mask) && mask & bits) yield this.world.facts(n);
    }
  }

  /** Connections of this listener that did not just open and close. */
  get notable(): Facts[] {
    return this.#notable();
  }

  get server(): Endpoint {
    return this.#first().server;
  }

  /** The moment the listening socket was closed, from its own state events. */
  get closings(): Closing[] {
    return this.#closings();
  }

  /** The connections on which the server, which had never sent a byte, sent a RST in one go with this one's. */
  burst(facts: Facts): readonly ServerReset[] {
    return this.#burstOf().get(facts.n) ?? [];
  }

  /** The closing of the listener in which this connection's socket was closed, by the server's state events. */
  closedWith(facts: Facts): Closing | null {
    return this.#closedTogether().get(facts.n) ?? null;
  }

  /** When the server sent several such RSTs at once. */
  get bursts(): Moment[] {
    return this.#bursts()
      .filter((b) => b.length > 1)
      .map((b) => b[0]!.moment);
  }

  /** Every time a socket table showed the listening socket. */
  get sights(): QueueSight[] {
    return this.#sights();
  }

  /** The process that listened, as the last table of the connection's time that names one does; else the one that called listen(), as a log of states says. */
  ownerOf(f: Facts): Process | null {
    const sight = this.sights.findLast(
      ({ row }) => row.owner === 'known' && row.comm !== null && isOfItsTime(f, row.source),
    );
    const lives = this.#first().listener?.lives;
    return sight?.row ?? lives?.findLast((l) => l.owner?.comm && isOfItsTime(f, l.source))?.owner ?? null;
  }

  /** A table showed the accept queue full, or (netstat prints no limit) exactly as long as the unaccepted rows. */
  get fullSight(): QueueSight | null {
    return this.#full()[0] ?? null;
  }

  /** One that is not of another time than the connection. */
  fullSightOf(f: Facts): QueueSight | null {
    return this.#full().find(({ row }) => isOfItsTime(f, row.source)) ?? null;
  }

  /** Every time a probe of a capture read how full the accept queue was. */
  get queueLooks(): readonly QueueLook[] {
    return this.#looks();
  }

  /** What the last probe before a moment read; null when none did. */
  queueBefore(moment: Moment): QueueLook | null {
    return lookBefore(this.world, this.queueLooks, moment);
  }

  /** What a capture's probes said of the listening socket itself. */
  get probes(): readonly ProbeEvent[] {
    return this.#probes();
  }

  /** The listening socket in state events. */
  get lives(): readonly SocketLife[] {
    return this.#listeners().flatMap((l) => l.lives);
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
    return this.#concurrent();
  }

  /** Shortest time in a capture from a SYN to the SYN-ACK after it, ns: what the way to the server and back takes. */
  answerTime(source: number): number | null {
    return this.#answerTimes(String(source));
  }

  /** Requests that are half open: rows in SYN_RECV at one look, or handshakes whose ACK no capture shows. */
  get halfOpen(): number {
    return this.#halfOpen();
  }

  /** Longest time a connection of this listener stood in CLOSE_WAIT, ns; 0 when none did. */
  get longestCloseWait(): number {
    return this.#closeWait();
  }

  /** Counters that can be of the server's host. */
  get counters(): readonly CounterSeries[] {
    const { client, server } = this.#first();
    return this.world.seriesOf(server, client);
  }

  /** Steps of a counter of the server's host. */
  steps(name: string): Step[] {
    return this.#steps(name);
  }

  rise(name: string): number | null {
    const steps = this.steps(name);
    return steps.length === 0 ? null : steps.reduce((sum, s) => sum + s.delta, 0);
  }

  #findSights(): QueueSight[] {
    const rows = this.#listeners().flatMap((l) => l.rows);
    return rows.map((row) => {
      const unaccepted = this.world.snapshots
        .of(row)
        .rows.filter((r) => r.facts.listener === this && r.facts.rows(SERVER).includes(r.row))
        .map((r) => r.row)
        .filter((r) => r.owner === 'none' && isEstablishedChild(r));
      return { row, unaccepted, ownersVisible: row.owner === 'known' };
    });
  }

  /** The listening socket as each source shows it: logs and tables of one host are not always known to be of one. */
  #findListeners(): Listener[] {
    const { server, listener } = this.#first();
    const matches = listenersAt(server, this.world.context.listeners);
    return listener && !matches.includes(listener) ? [...matches, listener] : matches;
  }

  #countConcurrent(): number {
    const moments: { source: number; line: number; step: 1 | -1 }[] = [];
    for (const f of this.#showing(STATES)) {
      const life = f.life(CLIENT);
      const birth = life?.life.transitions.find((t) => t.to === 'SYN_SENT');
      // the line itself may be lost: whatever comes next ends the state
      const end = life?.life.transitions[1];
      if (!life || !birth || !end) continue;
      const { source } = life.life;
      moments.push({ source, line: birth.line, step: 1 }, { source, line: end.line, step: -1 });
    }
    moments.sort((a, b) => a.source - b.source || a.line - b.line);
    let [now, most] = [0, 0];
    for (const { step } of moments) {
      now += step;
      most = Math.max(most, now);
    }
    return most;
  }
}

/** Of the server only SYN-ACKs, of the client only SYNs. */
function isHalfOpen({ wire }: Facts): boolean {
  return (
    wire?.sentOnlySynAcks(SERVER) === true &&
    wire.of(wire.wire.packets, CLIENT) === wire.of(wire.wire.syns, CLIENT)
  );
}

function isFull({ row, unaccepted }: QueueSight): boolean {
  return isAboveLimit(row) ?? (row.recvQ > 0 && row.recvQ === unaccepted.length);
}

function isEstablishedChild(row: SocketEvent): boolean {
  return row.state === 'ESTABLISHED' || row.state === 'CLOSE_WAIT';
}
