/** Sentences about groups: each must be true of every member, also of several servers and network namespaces. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { World } from '../../src/explain/facts/world.ts';
import type { Explained } from '../../src/explain/rule.ts';
import { ruleById, rules } from '../../src/explain/rules/index.ts';
import { connectionsOf, serversOf, tellTogether } from '../../src/explain/together.ts';
import { number } from '../../src/explain/words.ts';
import { bundleSamples, DOCUMENTS, sampleNamed } from './samples.ts';

const SAMPLES = [
  sampleNamed('accept-queue-incident/6.18').folder,
  sampleNamed('time-wait-pileup/6.18').folder,
  bundleSamples().find((s) => s.name === 'accept-queue-syn/6.18')!.folder,
  path.join(DOCUMENTS, 'exp1'),
  path.resolve(import.meta.dirname, '../../samples/field/kernel/connect_abandoned'),
  path.resolve(import.meta.dirname, '../../samples/field/between'),
  path.resolve(import.meta.dirname, '../../samples/field/packets/half-open.pcap'),
  path.resolve(import.meta.dirname, '../../samples/field/tables/close-wait-without-owners.txt'),
];
const APART = ['expected.json', 'kernel-resets.txt', 'README.md', 'record.py'];
/** Of every rule the largest group of a sample. */
const members = new Map<string, readonly Explained[]>();

beforeAll(async () => {
  const watched = rules.map((rule) => ({
    ...rule,
    together: (all: readonly Explained[]) => {
      if (all.length > (members.get(rule.id)?.length ?? 0)) members.set(rule.id, all);
      return rule.together?.(all) ?? '';
    },
  }));
  for (const sample of SAMPLES) await analyze(filesOf(sample), { rules: watched });
});

function filesOf(sample: string): string[] {
  if (statSync(sample).isFile()) return [sample];
  const files = readdirSync(sample).filter((name) => !APART.includes(name));
  return files.includes('manifest.json') ? [sample] : files.map((name) => path.join(sample, name));
}

/** An object with one property in the place of its own. */
function withOne<T extends object>(object: T, name: keyof T, value: unknown): T {
  return new Proxy(object, {
    get: (target, key) => {
      if (key === name) return value;
      const own = Reflect.get(target, key, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

/** The same members with their servers named so, one after the other. */
function named(all: readonly Explained[], names: readonly string[]): Explained[] {
  const own = connectionsOf(all);
  const order = new Map(Array.from(own.numbers, (n, i) => [n, i % names.length]));
  const { world: its } = own;
  const cases = withOne(its.context.cases, 'server', (n: number) => order.get(n)!);
  const context = withOne(its.context, 'cases', cases);
  const serverName = (i: number) => names[i]!;
  const numbered = withOne(withOne(its, 'context', context), 'serverName', serverName);
  const placed = withOne(numbered, 'serverOf', (n: number) => serverName(order.get(n)!));
  const world: World = withOne(placed, 'facts', (n: number) => facts.get(n)!);
  const facts = new Map(own.map((f) => [f.n, withOne(f, 'world', world)]));
  return all.map((e) => ({
    n: e.n,
    moment: e.moment,
    rule: rules.find((r) => r.id === e.rule.id)!,
    facts: facts.get(e.n)!,
    finding: e.finding,
  }));
}

const TWO = {
  servers: ['192.0.2.1:80', '192.0.2.2:81'],
  namespaces: ['192.0.2.1:80 (netns 4026532281)', '192.0.2.1:80 (netns 4026532283)'],
};

function claims(all: readonly Explained[], names: readonly string[]): void {
  const group = named(all, names);
  const own = connectionsOf(group);
  const text = tellTogether(group).replace(/ Example: .*/s, '');
  const numbers = names.map((name) => own.filter((f) => f.world.serverOf(f.n) === name).length);
  const present = names.filter((_, i) => numbers[i]! > 0);
  const said = [...text.matchAll(/(\d[\d,]*) (?:connections?|attempts?|handshakes?)\b/g)].map((m) => m[1]);
  if (said.length > 0) expect(said, text).toContain(number(own.length));
  if (present.length === 1) expect(text).not.toMatch(/\d servers/);
  const most = Math.max(...numbers);
  for (const [i, name] of names.entries()) {
    const among = name.replace(' (', ', ').replace(')', '');
    if (!text.includes(present.length === 1 ? name : among)) continue;
    // the only one, or the busiest with its own number
    if (present.length === 1) expect(present).toEqual([name]);
    else expect(text).toContain(`${present.length} servers (${number(most)} to ${among})`);
    expect(numbers.filter((n) => n === most)).toHaveLength(1);
    expect(numbers[i]).toBe(most);
  }
  const elsewhere = own.map((f) => `${f.case.server.address}:${f.case.server.port}`);
  for (const server of elsewhere) expect(text).not.toContain(`${server} `);
}

const TOLD = rules.filter((r) => r.together && !r.normal).map((r) => r.id);

describe.each(TOLD)('%s', (id) => {
  test.each(Object.keys(TWO) as (keyof typeof TWO)[])('of two %s', (kind) => {
    const all = members.get(id) ?? [];
    expect(all.length, 'no sample has two of them').toBeGreaterThan(1);
    claims(all, TWO[kind]);
    claims(all.slice(0, 2), TWO[kind]);
    claims(all, TWO[kind].slice(0, 1));
  });
});

const CAUSES = TOLD.filter((id) => {
  const { signatures, factual } = ruleById(id)!;
  return !factual && signatures.some((s) => s.claims === 'possible');
});

test.each(CAUSES)('%s is no surer than the least sure of its connections', (id) => {
  const unsure = named(members.get(id)!, TWO.servers).map((e) => ({
    ...e,
    finding: withOne(e.finding, 'confidence', 'possible'),
  }));
  const text = tellTogether(unsure);
  expect(text.replace(/ Example: .*/s, '')).toMatch(/possibly/i);
});

test('a group of one rule that has no paragraph of its own counts its servers too', () => {
  const all = members.get('fin-with-ack') ?? members.get('no-socket-reset')!;
  claims(all, TWO.servers);
});

test('the busiest of several servers is named where one is, without parentheses in parentheses', () => {
  const of = (...names: string[]) => {
    const cases = { server: (n: number) => names.indexOf(names[n]!) };
    return serversOf({ context: { cases }, serverName: (i: number) => names[i]! } as World, names.keys());
  };
  const [a, b] = TWO.namespaces as [string, string];
  expect(of(a, a)).toBe(a);
  expect(of(a, b)).toBe('2 servers');
  expect(of(a, b, b)).toBe('2 servers (2 to 192.0.2.1:80, netns 4026532283)');
});
