/** What a comparison needs of an analysis: exact counts, whether its result lists the connections or not. */
import { formatEndpoint } from '../model/address.ts';
import type { Confidence, Severity } from '../model/finding.ts';
import type { Result } from '../model/result.ts';
import { sharing } from '../view/words.ts';

export interface Summary {
  /** As given on the command line. */
  name: string;
  connections: number;
  causes: Map<string, CauseCount>;
  /** By `ADDRESS:PORT`. */
  servers: Map<string, ServerCount>;
}

export interface CauseCount {
  rule: string;
  title: string;
  severity: Severity;
  confidence: Confidence;
  /** Connections that share it; 0 where it is found of a host. */
  connections: number;
}

export interface ServerCount {
  connections: number;
  /** Those with a verdict that is a warning or an error somewhere in the same analysis. */
  hurt: number;
}

/** @param connections pieces of connections.csv, which has all of them */
export async function summaryOf(
  name: string,
  { causes }: Pick<Result, 'causes'>,
  connections: Iterable<string> | AsyncIterable<string>,
): Promise<Summary> {
  const summary: Summary = { name, connections: 0, causes: new Map(), servers: new Map() };
  for (const cause of causes) {
    const { rule, title, severity, confidence } = cause;
    summary.causes.set(rule, { rule, title, severity, confidence, connections: sharing(cause) });
  }
  const isFault = new Set(causes.filter((c) => c.severity !== 'info').map((c) => c.rule));
  for await (const row of rowsOf(connections)) {
    summary.connections++;
    const server = formatEndpoint({ address: row.server_ip ?? '', port: Number(row.server_port) });
    const count = summary.servers.get(server) ?? { connections: 0, hurt: 0 };
    summary.servers.set(server, count);
    count.connections++;
    const verdicts = [row.close_rule, row.syn_rule, row.fin_wait2_rule, row.stuck_rule];
    if (verdicts.some((rule) => rule !== undefined && isFault.has(rule))) count.hurt++;
  }
  return summary;
}

async function* rowsOf(
  pieces: Iterable<string> | AsyncIterable<string>,
): AsyncGenerator<Record<string, string | undefined>> {
  const { parse } = await import('fast-csv');
  const rows: Record<string, string>[] = [];
  const parser = parse<Record<string, string>, Record<string, string>>({ headers: true });
  let failed: Error | null = null;
  parser
    .on('data', (row) => rows.push(row))
    .on('error', (error) => {
      failed = error;
    });
  const ended = new Promise<void>((resolve) => parser.on('end', resolve).on('error', () => resolve()));
  for await (const piece of pieces) {
    if (!parser.write(piece)) await new Promise<void>((resolve) => parser.once('drain', resolve));
    if (failed) throw failed;
    yield* rows.splice(0);
  }
  parser.end();
  await ended;
  if (failed) throw failed;
  yield* rows;
}
