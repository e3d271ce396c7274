/** State events of one kernel address put in order: what is reordered or lost is found by the states themselves. */
import { isWildcard } from '../model/address.ts';
import type { SocketLife, Transition } from '../model/connection.ts';
import type { StateEvent } from '../model/event.ts';

/**
 * How many events of one address may wait for an earlier one before that one is taken for lost: lines are shuffled within
 * a hundred or so, and a busy address can have most of them.
 */
const PATIENCE = 128;
/** Ended lives of an address that a late line can still belong to. */
export const REMEMBERED = 8;
/** No socket has that many: lines are not put back into the middle of such a life. */
const LONGEST = 1000;

/** The events of one kernel address: a chain of states in which each line must start where the last one ended. */
export class SocketChain {
  readonly #all: Set<SocketLife>;
  readonly #waiting: StateEvent[] = [];
  #life: SocketLife | null;
  /** The lives before it at the same address, the latest first. */
  #before: SocketLife[];
  /** A life without its first line, put together behind its time. */
  #stray: SocketLife | null = null;

  /** `all`: where its lives are; `lives`: those that it has had, the latest first. */
  constructor(all: Set<SocketLife>, lives: readonly SocketLife[]) {
    this.#all = all;
    this.#life = lives[0] ?? null;
    this.#before = lives.slice(1);
  }

  /** Its life has ended, and no event waits. */
  get isSettled(): boolean {
    return this.#waiting.length === 0 && this.#stray === null && (this.#life?.state ?? 'CLOSE') === 'CLOSE';
  }

  /** The latest first. */
  get lives(): SocketLife[] {
    return this.#life ? [this.#life, ...this.#before] : this.#before;
  }

  add(event: StateEvent): void {
    // no earlier one comes any more: what is missing until now is lost
    if (isTimed(event) && this.#waiting.some((e) => e.time !== event.time)) this.finish();
    if (event.from === 'CLOSE' && event.to === 'CLOSE') {
      this.#insertSelf(event);
      return;
    }
    if (this.#follows(event)) {
      if (this.#waiting.length === 0) {
        this.#append(event);
        return;
      }
    } else if (this.#insertSelf(event)) return;
    this.#waiting.push(event);
    this.#drain();
    if (this.#waiting.length > PATIENCE) this.#skipLost();
  }

  finish(): void {
    while (this.#waiting.length > 0) this.#skipLost();
  }

  /** Takes every waiting event that follows from the state reached; those that leave it last. */
  #drain(): void {
    for (;;) {
      const stays = this.#waiting.findIndex((e) => e.from === e.to && this.#follows(e));
      const next = stays < 0 ? this.#waiting.findIndex((e) => this.#follows(e)) : stays;
      if (next < 0) return;
      this.#append(this.#waiting.splice(next, 1)[0]!);
    }
  }

  #follows(event: StateEvent): boolean {
    const state = this.#life?.state ?? 'CLOSE';
    if (state === 'CLOSE') return isBirth(event) || event.duration === 0;
    return !isBirth(event) && event.from === state && !isOther(this.#life!, event);
  }

  /** The event that should come next is lost: go on from the first waiting one that no other one leads to. */
  #skipLost(): void {
    const waiting = this.#waiting;
    const index = Math.max(
      waiting.findIndex(
        (e) => isBirth(e) || !waiting.some((o) => o !== e && o.to === e.from && o.from !== o.to),
      ),
      0,
    );
    const event = waiting.splice(index, 1)[0]!;
    if (!this.#insertSelf(event)) this.#append(event);
    this.#drain();
  }

  /**
   * A late X→X line (close() on a socket that had sent its FIN, G5) goes back to where the state was X, also in a life
   * that has ended since: the next one at its address may have begun.
   */
  #insertSelf(event: StateEvent): boolean {
    if (event.from !== event.to) return false;
    const life = [this.#life, ...this.#before].find(
      (l) => l && l.transitions.length < LONGEST && !isOther(l, event) && placeOfSelf(l, event) >= 0,
    );
    if (!life) return false;
    const at = placeOfSelf(life, event);
    life.transitions.splice(at, 0, transition(event));
    for (const gap of life.missing) if (gap.before >= at) gap.before++;
    return true;
  }

  #append(event: StateEvent): void {
    const life = this.#life;
    if (life && isOther(life, event) && !isTimed(event) && event.line < life.transitions[0]!.line) {
      this.#appendStray(event);
      return;
    }
    if (!life || life.state === 'CLOSE' || isBirth(event) || isOther(life, event)) {
      if (life && life.state !== 'CLOSE') {
        // a birth on an address whose socket was never seen to close
        life.missing.push({ before: life.transitions.length, from: life.state, to: 'CLOSE' });
      }
      if (life) this.#before = [life, ...this.#before.slice(0, REMEMBERED - 1)];
      this.#life = newLife(event);
      this.#all.add(this.#life);
      return;
    }
    if (life.state !== event.from) {
      life.missing.push({ before: life.transitions.length, from: life.state, to: event.from });
    }
    extend(life, event);
  }

  /** Of a life whose first line is lost, and which the life in hand has replaced: that one goes on undisturbed. */
  #appendStray(event: StateEvent): void {
    const stray = this.#stray;
    if (stray && stray.state === event.from && !isOther(stray, event)) {
      extend(stray, event);
    } else {
      this.#stray = newLife(event);
      this.#all.add(this.#stray);
    }
  }
}

/**
 * The kernel's own time of the event, and not that of the line: a capture hands its events over in the order of time.
 * Tools that print durations print the time of the line, which orders nothing.
 */
function isTimed({ time, duration }: StateEvent): boolean {
  return time !== null && duration === null;
}

/**
 * The event with which a socket, as the tracepoint sees it, begins (G9, G10: a child appears at the third ACK).
 * A socket older than the trace begins in the middle: tcpstates then prints a duration of 0 for its first line.
 */
function isBirth(e: StateEvent): boolean {
  return (e.from === 'CLOSE' && e.to !== 'CLOSE') || (e.from === 'LISTEN' && e.to === 'SYN_RECV');
}

function newLife(event: StateEvent): SocketLife {
  return {
    source: event.source,
    socket: event.socket,
    ...(event.netns && { netns: event.netns }),
    local: event.local,
    remote: event.remote,
    role: null,
    transitions: [transition(event)],
    missing: [],
    owner: null,
    state: event.to,
  };
}

/**
 * Where an X→X line belongs: before the step that left X; after the end, when X is CLOSE (tcp_done on a socket that is
 * closed already). -1 where the life was never in X.
 */
function placeOfSelf({ transitions, state }: SocketLife, { from }: StateEvent): number {
  if (from !== 'CLOSE') return transitions.findIndex((t) => t.from === from);
  return state === 'CLOSE' ? transitions.length : -1;
}

function extend(life: SocketLife, event: StateEvent): void {
  life.transitions.push(transition(event));
  life.state = event.to;
  if (life.transitions.length === 2 || !isComplete(life)) adoptTuple(life, event);
}

function transition(e: StateEvent): Transition {
  const { from, to, time, duration, pid, comm, line } = e;
  const own = { from, to, time, sinceBirth: null, duration, pid, comm, line, reordered: false };
  return e.fields ? { ...own, fields: e.fields } : own;
}

/**
 * Ports and addresses are not all there on the first line: G8 (the client's port is 0, or the one of the socket's
 * life before, after connect(AF_UNSPEC)), G9 (a child's peer). Later lines may have lost them again (G7).
 */
function isComplete(life: SocketLife): boolean {
  return life.local.port !== 0 && life.remote.port !== 0 && !isWildcard(life.local.address);
}

/**
 * The line is of another socket at the same address, whose beginning is still to come or is lost. Known where both name a
 * port; the local port in the first line of a client may be that of the socket's life before (G8).
 */
function isOther(life: SocketLife, { local, remote }: StateEvent): boolean {
  const differ = (a: number, b: number) => a !== 0 && b !== 0 && a !== b;
  const sure = life.transitions.length > 1 || life.transitions[0]!.to !== 'SYN_SENT';
  return differ(life.remote.port, remote.port) || (sure && differ(life.local.port, local.port));
}

function adoptTuple(life: SocketLife, event: StateEvent): void {
  if (event.local.port !== 0) life.local = event.local;
  if (event.remote.port !== 0) life.remote = event.remote;
}

export function firstLine(life: SocketLife): number {
  return life.transitions[0]!.line;
}
