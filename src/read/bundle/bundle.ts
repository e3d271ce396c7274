/** A capture bundle: the folder that `tcpautopsy capture` writes (docs/bundle.md). Read to the end of what is there. */

import { endsKey, parseNames, placeIn } from '../../model/container.ts';
import type { KernelEvent } from '../../model/event.ts';
import type { Source } from '../../model/source.ts';
import type { CounterEvent } from '../../model/table-event.ts';
import type { Clock, SourceTime } from '../../model/time.ts';
import { join } from '../../platform/files.ts';
import type { Files } from '../../platform/types.ts';
import type { ReadContext } from '../importer.ts';
import { ss } from '../lines/ss.ts';
import { sysctl } from '../lines/sysctl.ts';
import { type RecordedPackets, type Sights, see } from '../stepped.ts';
import { type BundleClock, clockOf, clockOfBegin, packetWindow, steppedClock } from './clock.ts';
import { type EventKeys, EventText, kernelEvent, SIGNS_OF_LIFE } from './event-text.ts';
import { head, locate, sizeOf } from './is-bundle.ts';
import { readJsonLines, tryLine } from './lines.ts';
import { recordingOf, reportCutFiles, reportManifest, type Stream } from './losses.ts';
import { type Manifest, NO_REASONS, parseManifest, parseReasons, type Reasons } from './manifest.ts';
import { type Recorder, readRecorder, recorderManifest, recorderReasons } from './recorder.ts';

/** Reads the bundle's own files. Returns the host its other files come from, and when its packets were recorded. */
export async function readBundle(
  folder: string,
  files: Files,
  context: ReadContext,
): Promise<{ host: string | null; packets: RecordedPackets }> {
  const { diagnostics } = context;
  const bad = (file: string, message: string) =>
    diagnostics.add({
      code: 'bundle-damaged',
      severity: 'data-loss',
      source: join(folder, file),
      locator: '',
      message,
    });
  const recorder = await readRecorder(folder, files, diagnostics);
  const file = await head(join(folder, 'manifest.json'), 1 << 22, files);
  const parsed = parseManifest(file ?? '');
  const written = typeof parsed === 'string' ? null : parsed;
  const manifest = recorder ? recorderManifest(recorder, written) : written;
  // a recorder alone says what a manifest would
  if (typeof parsed === 'string' && (file !== null || !manifest)) bad('manifest.json', parsed);
  const names = await head(join(folder, 'reasons.json'), 1 << 20, files);
  const reasons = (recorder && recorderReasons(recorder)) ?? parseReasons(names ?? '');
  if (typeof reasons === 'string' && manifest?.events !== null) bad('reasons.json', reasons);
  const bundle = new Bundle(folder, files, manifest, context);
  await bundle.events(recorder, typeof reasons === 'string' ? NO_REASONS : reasons);
  // a recorder may have run alone
  const there = async (name: string) =>
    !recorder || (await sizeOf(await locate(folder, name, files), files)) !== null;
  if (await there('counters.jsonl')) await bundle.counters();
  if (await there('sockets.jsonl')) await bundle.sockets();
  await bundle.settings();
  if (manifest) await reportCutFiles(manifest, folder, files, diagnostics);
  if (manifest) reportManifest(manifest, folder, bundle.stream, bundle.clock, diagnostics);
  const window = written && bundle.clock && packetWindow(written, bundle.clock);
  const extent = window ? { window } : { incomplete: true };
  const stepped = bundle.clock && steppedClock(bundle.clock, bundle.sights);
  return {
    host: manifest?.host || null,
    packets: { ...extent, ...netnsOf(manifest), ...(stepped && { clock: stepped }) },
  };
}

/** Packets and tables are of the namespace the capture ran in; events are of all. */
function netnsOf(manifest: Manifest | null): Pick<Source, 'netns'> {
  return manifest?.netns ? { netns: String(manifest.netns) } : {};
}

class Bundle {
  readonly #folder: string;
  readonly #files: Files;
  readonly #manifest: Manifest | null;
  readonly #context: ReadContext;
  /** Null until known. */
  clock: BundleClock | null;
  /** Where the clock was set: SteppedClock.sights. */
  readonly sights: Sights = new Map();
  readonly stream: Stream = {
    ended: false,
    events: 0,
    from: 0 as SourceTime,
    until: 0 as SourceTime,
    short: null,
  };

  constructor(folder: string, files: Files, manifest: Manifest | null, context: ReadContext) {
    this.#folder = folder;
    this.#files = files;
    this.#manifest = manifest;
    this.#context = context;
    this.clock = manifest && clockOf(manifest);
  }

  async events(recorder: Recorder | null, reasons: Reasons): Promise<void> {
    if (!recorder && this.#manifest?.events === null) return;
    const { path, times, lineOf, keysOf } = recorder ? this.#records(recorder) : await this.#lines();
    if (times.length === 0) return;
    // per-CPU buffers are read in turn: the order of lines is not the order of events
    const order = Array.from(times, (_, n) => n).sort((a, b) => times[a]! - times[b]! || a - b);
    const first = times[order[0]!]!;
    const source = this.#source(path, 'bundle-events', first, 1);
    const [begun, last] = [recorder?.records.statuses[0], recorder?.records.statuses.at(-1)];
    this.stream.from = (Number(begun?.t ?? first) - first) as SourceTime;
    this.stream.until = (Math.max(times[order.at(-1)!]!, Number(last?.t ?? 0)) - first) as SourceTime;
    if (this.#manifest) source.recording = recordingOf(this.#manifest, this.stream);
    const places = new Map([...(recorder?.records.cgroups ?? [])].filter(([, path]) => placeIn(path)));
    const cgroups = new Map<string, string>();
    const [step] = this.clock?.steps ?? [];
    for (const n of order) {
      const [time, line] = [(times[n]! - first) as SourceTime, lineOf(n)];
      tryLine(path, line, this.#context.diagnostics, () => {
        const keys = keysOf(n);
        const event = kernelEvent(keys, { source: source.id, line, time }, reasons);
        if (event) this.#emit(source, event);
        if (step && event?.kind === 'state') see(this.sights, event, times[n]! - Number(step.after));
        if (!event || places.size === 0 || !('remote' in event)) return;
        const cgroup = places.get(keys.text('cgroup') ?? '');
        if (cgroup) cgroups.set(endsKey(event), cgroup);
      });
    }
    if (cgroups.size === 0 || !source.recording) return;
    const names = parseNames((await head(join(this.#folder, 'names.txt'), 1 << 22, this.#files)) ?? '');
    source.recording = { ...source.recording, cgroups, names };
  }

  async #lines(): Promise<TimedEvents> {
    const path = await locate(this.#folder, 'events.jsonl', this.#files);
    const events: EventText[] = [];
    const lines: number[] = [];
    await readJsonLines(path, this.#files, this.#context.diagnostics, (value, line) => {
      if (value.type !== 'printf' || typeof value.data !== 'string') return;
      const keys = new EventText(value.data);
      if (keys.kind === 'end') this.stream.ended = true;
      if (keys.kind === 'begin') this.clock ??= clockOfBegin(keys);
      if (!SIGNS_OF_LIFE.has(keys.kind)) this.stream.events++;
      events.push(keys);
      lines.push(line);
    });
    const times = Float64Array.from(events, (keys) => keys.number('t'));
    return { path, times, lineOf: (n) => lines[n]!, keysOf: (n) => events[n]! };
  }

  /** The line of a record is its number, as `tcpautopsy events` prints them. */
  #records({ path, records }: Recorder): TimedEvents {
    const times = Float64Array.from({ length: records.count }, (_, n) => records.at(n).number('t'));
    this.stream.ended = records.statuses.at(-1)?.status === 'end';
    this.stream.events = records.count;
    this.stream.short = records.short();
    return { path, times, lineOf: (n) => n + 1, keysOf: (n) => records.at(n) };
  }

  async counters(): Promise<void> {
    let source: Source | null = null;
    let first = 0;
    let snapshot = 0;
    let values = new Map<string, number>();
    const path = await locate(this.#folder, 'counters.jsonl', this.#files);
    await readJsonLines(path, this.#files, this.#context.diagnostics, (value, line) => {
      const t = Number(value.t);
      const changed = value.values;
      if (!(t >= 0) || typeof changed !== 'object' || changed === null)
        throw new SyntaxError('no time or values');
      if (!source) first = t;
      source ??= this.#source(path, 'bundle-counters', t, TABLE_STEP);
      values = new Map(value.full === true ? [] : values);
      for (const [name, n] of Object.entries(changed)) values.set(name.replace(/^TcpExt/, ''), Number(n));
      const time = (t - first) as SourceTime;
      const event: CounterEvent = {
        kind: 'counters',
        source: source.id,
        line,
        time,
        snapshot: ++snapshot,
        values,
        delta: false,
      };
      this.#emit(source, event);
    });
  }

  /** Rows are ss's own lines: its importer reads them, each with the time of its snapshot. */
  async sockets(): Promise<void> {
    const path = await locate(this.#folder, 'sockets.jsonl', this.#files);
    let first: number | null = null;
    let at = 0;
    let source: Source | null = null;
    const sink = {
      ...this.#context.sink,
      event: (own: Source, event: KernelEvent) => {
        own.clock = this.#clockFrom(first ?? 0, TABLE_STEP);
        const time = (at - (first ?? 0)) as SourceTime;
        this.#context.sink.event(own, { ...event, time, ...netnsOf(this.#manifest) });
      },
    };
    const make = (init: Parameters<ReadContext['source']>[0]) => {
      source = this.#context.source({ ...init, host: this.#manifest?.host || null });
      return source;
    };
    const context: ReadContext = { ...this.#context, sink, source: make };
    const filter = this.#manifest?.filters?.sockets ? ` ${this.#manifest.filters.sockets}` : '';
    const section = {
      name: path,
      line: 1,
      host: null,
      command: `ss -tanpieOm${filter}`,
      root: true,
      context,
      shown: null,
    };
    const reader = ss.open(section);
    await readJsonLines(path, this.#files, this.#context.diagnostics, (value, line) => {
      if (typeof value.line === 'string') {
        reader.line(value.line, line);
        return;
      }
      const t = Number(value.t);
      if (!(t >= 0)) throw new SyntaxError('no time');
      const own = typeof value.filter === 'string' && value.filter !== '' ? ` ${value.filter}` : filter;
      if (first !== null || own !== filter) reader.rerun?.(`ss -tanpieOm${own}`, line);
      first ??= t;
      at = t;
    });
    reader.end();
  }

  /** A last line without its end would be another value. */
  async settings(): Promise<void> {
    const path = join(this.#folder, 'sysctl.txt');
    const text = await head(path, 1 << 20, this.#files);
    if (text === null) return;
    const { diagnostics } = this.#context;
    const host = this.#manifest?.host || null;
    const context: ReadContext = {
      ...this.#context,
      source: (init) => this.#context.source({ ...init, host }),
    };
    const reader = sysctl.open({
      name: path,
      line: 1,
      host,
      command: 'sysctl -a',
      root: true,
      context,
      shown: null,
    });
    const lines = text.split('\n');
    const rest = lines.pop()!;
    for (const [i, line] of lines.entries()) reader.line(line, i + 1);
    reader.end();
    if (rest === '') return;
    const locator = `line ${lines.length + 1}`;
    const message = 'the last line has no end: the file was cut off here';
    diagnostics.add({ code: 'bundle-cut-off', severity: 'data-loss', source: path, locator, message });
  }

  #emit(source: Source, event: KernelEvent): void {
    source.records++;
    this.#context.sink.event(source, event);
  }

  #source(name: string, format: string, t: number, resolution: number): Source {
    const host = this.#manifest?.host || null;
    const clock = this.#clockFrom(t, resolution);
    return this.#context.source({
      name,
      format,
      clock,
      host,
      command: null,
      root: true,
    });
  }

  /** Realtime through the anchors; without any, time since boot. */
  #clockFrom(t: number, resolution: number): Clock {
    if (!this.clock) return { kind: 'monotonic', base: BigInt(t), resolution };
    const { offset, uncertainty } = this.clock;
    return { kind: 'realtime', base: BigInt(t) + offset, resolution, uncertainty };
  }
}

/** Events of a file, numbered from 0 in the order in which they stand there. */
interface TimedEvents {
  path: string;
  /** On their own clock, ns. */
  times: Float64Array;
  lineOf(n: number): number;
  keysOf(n: number): EventKeys;
}

/** Counters and socket tables are timed by /proc/uptime. */
const TABLE_STEP = 10_000_000;
