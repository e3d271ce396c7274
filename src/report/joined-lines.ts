/** Lines about plain connections of which logs of states tell as well: what the long way makes of packets and states. */
import { ackOfFin, CLOSE_WAIT, FIN_WAIT1, FIN_WAIT2, peerStoodOpen } from '../explain/facts/by-states.ts';
import { packetFact, transitionFact } from '../explain/facts/evidence.ts';
import { closedByOf, finWait2InKernel, finWait2Of, PLAIN_RULES } from '../explain/facts/plain.ts';
import { ACKNOWLEDGED } from '../explain/procedures/fin.ts';
import { CARRIES_BOTH, carriedBoth } from '../explain/procedures/fin-wire.ts';
import { orderlySummary } from '../explain/procedures/graceful.ts';
import { FIN_LATER, finLater, leftAtOnce, NO_FIN_YET, PEER_OPEN } from '../explain/procedures/minisock.ts';
import { MINISOCK_REMEDY, wentOnUnseen } from '../explain/rules/fin-wait2-in-minisock.ts';
import { FIN_WITH_ACK_REMEDY, passedAtOnce } from '../explain/rules/fin-with-ack.ts';
import { capital } from '../explain/words.ts';
import { formatEndpoint } from '../model/address.ts';
import type { Context } from '../model/case.ts';
import {
  CLIENT,
  type KeyPacket,
  SERVER,
  SIDES,
  type SideIndex,
  type SocketLife,
  type Transition,
} from '../model/connection.ts';
import type { Evidence } from '../model/finding.ts';
import { ORDERLY, type PlainConnection } from '../model/plain.ts';
import { packetPlace } from '../model/source.ts';
import { FIN } from '../model/tcp.ts';
import type { CommonTime } from '../model/time.ts';
import { csvCell } from './csv-lines.ts';
import { endsOf, seconds } from './plain-cells.ts';
import { hostsOf } from './rows.ts';

/** What lines of connections with the same sources have in common. */
interface Shared {
  host: string;
  names: string;
}

export class JoinedLines {
  readonly #context: Context;
  readonly #shared = new Map<string, Shared>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Of connections.csv. */
  connection(c: PlainConnection): string {
    const { host, names } = this.#sharedBy(c);
    const closedBy = closedByOf(c);
    return (
      `c${c.number},${host},,${endsOf(c)},${this.#span(c)},fin,${closedBy},${closedBy},,` +
      `${PLAIN_RULES[ORDERLY]},,${c.finWait2},,${c.connState},${c.history},${c.completeness},` +
      `${c.packets[CLIENT]},${c.packets[SERVER]},${c.bytes[CLIENT]},${c.bytes[SERVER]},` +
      `${c.syns[CLIENT]},${c.synAcks[SERVER]},${c.retransmits[CLIENT]},${c.retransmits[SERVER]},` +
      `${seconds(finWait2Of(c))},${seconds(finWait2InKernel(c))},${processOf(c.lives[CLIENT])},${processOf(c.lives[SERVER])},` +
      `${csvCell(c.encapsulation)},${names}`
    );
  }

  /** Of findings.csv: a line, or two. */
  findings(c: PlainConnection): string {
    const first: SideIndex = closedByOf(c) === 'client' ? CLIENT : SERVER;
    const packets = c.view().keyPackets;
    const fins = [first, 1 - first].map((side) => packets.find((p) => p.flags & FIN && p.side === side)!);
    const name = nameOf(c, first);
    const graceful = this.#line(c, PLAIN_RULES[ORDERLY], 'close', first, {
      source: c.source,
      at: this.#context.timeline.at(c.source, c.finTime[first]),
      summary: `${capital(orderlySummary(name))}.`,
      remedy: '',
      evidence: fins.map((p) => this.#packet(c, p)),
    });
    const life = c.lives[first];
    if (!life || c.finWait2 === '') return graceful;
    const left = [
      this.#transition(life, FIN_WAIT1, name, ACKNOWLEDGED),
      this.#transition(life, FIN_WAIT2, name),
    ];
    const moment = { source: life.source, at: this.#context.timeline.ofTransition(life, FIN_WAIT2) };
    const more =
      c.finWait2 === 'fin-with-ack'
        ? {
            summary: passedAtOnce(name, carriedBoth(name)),
            remedy: FIN_WITH_ACK_REMEDY,
            evidence: [...left, this.#packet(c, ackOfFin(packets, c, first)!, CARRIES_BOTH)],
          }
        : this.#minisock(c, first, fins[1]!, life, left);
    return `${graceful}\n${this.#line(c, c.finWait2, 'fin-wait2', first, { ...moment, ...more })}`;
  }

  #minisock(c: PlainConnection, first: SideIndex, fin: KeyPacket, life: SocketLife, left: Evidence[]) {
    const other = (1 - first) as SideIndex;
    const peer = c.lives[other];
    const isOpen = peerStoodOpen(life, peer);
    const because = leftAtOnce(life.transitions[FIN_WAIT2]!.duration!, [
      ...(isOpen ? [PEER_OPEN] : []),
      FIN_LATER,
    ]);
    return {
      summary: wentOnUnseen(nameOf(c, first), because),
      remedy: MINISOCK_REMEDY,
      evidence: [
        ...left,
        ...(isOpen ? [this.#transition(peer!, CLOSE_WAIT, nameOf(c, other), NO_FIN_YET)] : []),
        this.#packet(c, fin, finLater(c.finTime[other] - c.finAckedTime[first])),
      ],
    };
  }

  #line(
    c: PlainConnection,
    rule: string,
    group: string,
    side: SideIndex,
    of: { source: number; at: CommonTime | null; summary: string; remedy: string; evidence: Evidence[] },
  ): string {
    const clock = this.#context.timeline.label(of.source);
    return (
      `c${c.number},${rule},${group},verdict,proved,info,${SIDES[side]},${endsOf(c)},` +
      `${this.#context.timeline.format(of.at, clock)},${clock},${csvCell(of.summary)},${csvCell(of.remedy)},` +
      `${csvCell(JSON.stringify(of.evidence))},[],`
    );
  }

  #packet(c: PlainConnection, p: KeyPacket, note = ''): Evidence {
    const source = this.#context.sources[c.source]!;
    return {
      source: source.name,
      locator: packetPlace(source, p.frame),
      time: this.#time(c.source, this.#context.timeline.at(c.source, p.time)),
      fact: packetFact(nameOf(c, p.side), p, note),
    };
  }

  #transition(life: SocketLife, step: number, name: string, note = ''): Evidence {
    const t = life.transitions[step] as Transition;
    return {
      source: this.#context.sources[life.source]!.name,
      locator: `line ${t.line}`,
      time: this.#time(life.source, this.#context.timeline.ofTransition(life, step)),
      fact: transitionFact(name, t, note),
    };
  }

  #time(source: number, at: CommonTime | null): string {
    return this.#context.timeline.format(at, this.#context.timeline.label(source));
  }

  /** start_time to duration_s: the first and the last that any source has of it. */
  #span(c: PlainConnection): string {
    const { timeline } = this.#context;
    let [first, last]: (CommonTime | null)[] = [null, null];
    let source = c.source;
    const add = (at: CommonTime | null, from: number) => {
      if (at === null) return;
      if (first === null || at < first) [first, source] = [at, from];
      if (last === null || at > last) last = at;
    };
    add(timeline.at(c.source, c.start), c.source);
    add(timeline.at(c.source, c.end), c.source);
    for (const life of c.lives) {
      if (!life) continue;
      add(timeline.ofTransition(life, 0), life.source);
      add(timeline.ofTransition(life, life.transitions.length - 1), life.source);
    }
    if (first === null || last === null) return ',,order,';
    const clock = timeline.label(source);
    return `${timeline.format(first, clock)},${timeline.format(last, clock)},${clock},${seconds(last - first)}`;
  }

  #sharedBy({ source, lives }: PlainConnection): Shared {
    const ids = [source];
    for (const life of lives) if (life && !ids.includes(life.source)) ids.push(life.source);
    const key = ids.sort((a, b) => a - b).join();
    let shared = this.#shared.get(key);
    if (!shared) {
      const names = ids.map((id) => this.#context.sources[id]!.name).join('; ');
      shared = { host: csvCell(hostsOf(ids, this.#context)), names: csvCell(names) };
      this.#shared.set(key, shared);
    }
    return shared;
  }
}

/** Number and name of the process that owns the socket. */
function processOf(life: SocketLife | null): string {
  return life?.owner ? `${life.owner.pid},${csvCell(life.owner.comm)}` : ',';
}

function nameOf(c: PlainConnection, side: SideIndex): string {
  const end =
    side === CLIENT
      ? { address: c.clientAddress, port: c.clientPort }
      : { address: c.serverAddress, port: c.serverPort };
  return `${SIDES[side]} ${formatEndpoint(end)}`;
}
