/**
 * Brings every source to one common timeline. Realtime sources share it by definition; others are fitted to what is
 * already there through moments both saw (design §8); a log without any times is placed life by life, through the
 * durations it prints. What could not be placed keeps its own clock, and says so.
 */
import type { ClockFit, Timeline } from '../model/case.ts';
import {
  CLIENT,
  SERVER,
  type SideIndex,
  type SocketLife,
  type Transition,
  type WireConnection,
} from '../model/connection.ts';
import type { Source } from '../model/source.ts';
import type { ClockKind, CommonTime } from '../model/time.ts';
import { Births } from './births.ts';
import { apart, byWall, type Domain, estimated, unseenStep } from './fits.ts';
import { epochNs, formatTime, labelOf } from './format-time.ts';
import { type Evidence, type Match, matchByTuple } from './match.ts';
import { lifeMoments, packetMoments, sideOf } from './moments.ts';
import { Places } from './places.ts';
import { type ClockPair, fitOffset, type OffsetFit } from './robust.ts';
import { groupBy } from './tuple.ts';
import { boundOffset, compared } from './two-captures.ts';
import { unseenSteps } from './unseen-steps.ts';

/** Clocks in the order in which they are preferred as the reference. */
const PREFERENCE: readonly ClockKind[] = ['realtime', 'wall', 'monotonic', 'relative'];

export function alignClocks(evidence: Evidence): Timeline {
  return new Alignment(evidence).solve();
}

class Alignment {
  readonly #sources: readonly Source[];
  #matches: Match[];
  #lives: readonly SocketLife[];
  #wires: readonly WireConnection[];
  /** Captures of which the nearer end is known. */
  readonly #nearest = new Map<number, SideIndex>();
  readonly #fits: ClockFit[] = [];
  readonly #places = new Places();
  /** Captures whose clock was set, nobody knows when. */
  readonly #steps: ReadonlyMap<number, number>;

  constructor(evidence: Evidence) {
    this.#sources = evidence.sources;
    this.#lives = evidence.lives;
    this.#wires = evidence.wires;
    this.#matches = matchByTuple(evidence);
    this.#steps = unseenSteps(evidence.sources, this.#matches);
  }

  solve(): Timeline {
    for (let reference = this.#nextReference(); reference; reference = this.#nextReference()) {
      const domain = this.#openDomain(reference);
      while (this.#fitOneMore(domain));
      this.#placeByWall(domain);
    }
    const births = new Births(this.#places);
    this.#fits.push(...births.find(this.#sources, this.#matches, this.#lives));
    // the timeline outlives the evidence, and keeps hold of none
    [this.#matches, this.#lives, this.#wires] = [[], [], []];
    return this.#timeline(births);
  }

  /** The best clock among the sources that nothing leads to yet. */
  #nextReference(): Source | null {
    for (const kind of PREFERENCE) {
      const candidates = this.#sources.filter((s) => s.clock.kind === kind && !this.#places.has(s.id));
      if (candidates.length > 0) return candidates.reduce((a, b) => (b.records > a.records ? b : a));
    }
    return null;
  }

  /** A domain begins with one reference and all sources whose clock is the same by definition. */
  #openDomain(reference: Source): Domain {
    const steps = this.#steps;
    const isSame = (s: Source) => sharesClock(s, reference) && !steps.has(s.id) && !steps.has(reference.id);
    const same = this.#sources.filter((s) => s === reference || isSame(s));
    let epoch = reference.clock.base;
    // a capture without packets has no base: tcpdump -G begins with one
    for (const { clock, records } of same) if (records > 0 && clock.base < epoch) epoch = clock.base;
    const first = this.#places.size === 0;
    const domain: Domain = { reference, label: labelOf(reference.clock.kind), epoch };
    for (const source of same) {
      const shift = Number(source.clock.base - epoch);
      this.#places.set(source.id, { domain, at: (time) => time + shift });
    }
    const step = steps.get(reference.id);
    if (step !== undefined) this.#fits.push(unseenStep(reference, step));
    else if (!first) this.#fits.push(apart(domain, same));
    this.#compareCaptures(same);
    return domain;
  }

  /** Captures of one kind of clock: of one host, or of two whose clocks may differ. */
  #compareCaptures(same: readonly Source[]): void {
    const bySource = groupBy(this.#wires, (w) => w.source);
    const [reference, ...others] = same.filter((s) => bySource.has(s.id));
    for (const other of others) {
      const bounds = boundOffset(bySource.get(reference!.id)!, bySource.get(other.id)!);
      if (!bounds) continue;
      if (bounds.firstNearClient !== null) {
        const [client, server] = bounds.firstNearClient ? [reference!, other] : [other, reference!];
        this.#nearest.set(client.id, CLIENT).set(server.id, SERVER);
      }
      const base = Number(other.clock.base - reference!.clock.base);
      const [least, most] = [bounds.least + base, bounds.most + base];
      const shifted = least > 0 || most < 0;
      if (shifted) {
        const { domain, at } = this.#places.get(other.id)!;
        const ahead = (least + most) / 2;
        this.#places.set(other.id, { domain, at: (time) => at(time) - ahead });
      }
      this.#fits.push(compared(reference!, other, bounds, base, shifted));
    }
  }

  /** Relative times of a tool that also prints times of day lie on that clock within the bounds it gives. */
  #placeByWall(domain: Domain): void {
    if (domain.label !== 'wall') return;
    for (const source of this.#sources) {
      const { wallOfZero } = source;
      if (this.#places.has(source.id) || !wallOfZero || source.clock.kind !== 'relative') continue;
      const zero = (wallOfZero.from + wallOfZero.to) / 2 - Number(domain.epoch);
      this.#places.set(source.id, { domain, at: (time) => time + zero });
      this.#fits.push(byWall(source, domain, (wallOfZero.to - wallOfZero.from) / 2));
    }
  }

  /** Fits the unplaced source with most pairs to the domain; false when none is left that can be. */
  #fitOneMore(domain: Domain): boolean {
    let best: { source: Source; fit: OffsetFit; reference: string } | null = null;
    for (const source of this.#sources) {
      if (this.#places.has(source.id) || source.clock.kind === 'order' || this.#steps.has(source.id))
        continue;
      const { pairs, reference } = this.#pairsOf(source);
      const fit = fitOffset(pairs, source.clock.resolution);
      if (fit && (!best || fit.pairs > best.fit.pairs)) best = { source, fit, reference };
    }
    if (!best) return false;
    const { source, fit, reference } = best;
    const at = (time: number) => time + fit.offset + fit.drift * (time - fit.origin);
    this.#places.set(source.id, { domain, at });
    this.#fits.push(estimated(source, reference, fit));
    for (const other of this.#sources) {
      if (this.#places.has(other.id) || !sharesClock(other, source)) continue;
      const shift = Number(other.clock.base - source.clock.base);
      this.#places.set(other.id, { domain, at: (time) => at(time + shift) });
    }
    return true;
  }

  #pairsOf(source: Source): { pairs: ClockPair[]; reference: string } {
    const pairs: ClockPair[] = [];
    const references = new Set<string>();
    const add = (from: number, found: readonly ClockPair[]) => {
      const common = this.#places.toCommon(from, found);
      if (common.length > 0) references.add(this.#sources[from]!.name);
      for (const p of common) pairs.push(p);
    };
    const own = (t: Transition) => t.time;
    for (const match of this.#matches) {
      const lives = match.lives.filter((l) => l.source === source.id);
      const wires = match.wires.filter((w) => w.source === source.id);
      for (const life of lives) {
        for (const wire of match.wires.filter((w) => this.#isNear(w, life)))
          add(wire.source, packetMoments(life, wire, own));
        for (const peer of match.lives) add(peer.source, lifeMoments(life, own, peer, own));
      }
      for (const wire of wires) {
        for (const life of match.lives.filter((l) => this.#isNear(wire, l))) {
          const swapped = packetMoments(life, wire, own).map((p) => ({
            local: p.reference,
            reference: p.local,
          }));
          add(life.source, swapped);
        }
      }
    }
    return { pairs, reference: [...references].join(', ') };
  }

  /** Of two captures only the nearer one times what a socket does to within microseconds. */
  #isNear(wire: WireConnection, life: SocketLife): boolean {
    const side = this.#nearest.get(wire.source);
    return side === undefined || side === sideOf(life, wire);
  }

  #timeline(births: Births): Timeline {
    const domains = births.domains();
    const epochs = new Map([...domains.values()].map((d) => [d.label, d.epoch]));
    return {
      at: (source, time) => {
        if (time === null || isUnordered(this.#sources[source]!, time)) return null;
        return (this.#places.get(source)?.at(time) ?? null) as CommonTime | null;
      },
      ofTransition: (life, index) => births.ofTransition(life, life.transitions[index]!) as CommonTime | null,
      comparable: (a, b) => domains.has(a) && domains.get(a) === domains.get(b),
      label: (source) => domains.get(source)?.label ?? 'order',
      format: (time, clock) => formatTime(time, clock, epochs.get(clock) ?? 0n),
      epochNs: (time, clock) => epochNs(time, clock, epochs.get(clock) ?? 0n),
      fits: this.#fits,
    };
  }
}

/** On which side of a step of its clock a moment lies is not known. */
function isUnordered({ unordered }: Source, time: number): boolean {
  return unordered?.some(({ first, last }) => first <= time && time <= last) ?? false;
}

/** Realtime clocks are one clock; so are times of day, in want of a zone. A relative clock is its source's own. */
function sharesClock(a: Source, b: Source): boolean {
  return a.clock.kind === b.clock.kind && (a.clock.kind === 'realtime' || a.clock.kind === 'wall');
}
