/** From the result of a group to what the batch keeps of it: its row, and its parts of the tables. */

import { formatEndpoint } from '../model/address.ts';
import type { CauseAt, GroupRow } from '../model/batch.ts';
import type { Finding } from '../model/finding.ts';
import { getOr } from '../model/get-or.ts';
import {
  type Counted,
  connectionColumns,
  type Found,
  findingColumns,
  groupColumns,
} from '../tables/batch.ts';
import type { ConnectionRow } from '../tables/connections.ts';
import { parquetOf } from '../tables/parquet.ts';
import type { Result } from '../tables/result.ts';
import { judge } from './fold.ts';
import { type Group, type GroupOptions, headOf, partOf } from './plan.ts';

/** A file of the tables: where it lies in OUT, and its bytes. */
export interface Part {
  path: string;
  bytes: Uint8Array;
}

/** What a machine is called that nobody gave a name. */
const NAMELESS = new Set(['(none)', 'localhost']);

/** Takes connections as they are decided. The same group gives the same bytes. */
export class GroupRows {
  readonly #group: Group;
  readonly #findings: Finding[] = [];
  readonly #listeners: Listeners;
  #connections = 0;

  constructor(group: Group, options: GroupOptions) {
    this.#group = group;
    this.#listeners = new Listeners(group.key, options);
  }

  add(row: ConnectionRow, findings: readonly Finding[]): void {
    this.#connections++;
    this.#findings.push(...findings);
    this.#listeners.add(
      row,
      findings.some((f) => f.severity !== 'info'),
    );
  }

  /** `result`: of the whole group. */
  async finish(result: Result): Promise<{ row: GroupRow; parts: Part[] }> {
    const { key } = this.#group;
    const named = result.hosts.filter((h) => !NAMELESS.has(h.name));
    const hostNames = new Map(named.flatMap((h) => h.addresses.map((a) => [a, h.name] as const)));
    const causes = new Causes(new Map(result.causes.map((c) => [c.rule, c.title])));
    const ofHosts = result.findings.filter((f) => f.connection === '');
    const findings = [...this.#findings, ...ofHosts].map((row): Found => {
      const end = row.side === 'client' ? row.client : row.server;
      const host = hostNames.get(end.address) ?? end.address;
      causes.add(row, host);
      return { group: key, host, row };
    });
    const row = rowOf(this.#group, result, causes, this.#connections);
    const parts: Part[] = [];
    const add = async (table: string, bytes: Promise<Uint8Array>) =>
      parts.push({ path: partOf(table, row.day, key), bytes: await bytes });
    await add('groups', parquetOf(groupColumns, [row]));
    if (this.#connections > 0) await add('connections', parquetOf(connectionColumns, this.#listeners.rows()));
    if (findings.length > 0) await add('findings', parquetOf(findingColumns, findings.sort(byStart)));
    return { row, parts };
  }
}

function byStart(a: Found, b: Found): number {
  return a.row.time < b.row.time ? -1 : Number(a.row.time > b.row.time);
}

function rowOf(group: Group, result: Result, causes: Causes, connections: number): GroupRow {
  const inputs = result.inputs.filter((i) => i.clockLabel === 'utc' && i.first !== '');
  const first = inputs.map((i) => i.first).reduce((a, b) => (b < a ? b : a), inputs[0]?.first ?? '');
  const last = inputs.map((i) => i.last).reduce((a, b) => (b > a ? b : a), '');
  const records = (unit: 'packets' | 'lines') =>
    result.inputs.filter((i) => i.unit === unit).reduce((sum, i) => sum + i.records, 0);
  return {
    ...headOf(group),
    hosts: [...new Set(result.hosts.map((h) => h.name))].filter((name) => !NAMELESS.has(name)).sort(),
    day: first === '' ? 'unknown' : first.slice(0, 10),
    first,
    last,
    packets: records('packets'),
    lines: records('lines'),
    connections,
    problems: causes.problems.size,
    damage: result.diagnostics
      .filter((d) => d.severity !== 'info' && !d.upstream)
      .map((d) => ({ code: d.code, place: d.source, at: d.locator, message: d.message, count: d.count })),
    causes: causes.list(),
  };
}

/** Findings above info by cause, listener and host. */
class Causes {
  readonly problems = new Set<string>();
  readonly #titles: ReadonlyMap<string, string>;
  readonly #found = new Map<string, { cause: CauseAt; connections: Set<string> }>();

  constructor(titles: ReadonlyMap<string, string>) {
    this.#titles = titles;
  }

  add(f: Finding, host: string): void {
    if (f.severity === 'info') return;
    if (f.connection !== '') this.problems.add(f.connection);
    const listener = formatEndpoint(f.server);
    const { cause, connections } = getOr(this.#found, `${f.rule}\0${listener}\0${host}`, () => ({
      cause: this.#begin(f, listener, host),
      connections: new Set<string>(),
    }));
    judge(cause, f);
    const isNew = f.connection !== '' && !connections.has(f.connection);
    if (isNew) connections.add(f.connection);
    cause.connections = connections.size;
    if (f.clock !== 'utc' || f.time === '') return;
    if (cause.first === '' || f.time < cause.first) cause.first = f.time;
    if (f.time > cause.last) cause.last = f.time;
    const hour = f.time.slice(0, 13);
    if (isNew) cause.hours[hour] = (cause.hours[hour] ?? 0) + 1;
  }

  list(): CauseAt[] {
    const order = (c: CauseAt) => `${c.rule}\0${c.listener}\0${c.host}`;
    return [...this.#found.values()].map((f) => f.cause).sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  #begin({ rule, severity, confidence }: Finding, listener: string, host: string): CauseAt {
    const title = this.#titles.get(rule) ?? rule;
    return {
      rule,
      title,
      severity,
      confidence,
      listener,
      host,
      connections: 0,
      first: '',
      last: '',
      hours: {},
    };
  }
}

/** Rows of connections: those with a problem one by one, the others by listener and minute. */
class Listeners {
  readonly #group: string;
  readonly #all: boolean;
  readonly #rows: Counted[] = [];
  readonly #counts = new Map<string, Counted>();

  constructor(group: string, options: GroupOptions) {
    this.#group = group;
    this.#all = options.connections === 'all';
  }

  add(row: ConnectionRow, isProblem: boolean): void {
    const single = { group: this.#group, row, minute: null, connections: 1 };
    if (this.#all || isProblem) {
      this.#rows.push(single);
      return;
    }
    const minute = row.clock === 'utc' && row.startTime !== '' ? `${row.startTime.slice(0, 16)}:00Z` : '';
    const key = `${formatEndpoint(row.server)}\0${row.host}\0${minute}`;
    const known = this.#counts.get(key);
    if (known) known.connections++;
    else this.#counts.set(key, { ...single, minute });
  }

  rows(): Counted[] {
    const start = ({ row, minute }: Counted) => minute ?? row.startTime;
    return [...this.#rows, ...this.#counts.values()].sort((a, b) =>
      start(a) < start(b) ? -1 : Number(start(a) > start(b)),
    );
  }
}
