/** What is known around the cases: connections of one listener, snapshots of tables, counters, hosts. */
import { type Endpoint, formatEndpoint } from '../../model/address.ts';
import type { Context, CounterSeries, Host } from '../../model/case.ts';
import type { SocketLife } from '../../model/connection.ts';
import type { Source } from '../../model/source.ts';
import type { SourceTime } from '../../model/time.ts';
import { COOKIES, MASK_OF, type Mask, maskOf, STATES } from '../mask.ts';
import type { Moment } from '../rule.ts';
import { Captures } from './captures.ts';
import { Facts } from './facts.ts';
import { byServer, groupReused, nextAtAddresses, type Reuse } from './groups.ts';
import { KEPT_CASES } from './kept-cases.ts';
import { ListenerFacts } from './listener.ts';
import { findOwnResets, type OwnResets } from './own-resets.ts';
import { Snapshots } from './snapshots.ts';
import { mergeByHost, riseBySeries, stepsOf } from './steps.ts';
import { type Walk, walksOf } from './walk.ts';

/** A kernel holds one socket, or minisock, of a tuple; what came meanwhile did not get so far. */
const LATEST = 16;
/** Facts that are at hand, of connections and of servers: those of a million connections would be 150 MB. */
const AT_HAND = 4096;

export class World {
  readonly context: Context;
  readonly captures: Captures;
  /** The connections that are told of, ascending; the others are context only. */
  kept = new Int32Array(0);
  readonly #facts = new Array<Facts | undefined>(AT_HAND);
  readonly #listeners = new Array<ListenerFacts | undefined>(AT_HAND);
  readonly #keeping: Facts[] = [];
  #oldest = 0;
  #masks: Int32Array | null = null;
  #reuses: Map<number, Reuse> | null = null;
  #ownResets: OwnResets | null = null;
  #cookiesCounted: boolean | null = null;
  #counters: CounterSeries[] | null = null;
  #byServer: Int32Array[] | null = null;
  #snapshots: Snapshots | null = null;
  #nextAtAddresses: Map<SocketLife, SocketLife> | null = null;
  #walks: Walk[] | null = null;

  constructor(context: Context) {
    this.context = context;
    this.captures = new Captures(context);
  }

  facts(n: number): Facts {
    const slot = n % AT_HAND;
    const known = this.#facts[slot];
    if (known?.n === n) return known;
    const facts = new Facts(this, n);
    this.#facts[slot] = facts;
    return facts;
  }

  /** What a connection shows. */
  mask(n: number): Mask {
    this.#masks ??= this.#findMasks();
    return this.#masks[n]!;
  }

  /** Connections that show one of these. */
  *showing(bits: Mask): Iterable<Facts> {
    this.#masks ??= this.#findMasks();
    for (let n = 0; n < this.#masks.length; n++) if (this.#masks[n]! & bits) yield this.facts(n);
  }

  #findMasks(): Int32Array {
    const { cases } = this.context;
    const cookies = this.cookiesCounted ? COOKIES : 0;
    return Int32Array.from({ length: cases.count }, (_, n) => {
      const outcome = cases.outcome(n);
      return outcome === 0
        ? maskOf(cases.at(n), this.isReuse(n), this.cookiesCounted)
        : MASK_OF[outcome] | cookies;
    });
  }

  /** Something was derived of a case: those of which that was longest ago are let go. */
  cache(facts: Facts): void {
    const old = this.#keeping[this.#oldest];
    // it may have been let go before, and have come again since
    if (old && old !== facts && old.place === this.#oldest) old.forget();
    this.#keeping[this.#oldest] = facts;
    facts.place = this.#oldest;
    this.#oldest = (this.#oldest + 1) % KEPT_CASES;
  }

  /** The tuple had been used before. */
  isReuse(n: number): boolean {
    return (this.#reuse(n)?.index ?? 0) > 0;
  }

  /** The latest connections of the same 4-tuple before this one, the first of them first: of the others nothing is left. */
  earlierLives({ n }: Facts): Facts[] {
    const { lives, index } = this.#reuse(n) ?? { lives: [], index: 0 };
    return lives.slice(Math.max(index - LATEST, 0), index).map((own) => this.facts(own));
  }

  #reuse(n: number): Reuse | undefined {
    this.#reuses ??= groupReused(this.context.cases, this.context.timeline);
    return this.#reuses.get(n);
  }

  /** Traces of function entries, read once. */
  get walks(): Walk[] {
    this.#walks ??= walksOf(this.context.walks);
    return this.#walks;
  }

  source(id: number): Source {
    return this.context.sources[id]!;
  }

  /** Name of the host a source is of; '' where nothing tells. */
  hostName(source: number): string {
    return this.context.hosts.find((h) => h.sources.some((s) => s.id === source))?.name ?? '';
  }

  /** Name of the server of a connection: `10.0.0.1:80`, or `10.0.0.1:80 (netns 4026532281)` where others have its endpoint. */
  serverOf(n: number): string {
    return this.serverName(this.context.cases.server(n));
  }

  /** The same by the number of the server. */
  serverName(number: number): string {
    const server = this.context.cases.servers[number]!;
    return `${formatEndpoint(server)}${server.place ? ` (${server.place})` : ''}`;
  }

  /** What the connections of one server say together. */
  listenerOf(n: number): ListenerFacts {
    const { cases } = this.context;
    const server = cases.server(n);
    const slot = server % AT_HAND;
    const known = this.#listeners[slot];
    if (known?.number === server) return known;
    const facts = new ListenerFacts(this, server, this.byServer[server]!);
    this.#listeners[slot] = facts;
    return facts;
  }

  /** Those of each server, in the order of first sight. */
  get byServer(): readonly Int32Array[] {
    this.#byServer ??= byServer(this.context.cases);
    return this.#byServer;
  }

  /** Socket tables, one after the other. */
  get snapshots(): Snapshots {
    this.#snapshots ??= new Snapshots(this);
    return this.#snapshots;
  }

  /** The socket that came after this one at the same kernel address; null when none did. */
  nextAtAddress(life: SocketLife): SocketLife | null {
    this.#nextAtAddresses ??= nextAtAddresses(this.showing(STATES));
    return this.#nextAtAddresses.get(life) ?? null;
  }

  momentOf(e: { source: number; time: SourceTime | null }): Moment {
    return { source: e.source, at: this.context.timeline.at(e.source, e.time) };
  }

  /** Nanoseconds from b to a; null when one has no time or their clocks cannot be compared. */
  between(a: Moment, b: Moment): number | null {
    if (a.at === null || b.at === null) return null;
    return this.context.timeline.comparable(a.source, b.source) ? a.at - b.at : null;
  }

  /** How far apart two clocks may tell one moment, ns: what remained of the fits that brought them together. */
  clockError(a: number, b: number): number {
    const ofSource = (id: number) =>
      this.context.timeline.fits
        .filter((fit) => fit.source === this.source(id).name)
        .reduce((most, fit) => Math.max(most, fit.worst ?? 0), 0);
    const [one, other] = [a, b].map((id) => this.source(id).clock.uncertainty ?? 0);
    // sources of one bundle are off together
    const ofAnchors = one === other ? 0 : Math.max(one!, other!);
    return a === b ? 0 : ofSource(a) + ofSource(b) + ofAnchors;
  }

  /** A sysctl's value as a number, on the host with this address; null when no file gives it, or when it changed. */
  sysctl(name: string, address?: string): number | null {
    const text = this.#unchanged(name, address);
    return text === undefined || !/^-?\d+$/.test(text) ? null : Number(text);
  }

  /** net.ipv4.ip_local_port_range of the host with this address; null when no file gives it. */
  portRange(address: string): readonly [first: number, last: number] | null {
    const text = this.#unchanged('net.ipv4.ip_local_port_range', address);
    const match = /^(\d{1,5})\s+(\d{1,5})$/.exec(text ?? '');
    return match ? [Number(match[1]), Number(match[2])] : null;
  }

  /** The value that the files give last for the host with this address, and whether it had another before. */
  setting(name: string, address?: string): { value: string; changed: boolean } | null {
    const shown = this.context.settings.findLast((s) => s.values.has(name) && this.#canBe(s.host, address));
    return shown ? { value: shown.values.get(name)!, changed: shown.changed.has(name) } : null;
  }

  #unchanged(name: string, address: string | undefined): string | undefined {
    const setting = this.setting(name, address);
    return setting === null || setting.changed ? undefined : setting.value;
  }

  /** False for a host that is known by other addresses, or by another name than the owner of the address. */
  #canBe(host: Host | null, address: string | undefined): boolean {
    if (host === null || address === undefined || host.addresses.has(address)) return true;
    const owner = this.context.hosts.find((h) => h.addresses.has(address));
    return host.addresses.size === 0 && (owner === undefined || owner.unnamed);
  }

  /**
   * Counter series that can be of the host with this address. A series without a known host, or of a host of
   * which only a name is known, or a name that says nothing (`localhost`), can; one of a host known to own the peer's address only cannot.
   */
  seriesOf(end: Endpoint, peer: Endpoint): CounterSeries[] {
    return this.counters.filter(({ host }) => {
      if (host === null || host.addresses.size === 0 || /^localhost\b/.test(host.name)) return true;
      if (host.addresses.has(end.address)) return true;
      return (
        !host.addresses.has(peer.address) && !this.context.hosts.some((h) => h.addresses.has(end.address))
      );
    });
  }

  /** Counter series; readings of one named host that stand in several files are one series. */
  get counters(): CounterSeries[] {
    this.#counters ??= mergeByHost(this.context.counters);
    return this.#counters;
  }

  /** The counters tell of SYN cookies: then even an orderly connection is worth a look. */
  get cookiesCounted(): boolean {
    this.#cookiesCounted ??= this.counters.some((s) =>
      stepsOf(s, 'SyncookiesRecv').some((step) => step.delta > 0),
    );
    return this.#cookiesCounted;
  }

  /** Resets that an end sent of its own, not in answer to a packet. */
  get ownResets(): OwnResets {
    this.#ownResets ??= findOwnResets(this);
    return this.#ownResets;
  }

  /**
   * How many times, in a capture as long and with as many resets of each host, so many of them would lie within `span`
   * ns of each other by chance (those of a host taken as independent, the first of them as given).
   */
  burstsByChance(source: number, size: number, span: number): number {
    const [from, to] = this.captures.span(source);
    const share = Math.min(span / Math.max(to - from, 1), 1);
    let sum = 0;
    for (const resets of this.ownResets.byAddress.values()) {
      let chance = resets;
      for (let others = 1; others < size; others++) chance *= (resets * share) / others;
      sum += chance;
    }
    return sum;
  }

  /** How much a counter rose on the host of an endpoint while the files were taken; null when nothing says. */
  rise(name: string, end: Endpoint, peer: Endpoint): number | null {
    let sum: number | null = null;
    for (const series of this.seriesOf(end, peer)) {
      const own = riseBySeries(series)(name);
      if (own !== null) sum = (sum ?? 0) + own;
    }
    return sum;
  }
}
