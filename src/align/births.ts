/** Sockets in a log that prints no times, placed one by one: when each was born, by the durations the log prints. */
import type { ClockFit } from '../model/case.ts';
import type { SocketLife, Transition } from '../model/connection.ts';
import type { Source } from '../model/source.ts';
import { type Domain, NO_FIT } from './fits.ts';
import type { Match } from './match.ts';
import { lifeMoments, packetMoments } from './moments.ts';
import type { Places } from './places.ts';
import { fitOffset, type OffsetFit } from './robust.ts';

interface Birth {
  domain: Domain;
  at: number;
}

export class Births {
  readonly #places: Places;
  readonly #births = new Map<SocketLife, Birth>();

  constructor(places: Places) {
    this.#places = places;
  }

  /** First through packets, then through the other end of the connection. One fit a source. */
  find(sources: readonly Source[], matches: readonly Match[], lives: readonly SocketLife[]): ClockFit[] {
    const worst = new Map<number, number[]>();
    for (let grown = true; grown; ) {
      grown = false;
      for (const match of matches) {
        for (const life of match.lives) {
          if (this.#places.has(life.source) || this.#births.has(life)) continue;
          const found = this.#birthOf(life, match);
          if (!found) continue;
          this.#births.set(life, { domain: found.domain, at: found.fit.offset });
          const list = worst.get(life.source);
          if (list) list.push(found.fit.worst);
          else worst.set(life.source, [found.fit.worst]);
          grown = true;
        }
      }
    }
    this.#placeListeners(lives);
    return [...worst].map(([id, list]) => {
      const total = lives.filter((l) => l.source === id && l.role !== 'listener').length;
      return placed(sources[id]!, list, total);
    });
  }

  /** Of each source that has one, by its place or by that of a socket. */
  domains(): Map<number, Domain> {
    const domains = new Map<number, Domain>();
    for (const [id, place] of this.#places) domains.set(id, place.domain);
    for (const [life, birth] of this.#births) domains.set(life.source, birth.domain);
    return domains;
  }

  /** On the common clock; null where that is not known. */
  ofTransition(life: SocketLife, t: Transition): number | null {
    const place = this.#places.get(life.source);
    if (place) return t.time === null ? null : place.at(t.time);
    const birth = this.#births.get(life);
    return birth === undefined || t.sinceBirth === null ? null : birth.at + t.sinceBirth;
  }

  /**
   * A listener has no packets, but the process that closes it closes the children in its accept queue in the same
   * call (inet_csk_listen_stop): the listener's line stands right before theirs, which are placed.
   */
  #placeListeners(lives: readonly SocketLife[]): void {
    for (const listener of lives) {
      if (listener.role !== 'listener') continue;
      const close = listener.transitions.at(-1)!;
      if (close.to !== 'CLOSE' || close.sinceBirth === null) continue;
      if (this.#places.has(listener.source)) continue;
      for (const [life, birth] of this.#births) {
        const end = life.transitions.at(-1)!;
        if (life.source !== listener.source || end.line !== close.line + 1 || end.pid !== close.pid) continue;
        const at = this.ofTransition(life, end);
        if (at !== null) this.#births.set(listener, { domain: birth.domain, at: at - close.sinceBirth });
        break;
      }
    }
  }

  #birthOf(life: SocketLife, match: Match): { domain: Domain; fit: OffsetFit } | null {
    const since = (t: Transition) => t.sinceBirth;
    for (const wire of match.wires) {
      const fit = fitOffset(this.#places.toCommon(wire.source, packetMoments(life, wire, since)));
      if (fit) return { domain: this.#places.get(wire.source)!.domain, fit };
    }
    for (const peer of match.lives) {
      const domain = this.#domainOf(peer);
      if (peer === life || !domain) continue;
      const fit = fitOffset(lifeMoments(life, since, peer, (t) => this.ofTransition(peer, t)));
      if (fit) return { domain, fit };
    }
    return null;
  }

  #domainOf(life: SocketLife): Domain | null {
    return this.#places.get(life.source)?.domain ?? this.#births.get(life)?.domain ?? null;
  }
}

function placed({ name }: Source, worst: readonly number[], total: number): ClockFit {
  return {
    ...NO_FIT,
    source: name,
    method: 'estimated',
    worst: worst.reduce((a, b) => Math.max(a, b), 0),
    pairs: worst.length,
    message:
      `${name} prints no times. ${worst.length} of its ${total} sockets were placed through moments that ` +
      'another source times on the same connection, and the durations in its MS column; the others have an order only.',
  };
}
