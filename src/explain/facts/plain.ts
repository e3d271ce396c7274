/** What plain connections say together: read from their records in one walk, when it is first asked. */
import { type Endpoint, formatEndpoint } from '../../model/address.ts';
import type { Case } from '../../model/case.ts';
import { CLIENT, SERVER } from '../../model/connection.ts';
import type { Confidence } from '../../model/finding.ts';
import { getOr } from '../../model/get-or.ts';
import {
  HALF_OPEN,
  OPEN,
  ORDERLY,
  type PlainConnection,
  type PlainConnections,
  type PlainKind,
  type PlainLife,
  REFUSED,
  type ToldByStates,
  UNANSWERED,
} from '../../model/plain.ts';
import type { TcpState } from '../../model/tcp.ts';
import type { SourceTime } from '../../model/time.ts';
import { DurationBins } from './durations.ts';
import { distinct, Numbers } from './numbers.ts';
import { SYN_RTO } from './timing.ts';

/** Handshakes to measure a server's usual answer time by. */
export const HANDSHAKES = 500;

/** Clients that are counted before it is looked which of them are different. */
const MANY = 1024;

/** The rule that holds for plain connections of a kind; '' for none. */
export const PLAIN_RULES: Readonly<Record<PlainKind, string>> = {
  [ORDERLY]: 'graceful-close',
  [HALF_OPEN]: '',
  [UNANSWERED]: 'unanswered-syn',
  [REFUSED]: 'connection-refused',
  [OPEN]: '',
};

/** How sure those rules are of them. */
const CONFIDENCE: Readonly<Record<string, Confidence>> = {
  [PLAIN_RULES[ORDERLY]]: 'proved',
  [PLAIN_RULES[UNANSWERED]]: 'possible',
  'fin-with-ack': 'proved',
  'fin-wait2-in-minisock': 'proved',
  [PLAIN_RULES[REFUSED]]: 'inferred',
};

/** Those of a server in one capture that are alike in kind, in the rule that holds, and in who ended them. */
export interface PlainAlike {
  kind: PlainKind;
  source: number;
  /** '' for none. */
  rule: string;
  /** What the states of their sockets say as well. */
  finWait2: ToldByStates;
  closedBy: 'client' | 'server' | 'none';
  connections: number;
  /** A number for the address of each client, some perhaps several times; with `starts` one for each connection. */
  clients: number[];
  /** So many are worth a look at which of them are different. */
  enough: number;
  /** Times of their SYNs, where nothing came of those. */
  starts: SourceTime[];
}

/** The plain connections of one server endpoint. */
export class PlainServer {
  readonly server: Endpoint;
  /** Number of the first of them. */
  readonly first: number;
  readonly alike: PlainAlike[] = [];
  /** One of them carried payload of the server. */
  accepted = false;
  /** Times of its SYN-ACKs in each capture. */
  readonly synAcks = new Map<number, Numbers>();
  /** Longest time that one of its sockets stood in CLOSE_WAIT, ns. */
  closeWait = 0;
  /** Of the first of them: their numbers, and the time from SYN to SYN-ACK, NaN where the capture shows none. */
  readonly answers: { source: number; number: number; time: number }[] = [];

  constructor(server: Endpoint, first: number) {
    this.server = server;
    this.first = first;
  }

  of(kind: PlainKind): number {
    return this.alike.reduce((sum, a) => (a.kind === kind ? sum + a.connections : sum), 0);
  }

  get connections(): number {
    return this.alike.reduce((sum, a) => sum + a.connections, 0);
  }

  add(c: PlainConnection): void {
    const closedBy = closedByOf(c);
    let alike = this.alike.find(
      (a) =>
        a.kind === c.kind && a.source === c.source && a.closedBy === closedBy && a.finWait2 === c.finWait2,
    );
    if (!alike) {
      alike = {
        kind: c.kind,
        source: c.source,
        rule: PLAIN_RULES[c.kind],
        finWait2: c.finWait2,
        closedBy,
        connections: 0,
        clients: [],
        enough: MANY,
        starts: [],
      };
      this.alike.push(alike);
    }
    alike.connections++;
    alike.clients.push(c.clientKey);
    if (c.kind === UNANSWERED || c.kind === HALF_OPEN) alike.starts.push(c.start);
    else if (alike.clients.length >= alike.enough) {
      alike.clients = distinct(alike.clients);
      alike.enough = Math.max(MANY, 2 * alike.clients.length);
    }
    if (c.bytes[SERVER] > 0) this.accepted = true;
    this.closeWait = Math.max(this.closeWait, stateTime(c.lives[SERVER], 'CLOSE_WAIT') ?? 0);
    const { source, number } = c;
    const time = c.handshake(getOr(this.synAcks, source, () => new Numbers()));
    if (this.answers.length < HANDSHAKES) this.answers.push({ source, number, time });
  }

  /** Captures that have connections of a client, given by the number for its address. */
  capturesOf(client: number): number[] {
    const own = this.alike.filter((a) => a.clients.includes(client));
    return [...new Set(own.map((a) => a.source))];
  }

  /** Sets those apart whose answer may have come after the end of the capture: of them nothing is said. */
  settle(until: number): void {
    const silent = this.alike.find((a) => a.kind === UNANSWERED);
    if (!silent) return;
    const { clients, starts } = silent;
    const part = (rule: string, overdue: boolean): PlainAlike => {
      const isOf = (_: number, i: number) => isOverdue(starts[i]!, until) === overdue;
      const own = clients.filter(isOf);
      return { ...silent, rule, connections: own.length, clients: own, starts: starts.filter(isOf) };
    };
    const parts = [part(silent.rule, true), part('', false)].filter((p) => p.connections > 0);
    this.alike.splice(this.alike.indexOf(silent), 1, ...parts);
  }
}

/** A SYN could have been sent again before the capture ended. */
export function isOverdue(syn: number, until: number): boolean {
  return until - syn >= SYN_RTO;
}

/** Who sent the first FIN, else the RST. */
export function closedByOf({ kind, finTime }: PlainConnection): 'client' | 'server' | 'none' {
  if (kind === ORDERLY) return finTime[CLIENT] <= finTime[SERVER] ? 'client' : 'server';
  return kind === REFUSED ? 'server' : 'none';
}

/** FIN_WAIT2 on the wire, of an orderly connection: from the ACK of the first FIN to the other; null when they came in one. */
export function finWait2Of({ kind, finTime, finAckedTime }: PlainConnection): number | null {
  if (kind !== ORDERLY) return null;
  if (finAckedTime[CLIENT] <= finTime[SERVER]) return finTime[SERVER] - finAckedTime[CLIENT];
  return finAckedTime[SERVER] <= finTime[CLIENT] ? finTime[CLIENT] - finAckedTime[SERVER] : null;
}

/** How long the socket was in a state, ns; null where it never was. */
function stateTime(life: PlainLife | null, state: TcpState): number | null {
  const step = life?.states.indexOf(state) ?? -1;
  return step < 0 ? null : life!.duration(step);
}

/** FIN_WAIT2 of the full socket of an orderly connection, ns; null where no log has it. */
export function finWait2InKernel({ lives }: PlainConnection): number | null {
  return stateTime(lives[CLIENT], 'FIN_WAIT2') ?? stateTime(lives[SERVER], 'FIN_WAIT2');
}

/** Plain connections of which states of sockets tell what their rule says. */
class Told {
  readonly numbers: number[] = [];
  readonly clients: Endpoint[] = [];
  /** How long FIN_WAIT2 of their full sockets lasted, ns. */
  readonly stays: number[] = [];
}

const NOTHING = new Told();

function holds(rule: string, alike: PlainAlike): boolean {
  return alike.rule === rule || alike.finWait2 === rule;
}

export class PlainFacts {
  readonly connections: PlainConnections;
  /** By `address:port`, in the order of first sight. */
  readonly servers = new Map<string, PlainServer>();
  /** How long FIN_WAIT2 lasted. */
  readonly waits = new DurationBins();
  /** The same of their full sockets, where logs of states tell. */
  readonly kernelWaits = new DurationBins();
  readonly #told = new Map<string, Told>();
  /** Time of the last packet of the capture. */
  readonly until: number;
  /** Times of the first and the last packet in each capture. */
  readonly spans = new Map<number, [SourceTime, SourceTime]>();

  /** `cases`: the others. */
  constructor(connections: PlainConnections, cases: readonly Case[]) {
    this.connections = connections;
    let to = Number.NEGATIVE_INFINITY;
    let last: PlainServer | null = null;
    for (const c of connections.each()) {
      this.#extend(c);
      if (c.end > to) to = c.end;
      if (last?.server.port !== c.serverPort || last.server.address !== c.serverAddress)
        last = this.#server(c);
      last.add(c);
      const wait = finWait2Of(c);
      if (wait !== null) this.waits.add(wait / 1e9);
      const stay = finWait2InKernel(c);
      if (stay !== null) this.kernelWaits.add(stay / 1e9);
      if (c.finWait2 !== '') this.#tell(c, stay!);
    }
    this.until = cases.reduce((latest, c) => Math.max(latest, c.wires[0]?.end ?? to), to);
    for (const server of this.servers.values()) server.settle(this.until);
  }

  #extend({ source, start, end }: PlainConnection): void {
    const span = this.spans.get(source);
    if (!span) this.spans.set(source, [start, end]);
    else {
      if (start < span[0]) span[0] = start;
      if (end > span[1]) span[1] = end;
    }
  }

  /** How many of them a rule holds for, and how surely; null for none. */
  unlisted(rule: string): { connections: number; confidence: Confidence } | null {
    const confidence = CONFIDENCE[rule];
    const connections = this.serversOf(rule)
      .flatMap((s) => s.alike)
      .reduce((sum, a) => (holds(rule, a) ? sum + a.connections : sum), 0);
    return confidence && connections > 0 ? { connections, confidence } : null;
  }

  /** Servers of those that a rule holds for. */
  serversOf(rule: string): PlainServer[] {
    return [...this.servers.values()].filter((s) => s.alike.some((a) => holds(rule, a)));
  }

  /** Numbers and clients of those of which states of sockets say what the rule says. */
  toldBy(rule: string): {
    numbers: readonly number[];
    clients: readonly Endpoint[];
    stays: readonly number[];
  } {
    return this.#told.get(rule) ?? NOTHING;
  }

  #tell({ finWait2, number, clientAddress, clientPort }: PlainConnection, stay: number): void {
    const told = getOr(this.#told, finWait2, () => new Told());
    told.numbers.push(number);
    told.clients.push({ address: clientAddress, port: clientPort });
    told.stays.push(stay);
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
