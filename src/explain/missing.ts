/**
 * What would settle a question that the evidence leaves open. Rules name it; whether an input holds it already, where it
 * is to be recorded and with which command is computed here, from the probes attached, the sources and their fields.
 */
import type { Host } from '../model/case.ts';
import { CLIENT, SERVER, type SideIndex } from '../model/connection.ts';
import type { FindingSide, Missing } from '../model/finding.ts';
import { getOr } from '../model/get-or.ts';
import { displayAddress } from '../model/hostnames.ts';
import type { Recording, Source } from '../model/source.ts';
import type { Facts } from './facts/facts.ts';
import type { World } from './facts/world.ts';
import { bundleOf } from './later-recordings.ts';
import { memoised } from './memo.ts';

/** What a rule lacks, of one end; `peer-packets`: of whichever end has no capture yet. */
export interface Wanted {
  what: keyof typeof KINDS;
  side: SideIndex;
}

interface Kind {
  /** In a sentence; `of`: `the server`. */
  text: (of: string) => string;
  /** Pieces of the capture that record it: with any of them attached it is there. */
  probes: readonly string[];
  /** What it takes besides to tell whose it is. */
  beside?: readonly string[];
  /** Options of the capture besides. */
  options?: string;
  /** Kernels before this one have the probe, and do not say it. */
  since?: readonly [number, number];
  /** The inputs hold it without a probe of a capture. */
  held?: (f: Facts, side: SideIndex) => boolean;
}

const KINDS = {
  'reset-reason': {
    text: (of) => `Why the kernel of ${of} sent the RST (reset reason, kernel 6.10 and later)`,
    probes: ['reset-sent'],
    beside: ['state'],
    since: [6, 10],
  },
  'close-call': {
    text: (of) => `Whether data were unread or SO_LINGER was set when the process on ${of} closed`,
    // on a kernel that lets functions be probed or not: what the socket held at the step to CLOSE, and the RST after it
    probes: ['state'],
    beside: ['reset-sent'],
    held: (f, side) => f.life(side)?.life.transitions.some((t) => t.fields != null) ?? false,
  },
  states: {
    text: (of) => `Which states the socket of ${of} went through`,
    probes: ['state'],
    held: (f, side) => f.life(side) !== null,
  },
  packets: {
    text: (of) => `The packets of ${of}: what was sent, when, and in answer to what`,
    probes: [],
    held: (f) => f.wire !== null,
  },
  'peer-packets': {
    text: (of) => `Which of these packets reached ${of}, and what it sent itself`,
    probes: [],
    held: (f) => !f.wire || sameHost(f) || f.world.captures.beside(f.case, f.wire.wire.source).length > 0,
  },
  'queue-at-syn': {
    text: (of) => `How full the accept queue and the SYN queue of ${of} were when this SYN came`,
    probes: ['conn-request'],
  },
  'queue-at-ack': {
    text: (of) => `How full the accept queue of ${of} was when the ACK of the handshake came`,
    probes: ['child-refused'],
  },
  'dropped-syns': {
    text: (of) =>
      `Each SYN that ${of} dropped: tcp_conn_request drops it without a drop event, so tcpdrop, dropwatch and perf cannot show it`,
    probes: ['conn-request'],
  },
  drops: {
    text: (of) => `Which packet ${of} dropped, where and for what reason`,
    probes: ['drop'],
  },
  minisock: {
    text: (of) => `Whether and for how long ${of} kept a timewait socket for the connection`,
    probes: ['time-wait', 'minisock'],
  },
  'minisock-end': {
    text: (of) => `When the timewait socket of ${of} ended`,
    probes: ['minisock'],
  },
  accepted: {
    text: (of) => `Whether a process on ${of} accepted the connection`,
    probes: ['accept'],
  },
  'listener-stop': {
    text: (of) => `Which connections were in the accept queue when ${of} closed its listener`,
    probes: ['listen-stop'],
  },
  'request-removed': {
    text: (of) => `When and why ${of} gave up the half-open connection`,
    probes: ['request-timer'],
  },
  'route-back': {
    text: (of) => `Whether ${of} found no route back to the client`,
    probes: ['no-route-reply'],
  },
  'out-of-memory': {
    text: (of) => `Whether ${of} had too many orphaned sockets or too little TCP memory`,
    probes: ['out-of-memory'],
  },
  destroyed: {
    text: (of) => `Whether SOCK_DESTROY (ss -K) ended the socket of ${of}`,
    probes: ['abort'],
  },
  disconnected: {
    text: (of) => `Whether the process on ${of} called connect(AF_UNSPEC)`,
    probes: ['disconnect'],
  },
  'cookie-check': {
    text: (of) => `Whether ${of} completed this handshake with a SYN cookie`,
    probes: ['cookie-check'],
  },
  'cookie-counters': {
    text: (of) => `How many SYN cookies ${of} sent (SyncookiesSent before and after)`,
    probes: [],
    held: (f) => f.listener.rise('SyncookiesSent') !== null,
  },
  'synack-retries': {
    text: (of) => `How long ${of} keeps a half-open connection (net.ipv4.tcp_synack_retries)`,
    probes: [],
    held: (f, side) => f.sysctl(side, 'net.ipv4.tcp_synack_retries') !== null,
  },
  'later-table': {
    text: (of) => `Whether the process on ${of} closes its socket later (a second socket table)`,
    probes: [],
    options: ' --sockets-interval 5',
    held: (f, side) => f.rows(side).some((r) => f.world.snapshots.later(r).length > 0),
  },
  'last-ack': {
    text: () => 'The last acknowledgment: the capture ends before it',
    probes: [],
    options: ' --duration 600',
  },
} satisfies Record<string, Kind>;

/** `side`: nothing is wanted of a device on the path, which has no kernel to ask. */
export function wanted(what: Wanted['what'], side: FindingSide): Wanted[] {
  return side === 'path' ? [] : [{ what, side: side === 'client' ? CLIENT : SERVER }];
}

/** The other end's: a device on the path has none. */
export function wantedOfPeer(what: Wanted['what'], side: FindingSide): Wanted[] {
  return side === 'path' ? [] : wanted(what, side === 'client' ? 'server' : 'client');
}

/** The packets of the other end, where a capture shows those of one; else the packets. */
export function peerPackets(f: Facts): Wanted[] {
  if (!f.wire) return wanted('packets', 'server');
  const [source, { client, server }] = [f.world.source(f.wire.wire.source), f.case];
  const host = f.world.context.hosts.find((h) => h.sources.includes(source));
  const atServer = host?.addresses.has(server.address) && !host.addresses.has(client.address);
  return wanted('peer-packets', atServer ? 'client' : 'server');
}

/** Of so many servers what is missing is kept. */
const SERVERS = 1000;
const ofUnknownHosts = memoised((_: World) => new Map<string, Missing[]>());

/** What of it no input holds. Where no host is known it is the same for all that want it of the same ends. */
export function missingOf(f: Facts, all: readonly Wanted[]): Missing[] {
  const open = all.filter(({ what, side }) => !(KINDS[what] as Kind).held?.(f, side));
  const find = () => open.map((w) => missing(f, w)).filter((m) => m !== null);
  if (f.world.context.hosts.length > 0) return find();
  const known = ofUnknownHosts(f.world);
  if (known.size > SERVERS) known.clear();
  const ends = open.map(({ what, side }) => `${what} ${side} ${f.endpoint(side).address}`);
  return getOr(known, `${ends.join()} ${f.case.server.port}`, find);
}

function missing(f: Facts, { what, side }: Wanted): Missing | null {
  const { text, probes, beside = [], since, options = '' }: Kind = KINDS[what];
  const hosts = hostsOf(f, side);
  const recorded = hosts.flatMap((h) => h.sources.filter((s) => s.recording));
  const recordings = recorded.flatMap((s) => (covers(f, s, s.recording!) ? s.recording! : []));
  const attached = recordings.filter((r) => probes.some((p) => r.attached.has(p)));
  const old = attached.filter((r) => since !== undefined && isOlder(r.kernel, since));
  if (attached.length > old.length) return null;
  const [probe = ''] = probes;
  const asked = [...probes, ...beside].map((p) => ` --probe ${p}`).join('');
  const host = hosts.find((h) => !h.unnamed)?.name ?? displayAddress(f.endpoint(side).address);
  const why = old[0]
    ? `kernel ${old[0].kernel} of ${host} does not record it`
    : (recordings.flatMap((r) => refusal(r, probe, host))[0] ??
      recorded
        .filter((s) => s.recording!.attached.has(probe))
        .map((s) => `${bundleOf(s)} recorded it at another time`)[0]);
  const { port } = f.case.server;
  const sentence = text(`the ${side === CLIENT ? 'client' : 'server'}`);
  return {
    what: why === undefined ? sentence : `${sentence}: ${why}`,
    probe,
    host,
    port,
    command:
      why === undefined ? `tcpautopsy-capture -o capture-${port} --port ${port}${asked}${options}` : '',
  };
}

/** It ran while the connection was seen; where their clocks cannot be compared it may have. */
function covers(f: Facts, { id }: Source, { from, until }: Recording): boolean {
  const { timeline } = f.world.context;
  const [first, last] = f.extent;
  const [begin, end] = [timeline.at(id, from), timeline.at(id, until)];
  if (begin === null || end === null || first.at === null || last.at === null) return true;
  if (!timeline.comparable(first.source, id)) return true;
  return first.at <= end && last.at >= begin;
}

function refusal({ refused }: Recording, probe: string, host: string): string[] {
  const why = refused.get(probe);
  return why === undefined ? [] : [`${probe} could not be attached on ${host} (${why})`];
}

/** `6.1.0-48-amd64` is older than 6.10. */
function isOlder(release: string | null, [major, minor]: readonly [number, number]): boolean {
  const [, a, b] = /^(\d+)\.(\d+)/.exec(release ?? '') ?? [];
  return a !== undefined && (Number(a) < major || (Number(a) === major && Number(b) < minor));
}

/** The host of a side, by its address or by the log that tells of its socket. */
function hostsOf(f: Facts, side: SideIndex): Host[] {
  const { address } = f.endpoint(side);
  const life = f.case.lives[side]?.source;
  return f.world.context.hosts.filter(
    (h) => h.addresses.has(address) || h.sources.some((s) => s.id === life),
  );
}

/** A capture of the loopback or of two namespaces of one host shows what either end sent and received. */
function sameHost(f: Facts): boolean {
  const { client, server } = f.case;
  return (
    client.address === server.address ||
    f.world.context.hosts.some((h) => h.addresses.has(client.address) && h.addresses.has(server.address))
  );
}
