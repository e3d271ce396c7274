/**
 * Which socket a line of inet_sock_set_state is of: the text has no address of it, so its ends tell, from one CLOSE to the
 * next. A connecting socket has no port yet when it enters SYN_SENT: that line is joined with the next of the same ends
 * where only one such socket waits.
 */
import type { Endpoint } from '../../../model/address.ts';
import type { StateEvent } from '../../../model/event.ts';

export class TracedSockets {
  readonly #emit: (event: StateEvent) => void;
  /** Number of the socket that has or last had these ends, and whether it has reached CLOSE. */
  readonly #named = new Map<string, { name: string; ended: boolean }>();
  /** Changes to SYN_SENT without a port, by the ends that are known. */
  readonly #connecting = new Map<string, StateEvent[]>();
  /** Of those, how many sockets came out of SYN_SENT and could not be told apart. */
  readonly #ambiguous = new Map<string, number>();
  #sockets = 0;
  #unjoined = 0;

  constructor(emit: (event: StateEvent) => void) {
    this.#emit = emit;
  }

  state(event: StateEvent): void {
    if (event.to === 'SYN_SENT' && event.local.port === 0) {
      const key = connectKey(event);
      this.#connecting.set(key, [...(this.#connecting.get(key) ?? []), event]);
      return;
    }
    const key = endsKey(event.local, event.remote);
    let socket = this.#named.get(key);
    if (!socket || socket.ended) {
      socket = { name: `socket-${++this.#sockets}`, ended: false };
      this.#named.set(key, socket);
      const begun = event.from === 'SYN_SENT' ? this.#begun(event) : undefined;
      if (begun) this.#emit({ ...begun, socket: socket.name });
    }
    this.#emit({ ...event, socket: socket.name });
    if (event.to === 'CLOSE') socket.ended = true;
  }

  /** The socket that has, or had last, these ends; null when the trace has not shown it. */
  latest(local: Endpoint, remote: Endpoint): string | null {
    return this.#named.get(endsKey(local, remote))?.name ?? null;
  }

  /** How many changes to SYN_SENT stay without a connection. */
  unjoined(): number {
    return [...this.#connecting.values()].reduce((sum, waiting) => sum + waiting.length, this.#unjoined);
  }

  #begun(event: StateEvent): StateEvent | undefined {
    const key = connectKey(event);
    const waiting = this.#connecting.get(key) ?? [];
    const ambiguous = this.#ambiguous.get(key) ?? 0;
    if (waiting.length === 1 && ambiguous === 0) {
      this.#connecting.delete(key);
      return waiting[0];
    }
    if (waiting.length > 0 && ambiguous + 1 >= waiting.length) {
      this.#unjoined += waiting.length;
      this.#connecting.delete(key);
      this.#ambiguous.delete(key);
    } else if (waiting.length > 0) this.#ambiguous.set(key, ambiguous + 1);
    return undefined;
  }
}

function endsKey(local: Endpoint, remote: Endpoint): string {
  return `${local.address} ${local.port} ${remote.address} ${remote.port}`;
}

function connectKey({ local, remote }: StateEvent): string {
  return `${local.address} ${remote.address} ${remote.port}`;
}
