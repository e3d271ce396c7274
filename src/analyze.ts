/** The whole line, top to bottom: read → decode → connect → align → explain → report. */
import { buildCases } from './align/cases.ts';
import { counterSeries } from './align/counters.ts';
import { findHosts, type LocalAddresses, localAddresses } from './align/hosts.ts';
import { findListeners } from './align/orient.ts';
import { alignClocks } from './align/timeline.ts';
import { type CivilOptions, placeWallClocks } from './align/zone.ts';
import { SocketLives } from './connect/lives.ts';
import { Tracker } from './connect/tracker.ts';
import { Decoder } from './decode/decode.ts';
import { explain, type Keep } from './explain/explain.ts';
import type { Context, Host, Settings } from './model/case.ts';
import type { SocketLife } from './model/connection.ts';
import { Diagnostics } from './model/diagnostic.ts';
import type { KernelEvent } from './model/event.ts';
import { type Frame, Packet } from './model/packet.ts';
import type { Result } from './model/result.ts';
import type { Source } from './model/source.ts';
import type { Sink } from './read/importer.ts';
import { type HostNames, type ReadProgress, readInputs } from './read/read.ts';
import { assembleResult, type ResultOptions } from './report/result.ts';

export interface AnalyzeOptions extends CivilOptions, ResultOptions {
  /** Host names by input path. */
  hosts?: HostNames;
  /** Which connections to tell of (see parseFilter); all of them are context. */
  keep?: Keep;
  /** Split lives as Zeek's timers do. */
  zeekTimers?: boolean;
  onProgress?: (progress: ReadProgress) => void;
}

/** Reads inputs (files, folders, `-`) and explains every connection in them. Never throws for bad input. */
export async function analyze(inputs: readonly string[], options: AnalyzeOptions = {}): Promise<Result> {
  const diagnostics = new Diagnostics();
  const collector = new Collector(diagnostics, options.zeekTimers ?? false);
  const onProgress = options.onProgress ?? (() => undefined);
  const sources = await readInputs(inputs, options.hosts ?? new Map(), collector, diagnostics, onProgress);
  placeWallClocks(sources, options);
  const context = join(sources, collector, diagnostics);
  const explanation = explain(context, diagnostics, undefined, options.keep);
  return assembleResult(context, explanation, diagnostics, options);
}

/**
 * Takes what importers read: frames through the decoder into one tracker per source, changes of state into lives, other
 * events into lists.
 */
class Collector implements Sink {
  readonly trackers = new Map<number, Tracker>();
  readonly events = new Map<number, KernelEvent[]>();
  readonly lives = new Map<number, SocketLives>();
  readonly #decoders = new Map<number, Decoder>();
  readonly #diagnostics: Diagnostics;
  readonly #zeekTimers: boolean;
  readonly #packet = new Packet();
  #source: Source | null = null;
  #tracker: Tracker | null = null;
  #decoder: Decoder | null = null;

  constructor(diagnostics: Diagnostics, zeekTimers: boolean) {
    this.#diagnostics = diagnostics;
    this.#zeekTimers = zeekTimers;
  }

  frame(source: Source, frame: Frame): void {
    if (source !== this.#source) this.#select(source);
    if (this.#decoder!.decode(frame, this.#packet) === 0) {
      this.#packet.source = source.id;
      this.#tracker!.packet(this.#packet);
    }
  }

  packet(source: Source, packet: Packet): void {
    if (source !== this.#source) this.#select(source);
    packet.source = source.id;
    this.#tracker!.packet(packet);
  }

  event(source: Source, event: KernelEvent): void {
    if (event.kind === 'state') getOr(this.lives, source.id, () => new SocketLives()).add(event);
    else getOr(this.events, source.id, (): KernelEvent[] => []).push(event);
  }

  /** Diagnostics of the decoders, once everything is read. */
  finish(sources: readonly Source[]): void {
    for (const [id, decoder] of this.#decoders) decoder.report(sources[id]!, this.#diagnostics);
  }

  #select(source: Source): void {
    let tracker = this.trackers.get(source.id);
    if (!tracker) {
      const decoder = new Decoder();
      tracker = new Tracker({ zeekTimers: this.#zeekTimers, encapsulations: decoder.encapsulations });
      this.trackers.set(source.id, tracker);
      this.#decoders.set(source.id, decoder);
    }
    this.#source = source;
    this.#tracker = tracker;
    this.#decoder = this.#decoders.get(source.id)!;
  }
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** Connects packets and events, brings their clocks together and joins them into cases. */
function join(sources: Source[], collector: Collector, diagnostics: Diagnostics): Context {
  collector.finish(sources);
  const wires = [...collector.trackers.values()].flatMap((t) => [...t.connections()]);
  const events = [...collector.events.values()].flat();
  const lives: SocketLife[] = [];
  const addresses = new Map<number, LocalAddresses>();
  for (const source of sources) {
    const own = collector.lives.get(source.id)?.finish(source, diagnostics) ?? [];
    for (const life of own) lives.push(life);
    addresses.set(source.id, localAddresses(collector.events.get(source.id) ?? [], own));
  }
  const { hosts, hostOf } = findHosts(sources, addresses, diagnostics);
  const timeline = alignClocks({ sources, wires, lives });
  const listeners = findListeners(lives, events, hostOf);
  const cases = buildCases({ sources, wires, lives, events, hostOf, timeline, diagnostics }, listeners);
  return {
    sources,
    hosts,
    cases,
    listeners,
    counters: counterSeries(sources, collector.events, hostOf, diagnostics),
    snapshots: events.filter((e) => e.kind === 'snapshot'),
    settings: settings(collector.events, hostOf),
    walks: events.filter((e) => e.kind === 'walk'),
    timeline,
  };
}

function settings(events: ReadonlyMap<number, KernelEvent[]>, hostOf: ReadonlyMap<number, Host>): Settings[] {
  return [...events].flatMap(([id, list]) => {
    const own = list.filter((e) => e.kind === 'sysctl');
    if (own.length === 0) return [];
    return [{ host: hostOf.get(id) ?? null, values: new Map(own.map((e) => [e.name, e.value])) }];
  });
}
