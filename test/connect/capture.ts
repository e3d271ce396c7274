/** Reads a capture file through reader and decoder into a tracker. */
import { readFileSync } from 'node:fs';
import { Tracker, type TrackerOptions } from '../../src/connect/tracker.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import { Packet } from '../../src/model/packet.ts';
import type { Source } from '../../src/model/source.ts';
import { pcap } from '../../src/read/capture/pcap.ts';
import { pcapng } from '../../src/read/capture/pcapng.ts';

export interface TrackedCapture {
  tracker: Tracker;
  source: Source;
}

export function trackCapture(path: string, options: TrackerOptions = {}): TrackedCapture {
  const bytes = readFileSync(path);
  const format = [pcapng, pcap].find((f) => f.sniff(bytes));
  if (!format) throw new Error(`${path}: no capture`);
  const sources: Source[] = [];
  const decoder = new Decoder({ checksums: options.ignoreBadChecksums ?? false });
  const { encapsulations } = decoder;
  let tracker: Tracker | null = null;
  const packet = new Packet();
  const unexpected = () => {
    throw new Error(`${path}: not a frame`);
  };
  const reader = format.open(path, {
    sink: {
      frame({ processes = [] }, frame) {
        tracker ??= new Tracker({ ...options, encapsulations, processes });
        if (decoder.decode(frame, packet) === 0) tracker.packet(packet);
      },
      packet: unexpected,
      event: unexpected,
    },
    diagnostics: new Diagnostics(),
    source(init) {
      sources.push({ ...init, id: sources.length, records: 0 });
      return sources.at(-1)!;
    },
    progress: () => undefined,
  });
  reader.push(bytes);
  reader.end();
  return { tracker: tracker ?? new Tracker(options), source: sources[0]! };
}
