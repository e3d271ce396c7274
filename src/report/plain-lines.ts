/**
 * Lines of connections.csv and findings.csv about plain connections, written from their records: the same bytes that the
 * long way over cases, findings and rows makes of them.
 */
import { closedByOf, finWait2Of, PLAIN_RULES } from '../explain/facts/plain.ts';
import { orderlyFact, orderlySummary } from '../explain/procedures/graceful.ts';
import { capital } from '../explain/words.ts';
import { formatEndpoint } from '../model/address.ts';
import type { Context } from '../model/case.ts';
import { CLIENT, SERVER } from '../model/connection.ts';
import {
  HALF_OPEN,
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
import { encodeCell } from './csv.ts';
import { csvCell } from './csv-lines.ts';
import { visible } from './escape.ts';
import { hostsOf } from './rows.ts';

export const CLOSE_KIND_OF: Readonly<Record<PlainKind, CloseKind>> = {
  [ORDERLY]: 'fin',
  [HALF_OPEN]: 'unanswered',
  [UNANSWERED]: 'unanswered',
  [REFUSED]: 'refused',
};

export interface Line {
  number: number;
  /** '' where there is nothing to say. */
  text: string;
}

export class PlainLines {
  readonly #connections: PlainConnections;
  readonly #context: Context;
  readonly #source: Source;
  /** Cells that are the same for all. */
  readonly #clock: string;
  readonly #host: string;
  readonly #name: string;
  readonly #quotedName: string;

  constructor(connections: PlainConnections, context: Context) {
    const source = context.sources[connections.source]!;
    this.#connections = connections;
    this.#context = context;
    this.#source = source;
    const isTimed = context.timeline.at(source.id, 0 as SourceTime) !== null;
    this.#clock = isTimed ? context.timeline.label(source.id) : 'order';
    this.#host = csvCell(hostsOf([source.id], context));
    this.#name = csvCell(source.name);
    this.#quotedName = inQuotes(JSON.stringify(source.name));
  }

  /** Of connections.csv. The object is the same each time. */
  *ofConnections(): Iterable<Line> {
    yield* this.#lines((c) => this.#connection(c));
  }

  /** Of findings.csv. */
  *ofFindings(): Iterable<Line> {
    yield* this.#lines((c) => (c.kind === ORDERLY ? this.#graceful(c) : ''));
  }

  *#lines(textOf: (c: PlainConnection) => string): Iterable<Line> {
    const line = { number: 0, text: '' };
    for (const c of this.#connections.each()) {
      line.number = c.number;
      line.text = textOf(c);
      yield line;
    }
  }

  #connection(c: PlainConnection): string {
    const closedBy = closedByOf(c);
    const [from, to] = [this.#common(c.start), this.#common(c.end)];
    const lasted = from === null || to === null ? null : to - from;
    return (
      `c${c.number},${this.#host},,${ends(c)},${this.#time(from)},${this.#time(to)},${this.#clock},${seconds(lasted)},` +
      `${CLOSE_KIND_OF[c.kind]},${closedBy},${c.kind === ORDERLY ? closedBy : ''},` +
      `${c.kind === REFUSED ? 'server' : ''},${c.kind === UNANSWERED ? '' : PLAIN_RULES[c.kind]},,,,` +
      `${c.connState},${c.history},${c.completeness},${c.packets[CLIENT]},${c.packets[SERVER]},` +
      `${c.bytes[CLIENT]},${c.bytes[SERVER]},${c.syns[CLIENT]},${c.synAcks[SERVER]},` +
      `${c.retransmits[CLIENT]},${c.retransmits[SERVER]},${seconds(finWait2Of(c))},,,,,,` +
      `${c.encapsulation === '' ? '' : csvCell(c.encapsulation)},${this.#name}`
    );
  }

  /** What the rule graceful-close finds. */
  #graceful(c: PlainConnection): string {
    const [a, b] = c.finTime;
    const side = a <= b ? 'client' : 'server';
    const [address, port] =
      side === 'client' ? [c.clientAddress, c.clientPort] : [c.serverAddress, c.serverPort];
    const name = `${side} ${inQuotes(formatEndpoint({ address, port }))}`;
    const place = packetPlace(this.#source, c.startFrame);
    return (
      `c${c.number},${PLAIN_RULES[ORDERLY]},close,verdict,proved,info,${side},${ends(c)},` +
      `${this.#time(this.#common(a <= b ? a : b))},${this.#clock},"${capital(orderlySummary(name))}.",,` +
      `"[{""source"":${this.#quotedName},""locator"":""${place}"",""time"":"""",""fact"":""${orderlyFact(name, Math.abs(a - b))}""}]",[],`
    );
  }

  #common(time: SourceTime): CommonTime | null {
    return this.#context.timeline.at(this.#source.id, time);
  }

  #time(time: CommonTime | null): string {
    return time === null
      ? ''
      : this.#context.timeline.format(time, this.#context.timeline.label(this.#source.id));
  }
}

function ends(c: PlainConnection): string {
  return `${cellOf(c.clientAddress)},${c.clientPort},${cellOf(c.serverAddress)},${c.serverPort}`;
}

const ADDRESS = /^[0-9a-f.:]*$/;

/** Addresses are plain; where one stands for a name, it may be anything. */
function cellOf(address: string): string {
  return ADDRESS.test(address) ? address : csvCell(address);
}

function seconds(ns: number | null): string {
  return ns === null ? '' : encodeCell(ns / 1e9);
}

/** As it stands in a cell between quotes. */
function inQuotes(text: string): string {
  return visible(text).replaceAll('"', '""');
}
