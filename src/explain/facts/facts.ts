/** Facts of one case, derived when first asked for and kept: rules read these, never the raw evidence. */
import { stackOf } from '../../align/stacks.ts';
import { type Endpoint, formatEndpoint, sameEndpoint } from '../../model/address.ts';
import type { Case } from '../../model/case.ts';
import {
  CLIENT,
  type KeyPacket,
  type Pair,
  SERVER,
  SIDES,
  type SideIndex,
  type Transition,
} from '../../model/connection.ts';
import type { DropEvent } from '../../model/event.ts';
import type { Stack } from '../../model/stack.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import { ACK, RST, SYN } from '../../model/tcp.ts';
import type { Mask } from '../mask.ts';
import { forget } from '../memo.ts';
import type { Moment } from '../rule.ts';
import { LifeFacts } from './life.ts';
import type { ListenerFacts } from './listener.ts';
import { ProbeFacts } from './probes.ts';
import { type Rise, riseWithin, type Spell } from './steps.ts';
import { WireFacts } from './wire.ts';
import type { World } from './world.ts';

/** No moment that can be compared with another. */
const NEVER: Moment = { source: -1, at: null };

export class Facts {
  readonly world: World;
  /** Its place among all connections. */
  readonly n: number;
  /** Where the world holds it among those at hand. */
  place = -1;
  #case: Case | null = null;
  #wires: WireFacts[] | null = null;
  #lives: Pair<LifeFacts | null> | null = null;
  #probes: ProbeFacts | null = null;
  #listener: ListenerFacts | null = null;
  #extent: Spell | null = null;

  constructor(world: World, n: number) {
    this.world = world;
    this.n = n;
  }

  get case(): Case {
    if (this.#case === null) {
      this.#case = this.world.context.cases.at(this.n);
      this.world.cache(this);
    }
    return this.#case;
  }

  /** Captures of the connection, the one that shows it best first. */
  get wires(): WireFacts[] {
    if (this.#wires === null) {
      this.#wires = this.case.wires.map(
        (w) => new WireFacts(w, this.case, this.world.source(w.source).windowless),
      );
    }
    return this.#wires;
  }

  get wire(): WireFacts | null {
    return this.wires[0] ?? null;
  }

  life(side: SideIndex): LifeFacts | null {
    this.#lives ??= [this.#lifeFacts(CLIENT), this.#lifeFacts(SERVER)];
    return this.#lives[side];
  }

  get lives(): LifeFacts[] {
    return [this.life(CLIENT), this.life(SERVER)].filter((l) => l !== null);
  }

  /** What the probes of a capture bundle said of it. */
  get probes(): ProbeFacts {
    this.#probes ??= new ProbeFacts(this);
    return this.#probes;
  }

  get listener(): ListenerFacts {
    this.#listener ??= this.world.listenerOf(this.n);
    return this.#listener;
  }

  /** Whose TCP stands at a side. */
  stack(side: SideIndex): Stack {
    return stackOf(this.case, side, this.world.context);
  }

  /** `client 10.0.0.1:4242`; the endpoint alone where nothing tells which of them is the client. */
  name(side: SideIndex): string {
    if (!this.case.sided) return formatEndpoint(this.endpoint(side));
    return `${SIDES[side]} ${formatEndpoint(this.endpoint(side))}`;
  }

  /** A sysctl's value on the host of a side; null when no file gives it. */
  sysctl(side: SideIndex, name: string): number | null {
    return this.world.sysctl(name, this.endpoint(side).address);
  }

  endpoint(side: SideIndex): Endpoint {
    return side === CLIENT ? this.case.client : this.case.server;
  }

  /** What it shows. */
  get mask(): Mask {
    return this.world.mask(this.n);
  }

  /** Lets go of what was derived; whoever asks again has it derived again. */
  forget(): void {
    this.#case = null;
    this.#wires = null;
    this.#lives = null;
    this.#probes = null;
    this.#extent = null;
    forget(this);
  }

  /** Rows of socket tables in which the given side is the local end. */
  rows(side: SideIndex): SocketEvent[] {
    const end = this.endpoint(side);
    return this.case.rows.filter((r) => sameEndpoint(r.local, end));
  }

  /** Drops of its packets, without those of a device in promiscuous mode that were never meant for its host (G14). */
  get drops(): DropEvent[] {
    return this.case.drops.filter((d) => !(d.reason?.name ?? '').startsWith('OTHERHOST'));
  }

  /** SYN|ACKs that the client's kernel dropped when it was already connected: the server sent them again. */
  get lateSynAckDrops(): DropEvent[] {
    return this.drops.filter(
      (d) =>
        d.flags !== null &&
        (d.flags & (SYN | ACK)) === (SYN | ACK) &&
        sameEndpoint(d.from, this.case.server) &&
        d.state !== null &&
        d.state !== 'SYN_SENT' &&
        d.state !== 'LISTEN',
    );
  }

  /** RSTs a kernel took and then freed as dropped: before 5.18 tcp_validate_incoming does so with every RST. */
  get resetDrops(): DropEvent[] {
    return this.drops.filter((d) => d.flags !== null && d.flags & RST);
  }

  /** Time from the client's SYN to its ESTABLISHED, ns: from its socket, else from packets. */
  get connectTime(): number | null {
    const kernel = this.life(CLIENT)?.find('SYN_SENT', 'ESTABLISHED')?.duration;
    if (kernel != null) return kernel;
    const { wire } = this;
    if (!wire?.sawHandshake) return null;
    const syn = wire.packets.find((p) => (p.flags & (SYN | ACK)) === SYN && wire.sideOf(p) === CLIENT);
    const answer = wire.packets.find(
      (p) => (p.flags & (SYN | ACK)) === (SYN | ACK) && wire.sideOf(p) === SERVER,
    );
    return syn && answer ? answer.time - syn.time : null;
  }

  atTransition(life: LifeFacts, t: Transition): Moment {
    const index = life.index(t);
    return {
      source: life.life.source,
      at: index < 0 ? null : this.world.context.timeline.ofTransition(life.life, index),
    };
  }

  atPacket(wire: WireFacts, p: KeyPacket): Moment {
    return { source: wire.wire.source, at: this.world.context.timeline.at(wire.wire.source, p.time) };
  }

  atEvent(e: { source: number; time: SocketEvent['time'] }): Moment {
    return this.world.momentOf(e);
  }

  /** From the first to the last that is seen of it. */
  get extent(): Spell {
    this.#extent ??= this.#findExtent();
    return this.#extent;
  }

  /** When it was reset, as packets show; else some time while it was seen. */
  get resetSpell(): Spell {
    const reset = this.wire?.decisiveReset;
    if (!this.wire || !reset) return this.extent;
    const moment = this.atPacket(this.wire, reset.packet);
    return [moment, moment];
  }

  /** What a counter of a side's host says of spells of this connection; null when no readings reach them. */
  rise(side: SideIndex, name: string, spells: readonly Spell[]): Rise | null {
    const { world } = this;
    const peer = side === CLIENT ? SERVER : CLIENT;
    if (world.counters.length === 0) return null;
    const series = world.seriesOf(this.endpoint(side), this.endpoint(peer));
    return riseWithin(world, series, name, spells);
  }

  /** Moments on one clock, the first of them and the last; without times one that says nothing. */
  #findExtent(): Spell {
    const { timeline } = this.world.context;
    const moments: Moment[] = [
      ...this.case.rows.map((r) => this.atEvent(r)),
      ...this.lives.flatMap((l) => l.life.transitions.map((t) => this.atTransition(l, t))),
      ...this.wires.flatMap(({ wire, packets }) =>
        [...packets.slice(0, 1).map((p) => p.time), ...wire.lastTime].map((time) => ({
          source: wire.source,
          at: timeline.at(wire.source, time),
        })),
      ),
    ];
    const timed = moments.filter((m) => m.at !== null);
    const [one] = timed;
    if (!one) return [NEVER, NEVER];
    const same = timed.filter((m) => timeline.comparable(m.source, one.source)).sort((a, b) => a.at! - b.at!);
    return [same[0]!, same.at(-1)!];
  }

  #lifeFacts(side: SideIndex): LifeFacts | null {
    const life = this.case.lives[side];
    return life ? new LifeFacts(life, side) : null;
  }
}
