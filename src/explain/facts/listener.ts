/** What the connections of one server endpoint, its listening socket and its counters say together. */
import { isWildcard } from '../../model/address.ts';
import type { Case, Listener } from '../../model/case.ts';
import { CLIENT, SERVER, type SocketLife, type Transition } from '../../model/connection.ts';
import type { SocketEvent } from '../../model/event.ts';
import { byName, lazy } from '../memo.ts';
import type { Moment } from '../rule.ts';
import type { Facts } from './facts.ts';
import type { WireFacts, WireReset } from './wire.ts';
import { type Step, stepsOf, type World } from './world.ts';

/** RSTs that one inet_csk_listen_stop sends are this close together, ns. */
const BURST = 5e6;

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
  readonly #cases: readonly Case[];
  readonly #members: ReadonlySet<Case>;

  constructor(world: World, cases: readonly Case[]) {
    this.world = world;
    this.#cases = cases;
    this.#members = new Set(cases);
  }

  readonly #notable = lazy(() => this.#cases.map((c) => this.world.factsOf(c)).filter((f) => !f.ordinary));
  readonly #listeners = lazy(() => this.#findListeners());
  readonly #closings = lazy(() => this.#findClosings());
  readonly #resets = lazy(() => this.#findActiveResets());
  readonly #resetOf = lazy(() => new Map(this.#resets().map((r, i) => [r.facts, i])));
  readonly #bursts = lazy(() => this.#findBursts());
  readonly #sights = lazy(() => this.#findSights());
  readonly #full = lazy(() => this.#sights().find(isFull) ?? null);
  readonly #concurrent = lazy(() => this.#countConcurrent());
  readonly #closeWait = lazy(() =>
    this.notable.reduce((most, f) => Math.max(most, f.life(SERVER)?.closeWait ?? 0), 0),
  );
  readonly #steps = byName((name) => {
    const { client, server } = this.#cases[0]!;
    return this.world.seriesOf(server, client).flatMap((s) => stepsOf(s, name));
  });

  /** Connections of this listener that did not just open and close. */
  get notable(): Facts[] {
    return this.#notable();
  }

  /** The moment the listening socket was closed, from its own state events. */
  get closings(): Closing[] {
    return this.#closings();
  }

  /** The connections on which the server, which had never sent a byte, sent a RST within moments of this one. */
  burst(facts: Facts): ServerReset[] {
    const resets = this.#resets();
    const at = this.#resetOf().get(facts);
    const own = at === undefined ? undefined : resets[at];
    if (at === undefined || !own || !neverAnswered(own)) return [];
    const near = (r: ServerReset | undefined) => {
      const apart = r ? this.world.between(r.moment, own.moment) : null;
      return apart !== null && Math.abs(apart) <= BURST;
    };
    let [from, to] = [at, at + 1];
    while (from > 0 && near(resets[from - 1])) from--;
    while (to < resets.length && near(resets[to])) to++;
    return resets.slice(from, to).filter(neverAnswered);
  }

  /** When the server sent several such RSTs at once. */
  get bursts(): Moment[] {
    return this.#bursts();
  }

  /** Every time a socket table showed the listening socket. */
  get sights(): QueueSight[] {
    return this.#sights();
  }

  /** A table showed the accept queue full, or (netstat prints no limit) exactly as long as the unaccepted rows. */
  get fullSight(): QueueSight | null {
    return this.#full();
  }

  /** Limit of the accept queue: as ss prints it, else one less than a full queue was seen to hold. */
  get acceptLimit(): number | null {
    const shown = this.sights.find(({ row }) => row.acceptLimit !== null && row.acceptLimit > 0);
    if (shown) return shown.row.acceptLimit;
    return this.fullSight ? this.fullSight.row.recvQ - 1 : null;
  }

  /** Most handshakes under way at one time, as far as logs of state events show. */
  get concurrentHandshakes(): number {
    return this.#concurrent();
  }

  /** Longest time a connection of this listener stood in CLOSE_WAIT, ns; 0 when none did. */
  get longestCloseWait(): number {
    return this.#closeWait();
  }

  /** Steps of a counter of the server's host. */
  steps(name: string): Step[] {
    return this.#steps(name);
  }

  rise(name: string): number | null {
    const steps = this.steps(name);
    return steps.length === 0 ? null : steps.reduce((sum, s) => sum + s.delta, 0);
  }

  #findClosings(): Closing[] {
    const { timeline } = this.world.context;
    return this.#listeners().flatMap(({ lives }) =>
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
  #findActiveResets(): ServerReset[] {
    return this.notable
      .flatMap((facts) => {
        const { wire } = facts;
        const reset = wire?.decisiveReset;
        if (!wire || !reset || reset.side !== SERVER) return [];
        if (reset.shape !== 'active' && reset.shape !== 'unclear') return [];
        return [{ facts, wire, reset, moment: facts.atPacket(wire, reset.packet) }];
      })
      .sort((a, b) => a.moment.source - b.moment.source || a.reset.packet.time - b.reset.packet.time);
  }

  /** The first moment of each. */
  #findBursts(): Moment[] {
    const bursts: Moment[] = [];
    for (const { facts, moment } of this.#resets()) {
      const last = bursts.at(-1);
      const apart = last ? this.world.between(moment, last) : null;
      if (apart !== null && apart <= BURST) continue;
      if (this.burst(facts).length > 1) bursts.push(moment);
    }
    return bursts;
  }

  #findSights(): QueueSight[] {
    const rows = this.#listeners().flatMap((l) => l.rows);
    return rows.map((row) => {
      const unaccepted = this.world
        .snapshot(row)
        .rows.filter((r) => this.#members.has(r.facts.case) && r.facts.rows(SERVER).includes(r.row))
        .map((r) => r.row)
        .filter((r) => r.owner === 'none' && isEstablishedChild(r));
      return { row, unaccepted, ownersVisible: row.owner === 'known' };
    });
  }

  /** The listening socket as each source shows it: logs and tables of one host are not always known to be of one. */
  #findListeners(): Listener[] {
    const { server, listener } = this.#cases[0]!;
    const matches = this.world.context.listeners.filter(
      (l) =>
        l.local.port === server.port &&
        (l.local.address === server.address ||
          (isWildcard(l.local.address) && (l.host === null || l.host.addresses.has(server.address)))),
    );
    return listener && !matches.includes(listener) ? [...matches, listener] : matches;
  }

  #countConcurrent(): number {
    const moments: { source: number; line: number; step: 1 | -1 }[] = [];
    for (const f of this.notable) {
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

function isFull({ row, unaccepted }: QueueSight): boolean {
  return row.acceptLimit !== null && row.acceptLimit > 0
    ? row.recvQ > row.acceptLimit
    : row.recvQ > 0 && row.recvQ === unaccepted.length;
}

function isEstablishedChild(row: SocketEvent): boolean {
  return row.state === 'ESTABLISHED' || row.state === 'CLOSE_WAIT';
}

/** The server sent no payload on this connection as far as the capture shows, and no FIN. */
function neverAnswered({ wire }: ServerReset): boolean {
  return wire.of(wire.wire.bytes, SERVER) === 0 && wire.of(wire.wire.fins, SERVER) === 0;
}
