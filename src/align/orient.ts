/** Which end is the client, and which listening socket the other one belongs to. */
import { type Endpoint, isWildcard } from '../model/address.ts';
import type { Host, Listener } from '../model/case.ts';
import type { SocketLife, WireConnection } from '../model/connection.ts';
import type { CallEvent, DropEvent, KernelEvent, ProbedEvent, SocketEvent } from '../model/event.ts';

/** What the kernel said of one connection. */
export interface Told {
  lives: SocketLife[];
  rows: SocketEvent[];
  drops: DropEvent[];
  calls: CallEvent[];
  /** What else a capture's own probes saw. */
  kernel: ProbedEvent[];
}

/** Probes whose local end is the server's: they run for a listener or what it made. */
const OF_SERVERS: ReadonlySet<string> = new Set([
  'conn-request',
  'synack-retransmit',
  'request-removed',
  'child-refused',
  'cookie-check',
  'accept',
  'child-forgotten',
  'no-route-reply',
]);

/** Client and server: SYN sender first; else the listener's port; else as first seen (design §4). */
export function orient(
  wires: WireConnection[],
  { lives, rows, drops, calls, kernel }: Told,
  listeners: readonly Listener[],
): [Endpoint, Endpoint] {
  const syn = wires.find((w) => w.orientation !== 'guess');
  if (syn) return [syn.client, syn.server];
  const sided = lives.find((l) => l.role !== null);
  if (sided) return sided.role === 'client' ? [sided.local, sided.remote] : [sided.remote, sided.local];
  const call = calls.find((c) => c.call !== 'close');
  if (call) return call.call === 'connect' ? [call.local, call.remote] : [call.remote, call.local];
  const opening = rows.find((r) => r.state === 'SYN_SENT' || r.state === 'SYN_RECV');
  if (opening)
    return opening.state === 'SYN_SENT' ? [opening.local, opening.remote] : [opening.remote, opening.local];
  const served = kernel.find((e) => e.kind === 'probe' && OF_SERVERS.has(e.name));
  if (served) return [served.remote, served.local];
  const ends = endsOf(wires[0], lives[0] ?? rows[0] ?? calls[0] ?? kernel[0], drops[0]);
  const isListening = (e: Endpoint) => findListener(e, listeners, undefined) !== null;
  return isListening(ends[0]) && !isListening(ends[1]) ? [ends[1], ends[0]] : ends;
}

function endsOf(
  wire?: WireConnection,
  local?: { local: Endpoint; remote: Endpoint },
  drop?: DropEvent,
): [Endpoint, Endpoint] {
  if (wire) return [wire.client, wire.server];
  return local ? [local.local, local.remote] : [drop!.from, drop!.to];
}

/** The listener of an endpoint: by port, and by address unless it listens on the wildcard. */
export function findListener(
  server: Endpoint,
  listeners: readonly Listener[],
  host: Host | undefined,
): Listener | null {
  const matches = listeners.filter(
    (l) =>
      l.local.port === server.port &&
      (l.local.address === server.address ||
        (isWildcard(l.local.address) &&
          (l.host === null || l.host.addresses.has(server.address) || l.host === host))),
  );
  return matches[0] ?? null;
}

/** Probes that see a listening socket and no connection. */
const OF_LISTENERS: ReadonlySet<string> = new Set(['accept-queue', 'listen-stop', 'syn-flood']);

/** The listening socket as each source shows it: logs and tables of one host are not always known to be of one. */
export function listensAt({ local, host }: Listener, server: Endpoint): boolean {
  if (local.port !== server.port) return false;
  if (local.address === server.address) return true;
  return isWildcard(local.address) && (host === null || host.addresses.has(server.address));
}

/** Listening sockets of all hosts, from state events and socket tables. */
export function findListeners(
  lives: readonly SocketLife[],
  events: readonly KernelEvent[],
  hostOf: ReadonlyMap<number, Host>,
): Listener[] {
  const listeners: Listener[] = [];
  const at = (source: number, local: Endpoint): Listener => {
    const host = hostOf.get(source) ?? null;
    const same = (l: Listener) =>
      l.host === host &&
      l.local.port === local.port &&
      (l.local.address === local.address || (isWildcard(l.local.address) && isWildcard(local.address)));
    let listener = listeners.find(same);
    if (!listener) {
      listener = { host, local, lives: [], rows: [], probes: [] };
      listeners.push(listener);
    }
    return listener;
  };
  for (const life of lives) if (life.role === 'listener') at(life.source, life.local).lives.push(life);
  for (const e of events) {
    if (e.kind === 'socket' && e.state === 'LISTEN') at(e.source, e.local).rows.push(e);
    else if (e.kind === 'probe' && OF_LISTENERS.has(e.name)) at(e.source, e.local).probes.push(e);
  }
  return listeners;
}
