/**
 * result.json: the result for programs. One line an element of each list: readable, comparable, and never one string
 * for everything. Of many connections it holds those that have something to tell; the CSV files have all of them.
 */

import { visible } from '../model/visible.ts';
import { writePieces } from '../platform/text-file.ts';
import { ALL_LISTED } from '../tables/listed.ts';
import type { Aggregation, Result } from '../tables/result.ts';
import { connectionsTable, findingsTable } from '../tables/tables.ts';
import { allOf, counted, number, unlistedWarnings } from '../view/words.ts';

export const RESULT_FILE = 'result.json';

/** Its first bytes say whose it is. */
export const RESULT_BEGINS = /^\s*\{\s*"tool"\s*:\s*\{\s*"name"\s*:\s*"tcpautopsy"/;

/** As it is given: `readable` first, where it may be big. */
export async function writeJson(path: string, result: Result): Promise<void> {
  await writePieces(path, jsonParts(result));
}

/** Up to 10,000 connections: the result. Beyond that without those that have no finding above info, but for the examples it lists beside a count. */
export function readable(result: Result): Result {
  const { connections, findings, unlisted } = result;
  const all = allOf(result);
  if (all <= ALL_LISTED) return result;
  const telling = new Set(findings.filter((f) => f.severity !== 'info').map((f) => f.connection));
  const grave = connections.filter((c) => telling.has(c.id));
  const text = aggregation(
    grave.length,
    unlistedWarnings(result),
    all,
    unlisted ? connections.length : grave.length,
  );
  const aggregated = [...(result.aggregated ?? []), text];
  if (unlisted) return { ...result, aggregated };
  return {
    ...result,
    connections: grave,
    findings: findings.filter((f) => telling.has(f.connection)),
    aggregated,
  };
}

/** `grave`: those with a finding above info; `warnings`: more of them, which are only counted. */
function aggregation(grave: number, warnings: number, of: number, listed: number): Aggregation {
  const which = warnings === 0 ? '' : ` (but for ${number(warnings)} alike, which its causes count)`;
  const others = listed === grave ? '' : `, and ${counted(listed - grave, 'other')} as examples`;
  return {
    file: RESULT_FILE,
    what: 'connections',
    listed,
    of,
    text:
      `${RESULT_FILE} lists the ${number(grave)} of ${counted(of, 'connection')} that have a finding above info${which}, with all their ` +
      `findings${others}; the other ${number(of - listed)} are in ${connectionsTable.file} and ${findingsTable.file}.`,
  };
}

export function* jsonParts({ tool, aggregated, ...rest }: Result): Generator<string> {
  yield `{\n"tool": ${JSON.stringify(tool)}`;
  for (const [key, value] of Object.entries({ ...(aggregated && { aggregated }), ...rest })) {
    yield `,\n${JSON.stringify(key)}: `;
    if (!Array.isArray(value) || value.length === 0) {
      yield json(value);
      continue;
    }
    for (const [i, element] of value.entries()) yield `${i === 0 ? '[\n' : ',\n'}${json(element)}`;
    yield '\n]';
  }
  yield '\n}\n';
}

/** What JSON leaves as it is although nobody can see it becomes an escape that JSON understands. */
function json(value: unknown): string {
  return visible(JSON.stringify(value));
}
