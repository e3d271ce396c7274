/** Runs a capture reader and keeps what it says. */
import { Diagnostics } from '../../../src/model/diagnostic.ts';
import type { Source } from '../../../src/model/source.ts';
import { pcap } from '../../../src/read/capture/pcap.ts';
import { pcapng } from '../../../src/read/capture/pcapng.ts';
import type { CaptureFormat, ReadContext } from '../../../src/read/importer.ts';

export interface Seen {
  number: number;
  time: number;
  captured: number;
  length: number;
  linkType: number;
  interfaceId: number;
  direction: number;
  process: number;
  data: string;
}

export interface Collected {
  frames: Seen[];
  sources: Source[];
  diagnostics: Diagnostics;
}

export function formatOf(head: Uint8Array): CaptureFormat {
  const format = [pcap, pcapng].find((one) => one.sniff(head));
  if (!format) throw new Error('no capture format takes this');
  return format;
}

/** Cuts `file` at the given offsets and pushes the parts. Each part is overwritten afterwards, as real blocks are. */
export function collect(file: Uint8Array, cuts: readonly number[] = [], format = formatOf(file)): Collected {
  const seen: Collected = { frames: [], sources: [], diagnostics: new Diagnostics() };
  const context: ReadContext = {
    sink: {
      frame(_source, frame) {
        if (frame.start + frame.captured > frame.bytes.length)
          throw new Error('frame reaches beyond its block');
        const { number, time, captured, length, linkType, interfaceId, direction, process } = frame;
        const data = Buffer.from(frame.bytes.subarray(frame.start, frame.start + captured)).toString(
          'latin1',
        );
        seen.frames.push({ number, time, captured, length, linkType, interfaceId, direction, process, data });
      },
      packet: () => undefined,
      event: () => undefined,
    },
    diagnostics: seen.diagnostics,
    source(init) {
      const source = { ...init, id: seen.sources.length, records: 0 };
      seen.sources.push(source);
      return source;
    },
    progress: () => undefined,
  };
  const reader = format.open('test', context);
  const bounds = [0, ...[...cuts].sort((a, b) => a - b), file.length];
  for (let i = 1; i < bounds.length; i++) {
    const part = Uint8Array.from(file.subarray(bounds[i - 1], bounds[i]));
    reader.push(part);
    part.fill(0xee);
  }
  reader.end();
  return seen;
}

/** Code → [severity, count, locator]. */
export function codes({ diagnostics }: Collected): Record<string, [string, number, string]> {
  return Object.fromEntries(diagnostics.list().map((d) => [d.code, [d.severity, d.count, d.locator]]));
}
