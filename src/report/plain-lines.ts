/**
 * Lines of connections.csv and findings.csv about plain connections, written from their records: the same bytes that the
 * long way over cases, findings and rows makes of them.
 */
import { packetFact } from '../explain/facts/evidence.ts';
import { closedByOf, finWait2Of, isOverdue, PLAIN_RULES, type PlainFacts } from '../explain/facts/plain.ts';
import { orderlyFact, orderlySummary } from '../explain/procedures/graceful.ts';
import {
  AN_ANSWER,
  ANSWERED,
  REFUSAL_CAUSES,
  REFUSAL_MISSING,
  REFUSAL_REMEDY,
  refusalSummary,
} from '../explain/procedures/refusal.ts';
import {
  attemptText,
  FIRST_TRY,
  SILENCE_MISSING,
  SILENCE_REMEDY,
  SYN_CAUSES,
  silenceSummary,
} from '../explain/procedures/silence.ts';
import { capital } from '../explain/words.ts';
import { formatEndpoint } from '../model/address.ts';
import type { Context } from '../model/case.ts';
import { CLIENT, type KeyPacket, SERVER } from '../model/connection.ts';
import type { Evidence } from '../model/finding.ts';
import {
  HALF_OPEN,
  OPEN,
  ORDERLY,
  type PlainConnection,
  type PlainConnections,
  type PlainKind,
  REFUSED,
  UNANSWERED,
} from '../model/plain.ts';
import type { CloseKind } from '../model/result.ts';
import { packetPlace, type Source } from '../model/source.ts';
import type { CommonTime, SourceTime } from '../model/time.ts';
import { csvCell } from './csv-lines.ts';
import { JoinedLines } from './joined-lines.ts';
import type { Lines } from './line-store.ts';
import { endsOf, inQuotes, seconds } from './plain-cells.ts';
import { hostsOf } from './rows.ts';

export const CLOSE_KIND_OF: Readonly<Record<PlainKind, CloseKind>> = {
  [ORDERLY]: 'fin',
  [HALF_OPEN]: 'unanswered',
  [UNANSWERED]: 'unanswered',
  [REFUSED]: 'refused',
  [OPEN]: 'open',
};

const ONE_SYN = { syns: 1, retries: [], answeredAfter: null, gaveUp: false };
/** Cells that are the same for all refusals, and for all unanswered SYNs. */
const REFUSED_REMEDY = csvCell(REFUSAL_REMEDY);
const REFUSED_MISSING = csvCell(JSON.stringify(REFUSAL_MISSING));
const REFUSED_CAUSES = csvCell(REFUSAL_CAUSES.join(' '));
const REMEDY = csvCell(SILENCE_REMEDY);
const MISSING = csvCell(JSON.stringify(SILENCE_MISSING));
const CAUSES = csvCell(SYN_CAUSES.join(' '));

/** Cells that are the same for all connections of a capture. */
interface Shared {
  source: Source;
  clock: string;
  host: string;
  name: string;
  quotedName: string;
}

function sharedOf(id: number, context: Context): Shared {
  const source = context.sources[id]!;
  const isTimed = context.timeline.at(id, 0 as SourceTime) !== null;
  return {
    source,
    clock: isTimed ? context.timeline.label(id) : 'order',
    host: csvCell(hostsOf([id], context)),
    name: csvCell(source.name),
    quotedName: inQuotes(JSON.stringify(source.name)),
  };
}

export class PlainLines {
  readonly #connections: PlainConnections;
  readonly #context: Context;
  readonly #until: number;
  /** Of the connection that is written now. */
  #shared: Shared | null = null;
  readonly #joined: JoinedLines;

  constructor({ connections, until }: Pick<PlainFacts, 'connections' | 'until'>, context: Context) {
    this.#connections = connections;
    this.#until = until;
    this.#context = context;
    this.#joined = new JoinedLines(context);
  }

  /** The object is the same each time. */
  *each(): Iterable<Lines> {
    const lines = { number: 0, connection: '', findings: '' };
    for (const c of this.#connections.each()) {
      if (this.#shared?.source.id !== c.source) this.#shared = sharedOf(c.source, this.#context);
      lines.number = c.number;
      lines.connection = this.#connection(c);
      lines.findings = this.#finding(c);
      yield lines;
    }
  }

  #connection(c: PlainConnection): string {
    if (isJoined(c)) return this.#joined.connection(c);
    const closedBy = closedByOf(c);
    const [from, to] = [this.#common(c.start), this.#common(c.end)];
    const lasted = from === null || to === null ? null : to - from;
    return (
      `c${c.number},${this.#shared!.host},,${endsOf(c)},${this.#time(from)},${this.#time(to)},${this.#shared!.clock},${seconds(lasted)},` +
      `${CLOSE_KIND_OF[c.kind]},${closedBy},${c.kind === ORDERLY ? closedBy : ''},` +
      `${c.kind === REFUSED ? 'server' : ''},${this.#rules(c)},,,` +
      `${c.connState},${c.history},${c.completeness},${c.packets[CLIENT]},${c.packets[SERVER]},` +
      `${c.bytes[CLIENT]},${c.bytes[SERVER]},${c.syns[CLIENT]},${c.synAcks[SERVER]},` +
      `${c.retransmits[CLIENT]},${c.retransmits[SERVER]},${seconds(finWait2Of(c))},,,,,,` +
      `${c.encapsulation === '' ? '' : csvCell(c.encapsulation)},${this.#shared!.name}`
    );
  }

  /** close_rule and syn_rule. */
  #rules(c: PlainConnection): string {
    const rule = PLAIN_RULES[c.kind];
    if (c.kind !== UNANSWERED) return `${rule},`;
    return isOverdue(c.start, this.#until) ? `,${rule}` : ',';
  }

  #finding(c: PlainConnection): string {
    if (isJoined(c)) return this.#joined.findings(c);
    if (c.kind === ORDERLY) return this.#graceful(c);
    if (c.kind === REFUSED) return this.#refused(c);
    return c.kind === UNANSWERED && isOverdue(c.start, this.#until) ? this.#unanswered(c) : '';
  }

  /** What the rule connection-refused finds. */
  #refused(c: PlainConnection): string {
    const [syn, rst] = c.view().keyPackets as [KeyPacket, KeyPacket];
    const [client, server] = [
      formatEndpoint({ address: c.clientAddress, port: c.clientPort }),
      formatEndpoint({ address: c.serverAddress, port: c.serverPort }),
    ];
    const evidence = [
      this.#packet(syn, packetFact(`client ${client}`, syn, ANSWERED)),
      this.#packet(rst, packetFact(`server ${server}`, rst, AN_ANSWER)),
    ];
    return (
      `c${c.number},${PLAIN_RULES[REFUSED]},close,verdict,inferred,warning,server,${endsOf(c)},` +
      `${this.#time(this.#common(rst.time))},${this.#shared!.clock},${csvCell(refusalSummary(server, client))},${REFUSED_REMEDY},` +
      `${csvCell(JSON.stringify(evidence))},${REFUSED_MISSING},${REFUSED_CAUSES}`
    );
  }

  #packet(p: KeyPacket, fact: string): Evidence {
    const locator = packetPlace(this.#shared!.source, p.frame);
    return { source: this.#shared!.source.name, locator, time: this.#time(this.#common(p.time)), fact };
  }

  /** What the rule unanswered-syn finds. */
  #unanswered(c: PlainConnection): string {
    const client = `client ${formatEndpoint({ address: c.clientAddress, port: c.clientPort })}`;
    const server = `server ${formatEndpoint({ address: c.serverAddress, port: c.serverPort })}`;
    const time = this.#time(this.#common(c.start));
    const [syn] = c.view().keyPackets;
    const evidence = [this.#packet(syn!, packetFact(client, syn!, FIRST_TRY))];
    return (
      `c${c.number},${PLAIN_RULES[UNANSWERED]},syn,verdict,possible,warning,server,${endsOf(c)},${time},${this.#shared!.clock},` +
      `${csvCell(silenceSummary(attemptText(client, server, ONE_SYN)))},${REMEDY},` +
      `${csvCell(JSON.stringify(evidence))},${MISSING},${CAUSES}`
    );
  }

  /** What the rule graceful-close finds. */
  #graceful(c: PlainConnection): string {
    const [a, b] = c.finTime;
    const side = a <= b ? 'client' : 'server';
    const [address, port] =
      side === 'client' ? [c.clientAddress, c.clientPort] : [c.serverAddress, c.serverPort];
    const name = `${side} ${inQuotes(formatEndpoint({ address, port }))}`;
    const place = packetPlace(this.#shared!.source, c.startFrame);
    return (
      `c${c.number},${PLAIN_RULES[ORDERLY]},close,verdict,proved,info,${side},${endsOf(c)},` +
      `${this.#time(this.#common(a <= b ? a : b))},${this.#shared!.clock},"${capital(orderlySummary(name))}.",,` +
      `"[{""source"":${this.#shared!.quotedName},""locator"":""${place}"",""time"":"""",""fact"":""${orderlyFact(name, Math.abs(a - b))}""}]",[],`
    );
  }

  #common(time: SourceTime): CommonTime | null {
    return this.#context.timeline.at(this.#shared!.source.id, time);
  }

  #time(time: CommonTime | null): string {
    return time === null
      ? ''
      : this.#context.timeline.format(time, this.#context.timeline.label(this.#shared!.source.id));
  }
}

/** A log of states tells of it as well. */
function isJoined({ lives }: PlainConnection): boolean {
  return lives[CLIENT] !== null || lives[SERVER] !== null;
}
