// A real bundle, and what is left of it when a capture is killed.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Diagnostics } from '../../../src/model/diagnostic.ts';
import type { KernelEvent } from '../../../src/model/event.ts';
import type { Source } from '../../../src/model/source.ts';
import { readInputs } from '../../../src/read/read.ts';

const BUNDLE = resolve(import.meta.dirname, '../../../samples/bundle/loopback/6.18');

/** What the tests alter of manifest.json. */
interface Manifest {
  events: { emitted: number; recursion_misses: object };
  packets: object;
  ended: object;
  problems: string[];
}

async function read(folder: string) {
  const diagnostics = new Diagnostics();
  const events: { source: Source; event: KernelEvent }[] = [];
  const frames: { source: Source; time: number }[] = [];
  const sink = {
    frame: (source: Source, frame: { time: number }) => frames.push({ source, time: frame.time }),
    packet: () => undefined,
    event: (source: Source, event: KernelEvent) => events.push({ source, event }),
  };
  const sources = await readInputs([folder], new Map(), sink as never, diagnostics, () => undefined);
  return { sources, events, frames, diagnostics: diagnostics.list() };
}

const copies: string[] = [];
function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  cpSync(BUNDLE, folder, { recursive: true });
  copies.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of copies.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('a capture bundle', () => {
  it('says that the clock was stepped; a slewed one was not', async () => {
    const stepped = async (ns: bigint) => {
      const folder = copy();
      const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
      const last = manifest.clock.anchors.at(-1);
      last.realtime_ns = String(BigInt(last.realtime_ns) + ns);
      writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
      const diagnostics = new Diagnostics();
      const sink = { frame: () => undefined, packet: () => undefined, event: () => undefined };
      const sources = await readInputs([folder], new Map(), sink as never, diagnostics, () => undefined);
      const window = sources.find((s) => s.format === 'pcap')!.window;
      return [diagnostics.list().find((d) => d.code === 'clock-stepped')?.message, window];
    };
    const [none, { from, to }] = (await stepped(0n)) as [undefined, { from: bigint; to: bigint }];
    expect(none).toBeUndefined();
    const [message, window] = (await stepped(3_600_000_000_000n)) as [string, { from: bigint; to: bigint }];
    expect(message).toContain('forward by 3600.000 s between');
    // told by the clock as it stood at the end
    for (const moved of [window.from - from, window.to - to])
      expect(Math.abs(Number(moved) - 3_600_000_000_000)).toBeLessThan(1_000_000);
  });

  it('is read as one, on one clock', async () => {
    const { sources, events, frames } = await read(BUNDLE);
    expect(sources.map((s) => s.format)).toEqual([
      'bundle-events',
      'bundle-counters',
      'ss',
      'sysctl',
      'pcap',
    ]);
    const timed = sources.filter((s) => s.format !== 'sysctl');
    expect(new Set(timed.map((s) => s.clock.kind))).toEqual(new Set(['realtime']));
    expect(new Set(sources.map((s) => s.host))).toEqual(new Set(['vm']));

    const states = events.map((e) => e.event).filter((e) => e.kind === 'state');
    const close = states.find((e) => e.from === 'ESTABLISHED' && e.to === 'CLOSE' && e.local.port === 18080)!;
    expect(close).toMatchObject({
      local: { address: '127.0.0.1', port: 18080 },
      fields: { unread: 290, shutdown: 3, linger: false },
      comm: 'python3',
    });
    const reset = events.map((e) => e.event).find((e) => e.kind === 'reset-sent' && e.state === 'CLOSE')!;
    expect(reset).toMatchObject({ reason: 'TCP_ABORT_ON_CLOSE', answers: null });

    // the event and its packet, each on its own clock, are the same moment to well below a millisecond
    const absolute = (source: Source, time: number) => source.clock.base + BigInt(time);
    const event = events.find((e) => e.event === reset)!;
    const at = absolute(event.source, reset.time!);
    const nearest = frames
      .map((f) => Number(absolute(f.source, f.time) - at))
      .sort((a, b) => Math.abs(a) - Math.abs(b));
    expect(Math.abs(nearest[0]!)).toBeLessThan(1_000_000);
  });

  it('keeps what a process name says inside the name', async () => {
    const folder = copy();
    const path = join(folder, 'events.jsonl');
    const forged = {
      type: 'printf',
      data: 'destroy t=5979629816386 sk=1 comm=x\nstate t=1 from=1 to=7 comm=y',
    };
    writeFileSync(path, `${readFileSync(path, 'utf8')}${JSON.stringify(forged)}\n`);
    const [before, after] = [await read(BUNDLE), await read(folder)];
    expect(after.events.length).toBe(before.events.length + 1);
  });

  it('names what is missing when the capture was killed', async () => {
    const folder = copy();
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, ended: null }));
    const events = readFileSync(join(folder, 'events.jsonl'), 'utf8');
    writeFileSync(join(folder, 'events.jsonl'), events.slice(0, events.length / 2));
    const codes = (await read(folder)).diagnostics.map((d) => d.code);
    expect(codes).toContain('capture-killed');
    expect(codes).toContain('events-cut-off');
    expect(codes).toContain('bundle-cut-off');
  });

  const altered = (change: (manifest: Manifest) => void) => {
    const folder = copy();
    const path = join(folder, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    manifest.events.misses_of_tracepoints_counted = true;
    change(manifest);
    writeFileSync(path, JSON.stringify(manifest));
    return read(folder);
  };
  const complete = (sources: Source[]) => sources[0]!.recording!.complete.size;

  it.each<[string, (manifest: Manifest) => void]>([
    ['events-lost', (m) => Object.assign(m.events, { lost: 3 })],
    ['events-not-written', (m) => Object.assign(m.events, { emitted: m.events.emitted + 1 })],
    ['events-skipped', (m) => Object.assign(m.events.recursion_misses, { total: 2 })],
    ['events-skipped-unknown', (m) => Object.assign(m.events, { recursion_misses: null })],
    ['capture-failed', (m) => Object.assign(m.ended, { how: 'failed', by: 'disk-full' })],
    ['capture-killed', (m) => Object.assign(m, { ended: null })],
  ])('%s: named, and nothing follows from what is absent', async (code, change) => {
    expect(complete((await altered(() => undefined)).sources)).toBeGreaterThan(0);
    const { sources, diagnostics } = await altered(change);
    expect(diagnostics.map((d) => d.code)).toContain(code);
    expect(complete(sources)).toBe(0);
  });

  it.each<[string, (manifest: Manifest) => void]>([
    ['packets-lost', (m) => Object.assign(m.packets, { dropped_by_kernel: 3 })],
    ['packets-lost', (m) => Object.assign(m.packets, { dropped_by_interface: 3 })],
    ['capture-problem', (m) => void m.problems.push('tcpdump ended by itself')],
  ])('%s: named', async (code, change) => {
    const { diagnostics } = await altered(change);
    expect(diagnostics.find((d) => d.code === code)).toMatchObject({ severity: 'data-loss' });
  });
});
