/** Reads text as the product does and keeps everything that comes out. */
import { readFileSync } from 'node:fs';
import { type Diagnostic, Diagnostics } from '../../../src/model/diagnostic.ts';
import type { KernelEvent } from '../../../src/model/event.ts';
import { Frame, Packet } from '../../../src/model/packet.ts';
import type { Source } from '../../../src/model/source.ts';
import { TextReader } from '../../../src/read/text.ts';

export interface Outcome {
  sources: Source[];
  events: KernelEvent[];
  packets: Packet[];
  /** Raw packets in a text, with bytes of their own. */
  frames: Frame[];
  diagnostics: Diagnostic[];
}

export const SAMPLES = new URL('../../../samples/', import.meta.url).pathname;

export const sample = (path: string): Buffer => readFileSync(SAMPLES + path);

/** `input` in blocks of `block` bytes, under a name that tells nothing. */
export function read(input: string | Uint8Array, block = 65_536): Outcome {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
  const diagnostics = new Diagnostics();
  const out: Outcome = { sources: [], events: [], packets: [], frames: [], diagnostics: [] };
  const reader = new TextReader('x.txt', {
    diagnostics,
    sink: {
      frame: (_, frame) => out.frames.push(Object.assign(new Frame(), frame)),
      packet: (_, packet) => out.packets.push(Object.assign(new Packet(), packet)),
      event: (_, event) => out.events.push(event),
    },
    source(init) {
      const source: Source = { id: out.sources.length, records: 0, ...init };
      out.sources.push(source);
      return source;
    },
    progress: () => {},
  });
  for (let i = 0; i < bytes.length; i += block) reader.push(bytes.subarray(i, i + block));
  reader.end();
  out.diagnostics = diagnostics.list();
  return out;
}

export const readSample = (path: string): Outcome => read(sample(path));

/** Events of one kind, typed. */
export function only<K extends KernelEvent['kind']>(
  out: Outcome,
  kind: K,
): Extract<KernelEvent, { kind: K }>[] {
  return out.events.filter((e): e is Extract<KernelEvent, { kind: K }> => e.kind === kind);
}

export const formats = (out: Outcome): string[] => out.sources.map((s) => s.format);
export const codes = (out: Outcome): string[] => out.diagnostics.map((d) => d.code);

/** Everything that is said of the traffic, without where it stands. */
export function withoutPlace<T extends object>(items: T[]): object[] {
  return items.map((item) => ({ ...item, line: 0, source: 0, frame: 0, time: 0 }));
}
