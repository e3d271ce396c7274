/** What plain connections say together: read from their records in one walk, when it is first asked. */
import { type Endpoint, formatEndpoint } from '../../model/address.ts';
import { SERVER } from '../../model/connection.ts';
import type { PlainConnection, PlainConnections, PlainKind } from '../../model/plain.ts';
import type { SourceTime } from '../../model/time.ts';

/** Handshakes to measure a server's usual answer time by. */
export const HANDSHAKES = 500;

/** The plain connections of one server endpoint. */
export class PlainServer {
  readonly server: Endpoint;
  /** Number of the first of them. */
  readonly first: number;
  /** How many, by kind. */
  readonly counts = new Map<PlainKind, number>();
  /** One of them carried payload of the server. */
  accepted = false;
  /** Times of its SYN-ACKs. */
  readonly synAcks: number[] = [];
  /** Of the first of them: their numbers, and the time from SYN to SYN-ACK, NaN where the capture shows none. */
  readonly answers: { number: number; time: number }[] = [];

  constructor(server: Endpoint, first: number) {
    this.server = server;
    this.first = first;
  }

  of(kind: PlainKind): number {
    return this.counts.get(kind) ?? 0;
  }
}

export class PlainFacts {
  readonly connections: PlainConnections;
  /** By `address:port`, in the order of first sight. */
  readonly servers = new Map<string, PlainServer>();
  /** Times of the first and the last packet. */
  readonly span: [SourceTime, SourceTime] | null;

  constructor(connections: PlainConnections) {
    this.connections = connections;
    let from = Number.POSITIVE_INFINITY;
    let to = Number.NEGATIVE_INFINITY;
    let last: PlainServer | null = null;
    for (const c of connections.each()) {
      if (c.start < from) from = c.start;
      if (c.end > to) to = c.end;
      if (last?.server.port !== c.serverPort || last.server.address !== c.serverAddress)
        last = this.#server(c);
      last.counts.set(c.kind, last.of(c.kind) + 1);
      if (c.bytes[SERVER] > 0) last.accepted = true;
      const answerTime = c.handshake(last.synAcks);
      if (last.answers.length < HANDSHAKES) last.answers.push({ number: c.number, time: answerTime });
    }
    this.span = connections.count === 0 ? null : [from as SourceTime, to as SourceTime];
  }

  of(kind: PlainKind): number {
    let count = 0;
    for (const server of this.servers.values()) count += server.of(kind);
    return count;
  }

  /** Servers of connections of one kind. */
  serversOf(kind: PlainKind): PlainServer[] {
    return [...this.servers.values()].filter((s) => s.of(kind) > 0);
  }

  #server(c: PlainConnection): PlainServer {
    const server = { address: c.serverAddress, port: c.serverPort };
    const key = formatEndpoint(server);
    let found = this.servers.get(key);
    if (!found) {
      found = new PlainServer(server, c.number);
      this.servers.set(key, found);
    }
    return found;
  }
}
