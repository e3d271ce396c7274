/** Which end is the client, and which listening socket the other one belongs to. */
import { type Endpoint, isWildcard } from '../model/address.ts';
import type { Host, Listener } from '../model/case.ts';
import type { SocketLife, WireConnection } from '../model/connection.ts';
import type { CallEvent, DropEvent, IcmpEvent, KernelEvent, ProbedEvent } from '../model/event.ts';
import type { SocketEvent } from '../model/table-event.ts';
import { ACK, SYN } from '../model/tcp.ts';
import type { Directions } from './direction.ts';

/** What the kernel said of one connection. */
export interface KernelRecord {
  lives: SocketLife[];
  rows: SocketEvent[];
  drops: DropEvent[];
  icmp: readonly IcmpEvent[];
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

/** Client and server; `sure` is false where nothing tells which is which. */
export interface Sides {
  client: Endpoint;
  server: Endpoint;
  sure: boolean;
}

/** SYN sender first; else the listener's port; else as the ports have it; else as first seen, which says nothing. */
export function orient(
  wires: WireConnection[],
  record: KernelRecord,
  listeners: readonly Listener[],
  directions: Directions,
): Sides {
  const shown = shownSides(wires, record);
  if (shown) return { client: shown[0], server: shown[1], sure: true };
  const { lives, rows, drops, calls, icmp, kernel } = record;
  const [a, b] = endsOf(wires[0], lives[0] ?? rows[0] ?? calls[0] ?? kernel[0], drops[0] ?? icmp[0]);
  const isListening = (e: Endpoint) => findListener(e, listeners, undefined) !== null;
  const listening = isListening(a) === isListening(b) ? null : isListening(a) ? a : b;
  const likely = directions.serverOf(a.port, b.port);
  const server = listening ?? (likely === null ? null : [a, b][likely]!);
  return { client: server === a ? b : a, server: server ?? b, sure: server !== null };
}

/** What a SYN, a socket or a call shows. */
function shownSides(wires: WireConnection[], record: KernelRecord): [Endpoint, Endpoint] | null {
  const { lives, rows, calls, kernel } = record;
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
  return served ? [served.remote, served.local] : synShown(record);
}

/** A SYN that the kernel dropped, or answered with a RST. */
function synShown({ drops, kernel }: KernelRecord): [Endpoint, Endpoint] | null {
  const answered = kernel.flatMap((e) => (e.kind === 'reset-sent' && e.answers ? [e.answers] : []));
  const dropped = drops.filter((d) => d.flags !== null && !d.socketEnds);
  const syn = [...answered, ...dropped].find((p) => p.flags! & SYN);
  if (!syn) return null;
  return syn.flags! & ACK ? [syn.to, syn.from] : [syn.from, syn.to];
}

function endsOf(
  wire?: WireConnection,
  local?: { local: Endpoint; remote: Endpoint },
  drop?: DropEvent | IcmpEvent,
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
  if (listeners.length === 0) return null;
  const isOf = (l: Listener) => listensAt(l, server) || (l.host === host && isWildcard(l.local.address));
  return listenersOn(server, listeners).find(isOf) ?? null;
}

/** Listeners by what they listen on, of each list that was asked for: thousands are searched no longer than two. */
const indexes = new WeakMap<readonly Listener[], Map<string, Listener[]>>();

/** What an endpoint is listened on as: by its address, or by its port alone. */
const nameOf = ({ address, port }: Endpoint) => (isWildcard(address) ? `${port}` : `${port} ${address}`);

function indexOf(listeners: readonly Listener[]): Map<string, Listener[]> {
  const index = new Map<string, Listener[]>();
  for (const l of listeners) {
    const same = index.get(nameOf(l.local));
    if (same) same.push(l);
    else index.set(nameOf(l.local), [l]);
  }
  indexes.set(listeners, index);
  return index;
}

/** Those on the endpoint's address, which the kernel prefers, then those on its port and the wildcard, of any host. */
function listenersOn(server: Endpoint, listeners: readonly Listener[]): Listener[] {
  const index = indexes.get(listeners) ?? indexOf(listeners);
  const names = new Set([nameOf(server), `${server.port}`]);
  return [...names].flatMap((name) => index.get(name) ?? []);
}

/** The listening socket as each source shows it: logs and tables of one host are not always known to be of one. */
export function listenersAt(server: Endpoint, listeners: readonly Listener[]): Listener[] {
  return listenersOn(server, listeners).filter((l) => listensAt(l, server));
}

/** Probes that see a listening socket and no connection. */
const OF_LISTENERS: ReadonlySet<string> = new Set(['accept-queue', 'listen-stop', 'syn-flood']);

function listensAt({ local, host }: Listener, server: Endpoint): boolean {
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
  const known = new Map<Host | null, Map<string, Listener>>();
  const at = (source: number, local: Endpoint): Listener => {
    const host = hostOf.get(source) ?? null;
    const ofHost = known.get(host) ?? new Map<string, Listener>();
    known.set(host, ofHost);
    const name = nameOf(local);
    let listener = ofHost.get(name);
    if (!listener) {
      listener = { host, local, lives: [], rows: [], probes: [] };
      ofHost.set(name, listener);
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
