/**
 * Inputs made to hurt, through the whole line. What comes of them is asserted, not how long it takes: a quadratic step
 * shows in that the suite does not end. Minutes and a gigabyte: run with LONG=1.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import * as loads from './loads.ts';

const folder = mkdtempSync(join(tmpdir(), 'loads-'));
afterAll(() => rmSync(folder, { recursive: true }));
const MINUTES = 60_000;

interface Load {
  name: string;
  write: ((path: string) => void)[];
  connections: number;
  records: number;
  /** Code and count of each diagnostic. */
  said: Record<string, number>;
}

const capture = (segments: Iterable<loads.Sent>) => (path: string) => loads.writeCapture(path, segments);
const text = (lines: Iterable<string>) => (path: string) => loads.writeText(path, lines);
const M = 1_000_000;
const REUSES = 65_535;

const LOADS: readonly Load[] = [
  { name: 'a million SYNs', write: [capture(loads.syns(M))], connections: M, records: M, said: {} },
  {
    name: 'a million retransmissions of one segment',
    write: [capture(loads.retransmissions(M))],
    connections: 1,
    records: M + 4,
    said: {},
  },
  {
    name: 'a million RSTs, FINs, holes and zero windows of one connection',
    write: [capture(loads.troubles(M))],
    connections: 1,
    records: M + 2,
    said: {},
  },
  {
    name: '65,535 uses of one tuple',
    write: [capture(loads.reuses(REUSES))],
    connections: REUSES,
    records: 4 * REUSES,
    said: {},
  },
  {
    name: '65,535 uses of one tuple, with the log of their sockets',
    write: [capture(loads.reuses(REUSES)), text(loads.lives(REUSES, 1000))],
    connections: REUSES,
    records: 9 * REUSES,
    said: {},
  },
  {
    name: 'a million unknown lines',
    write: [text(loads.unknownLines(M))],
    connections: 1,
    records: 5,
    said: { 'unknown-line': M },
  },
  {
    name: 'a million drops of one tuple',
    write: [text(loads.drops(M))],
    connections: 1,
    records: M,
    said: {},
  },
];

/** A million lines with LONG=1. */
test(
  'puts right a log whose lines changed places within a hundred',
  async () => {
    const count = process.env.LONG ? M : 20_000;
    const [sorted, disordered] = [join(folder, 'sorted'), join(folder, 'disordered')];
    loads.writeText(sorted, loads.disordered(count, null));
    loads.writeText(disordered, loads.disordered(count, 11));
    const [plain, repaired] = [await analyze([sorted]), await analyze([disordered])];
    const toldOf = ({ connections }: typeof plain) =>
      connections
        .map(
          (c) =>
            `${c.client.port} ${c.closeKind} ${c.closeRule} ${c.closedBy} ${c.durationS} ${c.finWait2KernelS}`,
        )
        .sort();
    expect(plain.diagnostics.map((d) => d.code)).toEqual([]);
    expect(repaired.diagnostics.map((d) => d.code)).toEqual(['state-lines-reordered']);
    expect(repaired.diagnostics[0]!.count).toBeGreaterThan(count / 4);
    expect(repaired.connections).toHaveLength(count / 5);
    expect(toldOf(repaired)).toEqual(toldOf(plain));
  },
  20 * MINUTES,
);

describe.skipIf(!process.env.LONG)('the whole line', () => {
  test.each(LOADS)(
    'takes $name',
    async ({ name, write, connections, records, said }) => {
      const paths = write.map((fill, i) => {
        const path = join(folder, `${name.replace(/\W+/g, '-')}-${i}`);
        fill(path);
        return path;
      });
      const result = await analyze(paths);
      expect(result.connections.length).toBe(connections);
      expect(result.inputs.reduce((sum, input) => sum + input.records, 0)).toBe(records);
      expect(Object.fromEntries(result.diagnostics.map((d) => [d.code, d.count]))).toEqual(said);
      for (const path of paths) rmSync(path);
    },
    20 * MINUTES,
  );

  // Shuffled over a whole log, the lines of one socket cannot be put in order; how many are missed is as chance has it.
  test(
    'takes a million lines of one socket out of order',
    async () => {
      const path = join(folder, 'shuffled');
      loads.writeText(path, loads.shuffled(M));
      const result = await analyze([path]);
      expect(result.inputs[0]!.records).toBe(M);
      expect(result.connections.length).toBeGreaterThan(1000);
    },
    20 * MINUTES,
  );
});
