/** Files of one rotated capture are read as one source, in any order; others are not. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { type AnalyzeOptions, analyze } from '../../src/analyze.ts';
import type { Result } from '../../src/tables/result.ts';
import { annotate } from '../../src/wireshark/annotate.ts';

const ROTATED = 'samples/field/rotation';
const base = mkdtempSync(join(tmpdir(), 'rotation-'));
afterAll(() => rmSync(base, { recursive: true }));

interface Cut {
  header: Buffer;
  records: Buffer[];
}

function cut(path: string): Cut {
  const whole = readFileSync(path);
  const records: Buffer[] = [];
  for (let at = 24; at < whole.length; ) {
    const end = at + 16 + whole.readUInt32LE(at + 8);
    records.push(whole.subarray(at, end));
    at = end;
  }
  return { header: whole.subarray(0, 24), records };
}

/** With every time moved by so many seconds. */
function later(records: readonly Buffer[], seconds: number): Buffer[] {
  return records.map((record) => {
    const moved = Buffer.from(record);
    moved.writeUInt32LE(record.readUInt32LE(0) + seconds, 0);
    return moved;
  });
}

let folders = 0;
async function read(files: Record<string, Uint8Array>, options: AnalyzeOptions = {}): Promise<Result> {
  const folder = join(base, `f${folders++}`);
  const paths = Object.keys(files).map((name) => join(folder, name));
  for (const path of paths) mkdirSync(join(path, '..'), { recursive: true });
  for (const [i, bytes] of Object.values(files).entries()) writeFileSync(paths[i]!, bytes);
  return analyze([folder], options);
}

/** All that is said, but for names of sources and numbers of frames. */
function said({ connections, findings, timeline }: Result): unknown {
  const text = JSON.stringify({ connections, findings, timeline }, (key, value) => {
    if (['sources', 'source', 'timeSource'].includes(key)) return '';
    return typeof value === 'string' ? value.replace(/frame \d+( of \S+\.pcap\S*)?/g, 'frame') : value;
  });
  return JSON.parse(text);
}

// not accept-queue-incident: in its pauses no connection goes on, and two files around one are two captures
const SAMPLES = ['exit-mix', 'half-close'].flatMap((name) =>
  readdirSync(`samples/live/${name}`)
    .filter((kernel) => kernel.startsWith('6.18'))
    .map((kernel) => `samples/live/${name}/${kernel}/packets.pcap`),
);

describe('a capture that was cut at any packets', () => {
  test.each(SAMPLES)('says the same as the whole: %s', async (path) => {
    const { header, records } = cut(path);
    const whole = said(await read({ 'whole.pcap': readFileSync(path) }));
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: records.length - 1 }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(cuts, fc.infiniteStream(fc.nat()), async (places, order) => {
        const bounds = [0, ...places.toSorted((a, b) => a - b), records.length];
        const names = bounds.slice(1).map((_, i) => `part${order.next().value}-${i}.pcap`);
        const files = Object.fromEntries(
          names.map((name, i) => [name, Buffer.concat([header, ...records.slice(bounds[i], bounds[i + 1])])]),
        );
        const result = await read(files);
        expect(result.inputs.map((i) => i.records)).toEqual([records.length]);
        expect(said(result)).toEqual(whole);
      }),
      { numRuns: 8 },
    );
  });
});

describe('files of one capture', () => {
  const whole = join(ROTATED, 'whole.pcap');
  const { header, records } = cut(whole);
  const part = (from: number, to?: number) => Buffer.concat([header, ...records.slice(from, to)]);

  test.each(['tcpdump-G', 'editcap-i'])(
    'as %s wrote them are one source, with the connections of the whole',
    async (name) => {
      const result = await analyze([join(ROTATED, name)]);
      const one = await analyze([whole]);
      expect(result.inputs).toHaveLength(1);
      expect(result.inputs[0]!.records).toBe(records.length);
      expect(result.inputs[0]!.files!.map((f) => f.name)).toEqual(
        readdirSync(join(ROTATED, name))
          .sort()
          .map((file) => join(ROTATED, name, file)),
      );
      expect(result.diagnostics.filter((d) => d.code === 'rotation-gap')).toEqual([]);
      const kinds = ({ connections }: Result) =>
        connections.map((c) => [c.client, c.server, c.closeKind, c.resetBy, c.history, c.clientPackets]);
      expect(kinds(result)).toEqual(kinds(one));
    },
  );

  test('are cited by the file and the frame in it', async () => {
    const { connections, findings, timeline } = await read({ 'a.pcap': part(0, 20), 'b.pcap': part(20) });
    const places = new Set(
      [...findings.flatMap((f) => f.evidence.map((e) => e.at)), ...timeline.map((i) => i.locator)].filter(
        (l) => l.startsWith('frame'),
      ),
    );
    for (const place of places) expect(place).toMatch(/^frame \d+ of [ab]\.pcap$/);
    const inB = [...places].filter((p) => p.endsWith(' of b.pcap')).map((p) => Number(/\d+/.exec(p)![0]));
    expect(Math.min(...inB)).toBeLessThan(20);
    expect(Math.max(...inB)).toBeLessThanOrEqual(records.length - 20);
    expect(connections[0]!.clientPackets).toBeGreaterThan(10);
  });

  test('may be packed, lie in several folders, and begin with an empty one', async () => {
    const files = {
      'x/1.pcap.gz': gzipSync(part(100, 200)),
      'y/2.pcap': part(200),
      'z/3.pcap': part(0, 100),
      'a/empty.pcap': header,
    };
    const result = await read(files);
    expect(result.inputs.map((i) => i.records).sort()).toEqual([0, records.length]);
    expect(said(result)).toEqual(said(await read({ 'whole.pcap': readFileSync(whole) })));
  });

  test('are named when one between them is missing', async () => {
    const result = await read({ '1.pcap': part(0, 100), '3.pcap': part(220) });
    expect(result.inputs).toHaveLength(1);
    const gap = result.diagnostics.filter((d) => d.code === 'rotation-gap');
    expect(gap).toHaveLength(1);
    expect(gap[0]!.source).toMatch(/3\.pcap$/);
    expect(gap[0]!.message).toMatch(/^begins \d\.\d{3} s after the last packet of 1\.pcap/);
    expect(gap[0]).toMatchObject({ severity: 'data-loss', upstream: true });
  });

  test('say the damage of each with its own name and numbers', async () => {
    const result = await read({
      '1.pcap': part(0, 100),
      '2.pcap': part(100, 200).subarray(0, -3),
      '3.pcap': part(200),
    });
    expect(result.inputs).toHaveLength(1);
    const [damage] = result.diagnostics.filter((d) => d.code === 'pcap-truncated-record');
    expect(damage!.source).toMatch(/2\.pcap$/);
  });

  test('are annotated as one, each packet with its comments', async () => {
    const folder = join(base, 'annotated');
    mkdirSync(folder);
    writeFileSync(join(folder, 'b.pcap'), part(0, 100));
    writeFileSync(join(folder, 'a.pcap'), part(100));
    const result = await analyze([folder], { timeline: 'all' });
    const rotations = result.inputs.map((i) => i.files!.map((f) => f.name));
    const made = await annotate(result, [folder], join(base, 'out.pcapng'), { rotations });
    const one = await annotate(
      await analyze([whole], { timeline: 'all' }),
      [whole],
      join(base, 'one.pcapng'),
    );
    expect(made).toEqual(one);
  });
});

describe('no files of one capture are', () => {
  const { header, records } = cut(join(ROTATED, 'whole.pcap'));
  const all = (moved: readonly Buffer[]) => Buffer.concat([header, ...moved]);
  const sources = async (files: Record<string, Uint8Array>) => (await read(files)).inputs.length;

  test('two of the same packets, at the same time or with clocks that differ by more than their length', async () => {
    expect(await sources({ 'a1.pcap': all(records), 'a2.pcap': all(records) })).toBe(2);
    expect(await sources({ 'a1.pcap': all(records), 'a2.pcap': all(later(records, 7)) })).toBe(2);
    expect(await sources({ 'a1.pcap': all(records), 'a2.pcap': all(later(records.slice(50), 7)) })).toBe(2);
  });

  test('two with hours between them', async () => {
    const first = records.slice(0, 150);
    expect(await sources({ 'a1.pcap': all(first), 'a2.pcap': all(later(records.slice(150), 7200)) })).toBe(2);
  });

  test('those of other snap lengths, link types or hosts', async () => {
    const other = Buffer.from(header);
    other.writeUInt32LE(96, 16);
    const second = Buffer.concat([other, ...records.slice(150)]);
    expect(await sources({ 'a1.pcap': all(records.slice(0, 150)), 'a2.pcap': second })).toBe(2);
    const folder = join(base, 'hosts');
    mkdirSync(folder);
    const paths = [join(folder, 'a1.pcap'), join(folder, 'a2.pcap')];
    writeFileSync(paths[0]!, all(records.slice(0, 150)));
    writeFileSync(paths[1]!, all(records.slice(150)));
    expect((await analyze(paths)).inputs).toHaveLength(1);
    expect(
      (
        await analyze(paths, {
          hosts: new Map([
            [paths[0]!, 'one'],
            [paths[1]!, 'two'],
          ]),
        })
      ).inputs,
    ).toHaveLength(2);
  });

  test('two with nothing in common but the time', async () => {
    const foreign = records.slice(200).map((record) => {
      const copy = Buffer.from(record);
      // the first octets of both addresses, behind the record's header and Ethernet's
      copy[16 + 14 + 12] = copy[16 + 14 + 16] = 11;
      return copy;
    });
    expect(await sources({ 'a1.pcap': all(records.slice(0, 200)), 'a2.pcap': all(foreign) })).toBe(2);
  });
});
