// events.bin: the same events as events.jsonl, both recorded beside each other on one kernel; and what is left of a damaged one.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { analyze } from '../../../src/analyze.ts';
import { printEvents } from '../../../src/command/events.ts';
import { Diagnostics } from '../../../src/model/diagnostic.ts';
import type { KernelEvent } from '../../../src/model/event.ts';
import type { Source } from '../../../src/model/source.ts';
import { readInputs } from '../../../src/read/read.ts';
import { THOROUGH } from '../../thorough.ts';

const BESIDE = resolve(import.meta.dirname, '../../../samples/field/recorder');
const BIN = readFileSync(join(BESIDE, 'recorder/events.bin'));

const folder = mkdtempSync(join(tmpdir(), 'recorder-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let copies = 0;
function bundleOf(bytes: Uint8Array, name = 'events.bin'): string {
  const copy = join(folder, String(++copies));
  cpSync(join(BESIDE, 'recorder'), copy, { recursive: true });
  rmSync(join(copy, 'events.bin'));
  writeFileSync(join(copy, name), bytes);
  return copy;
}

async function read(path: string) {
  const diagnostics = new Diagnostics();
  const events: KernelEvent[] = [];
  const sink = {
    frame: () => undefined,
    packet: () => undefined,
    event: (source: Source, event: KernelEvent) => source.format === 'bundle-events' && events.push(event),
  };
  const sources = await readInputs([path], new Map(), sink as never, diagnostics, () => undefined);
  const source = sources.find((s) => s.format === 'bundle-events');
  return { source, events, diagnostics: diagnostics.list() };
}

/** What the tests change, of the head or of a status. */
interface Json {
  kinds: { fields: object[] }[];
  status: string;
  t: string;
}

/** The file with its n-th block, of JSON, changed, and sound blocks all the same. */
function withBlock(n: number, change: (json: Json) => void): Buffer {
  let at = 16;
  const length = () => Number(BIN.readBigUInt64LE(at + 8));
  const padded = (bytes: number) => bytes + (-bytes & 7);
  for (; n > 0; n--) at += 32 + padded(length());
  const value = JSON.parse(BIN.subarray(at + 32, at + 32 + length()).toString());
  change(value);
  const json = Buffer.from(JSON.stringify(value));
  const block = Buffer.from(BIN.subarray(at, at + 32));
  block.writeBigUInt64LE(BigInt(json.length), 8);
  block.writeUInt32LE(crcOf(json), 24);
  block.writeUInt32LE(crcOf(block.subarray(0, 28)), 28);
  const rest = BIN.subarray(at + 32 + padded(length()));
  return Buffer.concat([BIN.subarray(0, at), block, json, Buffer.alloc(-json.length & 7), rest]);
}

/** As gzip puts it at its end. */
function crcOf(bytes: Buffer): number {
  return gzipSync(bytes).readUInt32LE(gzipSync(bytes).length - 8);
}

/** Without what two tracers of one moment may say differently: their own clock reading, and what only one of them tells. */
function comparable(event: KernelEvent): object {
  const { time: _, line: __, source: ___, ...rest } = event as KernelEvent & { netns?: string };
  if (rest.kind !== 'probe') return rest;
  const { cookie: _cookie, t: _t, cpu: _cpu, ns: _ns, cgroup: _cgroup, ...values } = rest.values;
  if (rest.name !== 'error') return { ...rest, values };
  // the recorder also says which socket it was
  const { socket: _socket, netns: _netns, ...error } = rest;
  return { ...error, values };
}

describe('events.bin', () => {
  it('gives the events that bpftrace gave of the same connections', async () => {
    const [text, records] = await Promise.all(
      ['bpftrace', 'recorder'].map((name) => read(join(BESIDE, name))),
    );
    const sorted = (events: KernelEvent[]) => events.map((e) => JSON.stringify(comparable(e))).sort();
    expect(records!.events).toHaveLength(44);
    expect(sorted(records!.events)).toEqual(sorted(text!.events));
    expect(records!.source!.host).toBe(text!.source!.host);
    const first = ({ source, events }: Awaited<ReturnType<typeof read>>) =>
      Number(source!.clock.base) + Number(events[0]!.time);
    expect(Math.abs(first(text!) - first(records!))).toBeLessThan(50_000);
  });

  it('alone says what its recorder could see, and that nothing of it is missing', async () => {
    const { source, diagnostics } = await read(join(BESIDE, 'recorder'));
    expect([...source!.recording!.complete]).toContain('state');
    expect([...source!.recording!.refused!.keys()]).toContain('conn-request');
    expect(diagnostics.filter((d) => d.severity !== 'info')).toEqual([]);
  });

  it('says from when on all is in it: of a flight recorder events before that are a part', async () => {
    const { source } = await read(join(BESIDE, 'recorder'));
    const later = withBlock(1, (status) => {
      expect(status.status).toBe('start');
      status.t = String(Number(status.t) + 20e9);
    });
    const cut = (await read(bundleOf(later))).source!;
    expect(source!.recording!.from).toBeLessThan(0);
    expect(cut.recording!.from - source!.recording!.from).toBe(20e9);
    expect(cut.recording!.from).toBeGreaterThan(0);
  });

  it('is explained as events.jsonl is', async () => {
    const rules = async (name: string) =>
      (await analyze([join(BESIDE, name)])).connections.map((c) => [
        c.client.port,
        c.closeKind,
        c.closeRule,
        c.closeConfidence,
        c.kernelResetReason,
      ]);
    expect(await rules('recorder')).toHaveLength(4);
    expect(await rules('recorder')).toEqual(await rules('bpftrace'));
  });

  it('packed is the same', async () => {
    const copy = bundleOf(gzipSync(BIN), 'events.bin.gz');
    writeFileSync(join(copy, 'manifest.json'), readFileSync(join(BESIDE, 'bpftrace/manifest.json')));
    expect((await read(copy)).events).toHaveLength(44);
  });

  it('is printed as JSON lines, numbered as they are cited', async () => {
    const lines = async (name: string) => {
      let text = '';
      expect(await printEvents(join(BESIDE, name), (part) => (text += part))).toEqual([]);
      return text.split('\n').map((line) => (line === '' ? null : JSON.parse(line)));
    };
    const { events } = await read(join(BESIDE, 'recorder'));
    const records = await lines('recorder');
    const reset = events.find((e) => e.kind === 'reset-sent')!;
    expect(records[reset.line! - 1]).toMatchObject({ kind: 'reset-sent', comm: 'python3', state: 7 });
    const text = await lines('bpftrace');
    const drop = { kind: 'drop', at: 'tcp_v4_rcv', src: '127.0.0.1', flags: '02' };
    expect(text.find((e) => e?.kind === 'drop')).toMatchObject(drop);
    expect(records.find((e) => e?.kind === 'drop')).toMatchObject({ ...drop, flags: '2' });
    await expect(printEvents(folder, () => undefined)).rejects.toThrow('is no capture bundle');
  });

  it('with a head whose fields lie outside their records: it is said, and nothing is read by it', async () => {
    for (const field of [
      { at: 4096, bytes: 8, form: 'unsigned' },
      { at: 0, bytes: 3, form: 'unsigned' },
      { at: 0, bytes: 4, form: 'address' },
    ]) {
      const { events, diagnostics } = await read(
        bundleOf(withBlock(0, ({ kinds }) => Object.assign(kinds[0]!.fields[0]!, field))),
      );
      expect(events).toEqual([]);
      expect(diagnostics.map((d) => d.code)).toContain('bundle-block');
    }
  });

  it('cut off or changed at any byte: what is whole is read, and the loss is named', async () => {
    const whole = new Set(
      (await read(join(BESIDE, 'recorder'))).events.map((e) => JSON.stringify(comparable(e))),
    );
    const at = fc.integer({ min: 16, max: BIN.length - 1 });
    const damage = fc.oneof(
      at.map((n) => BIN.subarray(0, n)),
      fc.tuple(at, fc.integer({ min: 1, max: 255 })).map(([n, bits]) => {
        const changed = Uint8Array.from(BIN);
        changed[n]! ^= bits;
        return changed;
      }),
      fc
        .tuple(at, at)
        .map(([a, b]) => Buffer.concat([BIN.subarray(0, Math.min(a, b)), BIN.subarray(Math.max(a, b))])),
    );
    await fc.assert(
      fc.asyncProperty(damage, async (bytes) => {
        if (Buffer.compare(Buffer.from(bytes), BIN) === 0) return;
        const { events, source, diagnostics } = await read(bundleOf(bytes));
        // with the block of names a drop lost where it was: an address is left
        const named = (event: KernelEvent) =>
          !('stack' in event && event.stack.some((f) => f.startsWith('0x')));
        for (const event of events.filter(named)) expect(whole).toContain(JSON.stringify(comparable(event)));
        const padding = events.length === 44 && source?.recording?.complete.size;
        if (!padding) expect(diagnostics.filter((d) => d.severity !== 'info')).not.toEqual([]);
      }),
      { numRuns: THOROUGH ? 3000 : 150 },
    );
    // a minute on a busy machine
  }, 240_000);
});
