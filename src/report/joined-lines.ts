/** Lines about plain connections of which logs of states tell as well: what the long way makes of packets and states. */
import { ACKNOWLEDGED, ANSWERED, LEFT, peerStoodOpen } from '../explain/facts/by-states.ts';
import { packetFact, transitionFact } from '../explain/facts/evidence.ts';
import { closedByOf, finWait2InKernel, finWait2Of, PLAIN_RULES } from '../explain/facts/plain.ts';
import { FIN_TAKEN } from '../explain/procedures/fin.ts';
import { CARRIES_BOTH, carriedBoth } from '../explain/procedures/fin-wire.ts';
import { orderlySummary } from '../explain/procedures/graceful.ts';
import { FIN_LATER, finLater, leftAtOnce, NO_FIN_YET, PEER_OPEN } from '../explain/procedures/minisock.ts';
import { MINISOCK_REMEDY, wentOnUnseen } from '../explain/rules/fin-wait2-in-minisock.ts';
import { FIN_WITH_ACK_REMEDY, passedAtOnce } from '../explain/rules/fin-with-ack.ts';
import { capital } from '../explain/words.ts';
import { formatEndpoint } from '../model/address.ts';
import type { Context } from '../model/case.ts';
import { CLIENT, type KeyPacket, SERVER, SIDES, type SideIndex } from '../model/connection.ts';
import { ORDERLY, type PlainConnection, type PlainLife } from '../model/plain.ts';
import { packetPlace } from '../model/source.ts';
import { ACK, FIN } from '../model/tcp.ts';
import type { CommonTime, SourceTime } from '../model/time.ts';
import { csvCell } from './csv-lines.ts';
import { endsOf, inQuotes, seconds } from './plain-cells.ts';
import { hostsOf } from './rows.ts';

/** What lines of connections with the same sources have in common. */
interface Shared {
  host: string;
  names: string;
}

const REMEDIES = {
  'fin-with-ack': csvCell(FIN_WITH_ACK_REMEDY),
  'fin-wait2-in-minisock': csvCell(MINISOCK_REMEDY),
};

/** Times that were told last: several facts are of one moment. */
const TOLD = 4;

export class JoinedLines {
  readonly #context: Context;
  readonly #shared = new Map<string, Shared>();
  /** Names of sources as in JSON in a cell in quotes. */
  readonly #names: readonly string[];
  readonly #times: { at: number; clock: string; text: string }[] = [];
  #next = 0;

  constructor(context: Context) {
    this.#context = context;
    this.#names = context.sources.map((s) => inQuotes(JSON.stringify(s.name)));
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
    const other = (1 - first) as SideIndex;
    const packets = c.closing();
    const fin = packets.find((p) => p.flags & FIN && p.side === first)!;
    const answer = packets.find((p) => p.flags & FIN && p.side === other)!;
    const [name, ends] = [nameOf(c, first), endsOf(c)];
    const head = `,verdict,proved,info,${SIDES[first]},${ends},`;
    const graceful =
      `c${c.number},${PLAIN_RULES[ORDERLY]},close${head}${this.#moment(c.source, c.finTime[first])},` +
      `"${capital(orderlySummary(name))}.",,"[${this.#packet(c, fin, name)},${this.#packet(c, answer, nameOf(c, other))}]",[],`;
    const life = c.lives[first];
    if (!life || c.finWait2 === '') return graceful;
    const left = `${this.#step(life, ACKNOWLEDGED, name, FIN_TAKEN)},${this.#step(life, LEFT, name)}`;
    const [summary, more] =
      c.finWait2 === 'fin-with-ack'
        ? [passedAtOnce(name, carriedBoth(name)), this.#carried(c, first, packets)]
        : this.#minisock(c, first, answer);
    return (
      `${graceful}\nc${c.number},${c.finWait2},fin-wait2${head}${this.#moment(life.source, life.time(LEFT))},` +
      `${csvCell(summary)},${REMEDIES[c.finWait2]},"[${left},${more}]",[],`
    );
  }

  /** The packet that acknowledged the first FIN and carried the other. */
  #carried(c: PlainConnection, first: SideIndex, packets: readonly KeyPacket[]): string {
    const ack = packets.find((p) => p.time === c.finAckedTime[first] && p.side !== first && p.flags & ACK)!;
    return this.#packet(c, ack, nameOf(c, ack.side), CARRIES_BOTH);
  }

  /** Summary and what proves it. */
  #minisock(c: PlainConnection, first: SideIndex, fin: KeyPacket): [string, string] {
    const other = (1 - first) as SideIndex;
    const [life, peer] = [c.lives[first]!, c.lives[other]];
    const isOpen = peerStoodOpen(life, peer);
    const because = leftAtOnce(life.duration(LEFT)!, isOpen ? [PEER_OPEN, FIN_LATER] : [FIN_LATER]);
    const name = nameOf(c, other);
    const open = isOpen ? `${this.#step(peer!, ANSWERED, name, NO_FIN_YET)},` : '';
    const later = this.#packet(c, fin, name, finLater(c.finTime[other] - c.finAckedTime[first]));
    return [wentOnUnseen(nameOf(c, first), because), open + later];
  }

  /** time and clock. */
  #moment(source: number, time: SourceTime | null): string {
    return `${this.#time(source, time)},${this.#context.timeline.label(source)}`;
  }

  #packet({ source }: PlainConnection, p: KeyPacket, name: string, note = ''): string {
    const place = packetPlace(this.#context.sources[source]!, p.frame);
    return this.#fact(source, place, p.time, packetFact(name, p, note));
  }

  #step(life: PlainLife, step: number, name: string, note = ''): string {
    const [from, to] = [life.states[step]!, life.states[step + 1]!];
    const fact = transitionFact(name, { from, to, duration: life.duration(step) }, note);
    return this.#fact(life.source, `line ${life.line(step)}`, life.time(step), fact);
  }

  /** As JSON in a cell in quotes; names of sides, states and flags need no escape. */
  #fact(source: number, place: string, time: SourceTime | null, fact: string): string {
    return (
      `{""source"":${this.#names[source]},""locator"":""${place}"",` +
      `""time"":""${this.#time(source, time)}"",""fact"":""${fact}""}`
    );
  }

  #time(source: number, time: SourceTime | null): string {
    const { timeline } = this.#context;
    return this.#format(timeline.at(source, time), source);
  }

  #format(at: CommonTime | null, source: number): string {
    if (at === null) return '';
    const { timeline } = this.#context;
    const clock = timeline.label(source);
    for (const told of this.#times) if (told.at === at && told.clock === clock) return told.text;
    const text = timeline.format(at, clock);
    this.#times[this.#next] = { at, clock, text };
    this.#next = (this.#next + 1) % TOLD;
    return text;
  }

  /** start_time to duration_s: the first and the last that any source has of it. */
  #span(c: PlainConnection): string {
    const { timeline } = this.#context;
    let [first, last]: (CommonTime | null)[] = [null, null];
    let source = c.source;
    const add = (time: SourceTime | null, from: number) => {
      const at = timeline.at(from, time);
      if (at === null) return;
      if (first === null || at < first) [first, source] = [at, from];
      if (last === null || at > last) last = at;
    };
    add(c.start, c.source);
    add(c.end, c.source);
    for (const life of c.lives) {
      if (!life) continue;
      add(life.time(0), life.source);
      add(life.time(LEFT), life.source);
    }
    if (first === null || last === null) return ',,order,';
    const lasted = seconds(last - first);
    return `${this.#format(first, source)},${this.#format(last, source)},${timeline.label(source)},${lasted}`;
  }

  #sharedBy({ source, lives }: PlainConnection): Shared {
    const key = `${lives[CLIENT]?.source} ${lives[SERVER]?.source}`;
    let shared = this.#shared.get(key);
    if (!shared) {
      const all = [source, ...lives.flatMap((life) => (life ? [life.source] : []))];
      const ids = [...new Set(all)].sort((a, b) => a - b);
      const names = ids.map((id) => this.#context.sources[id]!.name).join('; ');
      shared = { host: csvCell(hostsOf(ids, this.#context)), names: csvCell(names) };
      this.#shared.set(key, shared);
    }
    return shared;
  }
}

/** Number and name of the process that owns the socket. */
function processOf(life: PlainLife | null): string {
  const pid = life?.pid ?? null;
  return pid === null ? ',' : `${pid},${csvCell(life!.comm)}`;
}

function nameOf(c: PlainConnection, side: SideIndex): string {
  const end =
    side === CLIENT
      ? { address: c.clientAddress, port: c.clientPort }
      : { address: c.serverAddress, port: c.serverPort };
  return `${SIDES[side]} ${formatEndpoint(end)}`;
}
