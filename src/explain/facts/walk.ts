/**
 * What a trace of function entries says of one close after another: which socket is which, who handled each of the
 * four segments, which lines stand out of order. Such traces name no addresses, so it all comes from states, from the
 * order of the lines and from what each function does (net/ipv4/tcp.c, tcp_input.c, tcp_minisocks.c).
 */
import type { WalkEvent } from '../../model/event.ts';
import type { TcpState } from '../../model/tcp.ts';

/** A full socket, as the trace shows it. */
export interface WalkSocket {
  socket: string;
  events: WalkEvent[];
  /** The process that called close(): its system call, so its own socket (G12). */
  owner: number | null;
  /** tcp_close: sk_max_ack_backlog, which a socket made by accept() has from its listener. */
  acceptLimit: number | null;
  sendFin: WalkEvent | null;
  /** tcp_fin: the peer's FIN is taken. */
  takesFin: WalkEvent | null;
  /** The last tcp_set_state to CLOSE. */
  end: WalkEvent | null;
}

/** One closing of which both ends are in the trace, seen by one kernel. */
export interface WalkClose {
  /** Sent its FIN first. */
  first: WalkSocket;
  second: WalkSocket;
  /** The timewait minisock that stood for `first` afterwards. */
  minisock: { socket: string; events: WalkEvent[] } | null;
  /** Functions that handled segment 1 (FIN of `first`), 3 (FIN of `second`) and 4 (its ACK), in order of entry. */
  handled: { one: WalkEvent[]; two: WalkEvent[]; three: WalkEvent[]; four: WalkEvent[] };
}

export interface Walk {
  source: number;
  events: WalkEvent[];
  closes: WalkClose[];
  /** Lines whose state the socket had left before, by the lines above them. */
  outOfOrder: WalkEvent[];
  /** Lines whose function cannot have been entered with such a socket: the probe is named wrongly. */
  misnamed: { event: WalkEvent; really: string }[];
}

/** Receive functions in the order in which one calls the other. */
const RECEIVES = [
  'tcp_v4_do_rcv',
  'tcp_v6_do_rcv',
  'tcp_rcv_established',
  'tcp_rcv_state_process',
  'tcp_fin',
  'tcp_timewait_state_process',
];

/** States in the order in which a socket goes through them when it closes first, and when it closes second. */
const STAGE: Partial<Record<TcpState, number>> = {
  SYN_SENT: 0,
  SYN_RECV: 0,
  ESTABLISHED: 1,
  FIN_WAIT1: 2,
  CLOSE_WAIT: 2,
  FIN_WAIT2: 3,
  CLOSING: 3,
  LAST_ACK: 3,
  CLOSE: 4,
};

export function walksOf(events: readonly WalkEvent[]): Walk[] {
  const bySource = new Map<number, WalkEvent[]>();
  for (const e of events) {
    const own = bySource.get(e.source);
    if (own) own.push(e);
    else bySource.set(e.source, [e]);
  }
  return [...bySource].map(([source, own]) => walkOf(source, own));
}

function walkOf(source: number, all: WalkEvent[]): Walk {
  const misnamed = all.flatMap((event, i) => wronglyNamed(event, all[i - 1]));
  const wrong = new Set(misnamed.map((m) => m.event));
  const events = all.filter((e) => !wrong.has(e));
  const outOfOrder = findOutOfOrder(events);
  const late = new Set(outOfOrder);
  return {
    source,
    events: all,
    closes: findCloses(events.filter((e) => !late.has(e))),
    outOfOrder,
    misnamed,
  };
}

/**
 * A minisock has none of what a full socket has: only the functions of tcp_minisocks.c are entered with one. A line
 * that says otherwise right after one of those, with the same socket and process, is a second probe on it.
 */
function wronglyNamed(event: WalkEvent, before: WalkEvent | undefined): Walk['misnamed'] {
  if (event.state !== 'TIME_WAIT' || !before || before.state !== 'TIME_WAIT') return [];
  if (before.function !== 'tcp_timewait_state_process' || event.function === before.function) return [];
  if (event.socket !== before.socket || event.pid !== before.pid) return [];
  return /time_?wait|twsk|tw_/.test(event.function) ? [] : [{ event, really: before.function }];
}

/** No socket goes back: a line with an earlier state than lines above it was printed late. */
function findOutOfOrder(events: readonly WalkEvent[]): WalkEvent[] {
  const reached = new Map<string, number>();
  return events.filter((e) => {
    const stage = e.state === null ? undefined : STAGE[e.state];
    if (stage === undefined) return false;
    const most = reached.get(e.socket) ?? 0;
    const next = e.newState === null ? stage : (STAGE[e.newState] ?? stage);
    // an address that begins anew is a new socket
    if (stage === 0) reached.set(e.socket, 0);
    else reached.set(e.socket, Math.max(most, next));
    return stage !== 0 && stage < most;
  });
}

function findCloses(events: readonly WalkEvent[]): WalkClose[] {
  const sockets = new Map<string, WalkSocket>();
  for (const e of events) {
    if (e.state === 'TIME_WAIT') continue;
    let s = sockets.get(e.socket);
    if (!s) {
      s = {
        socket: e.socket,
        events: [],
        owner: null,
        acceptLimit: null,
        sendFin: null,
        takesFin: null,
        end: null,
      };
      sockets.set(e.socket, s);
    }
    s.events.push(e);
    if (e.function === 'tcp_close') [s.owner, s.acceptLimit] = [e.pid, e.acceptLimit ?? s.acceptLimit];
    if (e.function === 'tcp_send_fin') s.sendFin ??= e;
    if (e.function === 'tcp_fin') s.takesFin ??= e;
    if (e.function === 'tcp_set_state' && e.newState === 'CLOSE') s.end = e;
  }
  const taken = new Set<WalkSocket>();
  const closes: WalkClose[] = [];
  for (const first of sockets.values()) {
    const sent = first.sendFin;
    if (!sent || taken.has(first) || wasPassive(first)) continue;
    const second = [...sockets.values()].find(
      (s) => s !== first && !taken.has(s) && answers(s, sent, sockets),
    );
    if (!second) continue;
    taken.add(first).add(second);
    closes.push(closeOf(first, second, events));
  }
  return closes;
}

function wasPassive(s: WalkSocket): boolean {
  return s.events.some((e) => e.state === 'CLOSE_WAIT' || e.state === 'LAST_ACK');
}

/** It takes a FIN in ESTABLISHED after this one was sent, and no other was sent in between. */
function answers(s: WalkSocket, sent: WalkEvent, sockets: ReadonlyMap<string, WalkSocket>): boolean {
  const took = s.takesFin;
  if (!took || took.line < sent.line || took.state !== 'ESTABLISHED') return false;
  return ![...sockets.values()].some(
    (o) => o.sendFin && o.sendFin.line > sent.line && o.sendFin.line < took.line,
  );
}

function closeOf(first: WalkSocket, second: WalkSocket, events: readonly WalkEvent[]): WalkClose {
  const sent = first.sendFin!;
  const answer = second.sendFin;
  const after = answer?.line ?? Number.POSITIVE_INFINITY;
  const received = (s: WalkSocket, from: number, to: number) =>
    s.events.filter((e) => RECEIVES.includes(e.function) && e.line > from && e.line < to);
  const minisock = events.filter((e) => e.state === 'TIME_WAIT' && e.line > sent.line);
  const [tw] = minisock;
  const own = tw ? minisock.filter((e) => e.socket === tw.socket) : [];
  const end = (second.end?.line ?? Number.POSITIVE_INFINITY) + 1;
  return {
    first,
    second,
    minisock: tw ? { socket: tw.socket, events: own } : null,
    handled: {
      one: received(second, sent.line, after),
      two: received(first, sent.line, after),
      three: [...own, ...received(first, after, Number.POSITIVE_INFINITY)].filter((e) => e.line > after),
      four: received(second, after, end),
    },
  };
}
