/** A batch that run.py left: one capture of several scenarios, packets of three places, and what is true. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { asText } from './as-text.ts';

export type Place = 'client' | 'router' | 'server';

/** What the programs know of one connection, for one group of causes. */
export interface TruthEntry {
  name: string;
  /** 0: any connection of that server port. */
  client_port: number;
  server_port: number;
  group: string;
  /** Any of these names it right; `-`: nothing at all is right too. */
  rule: string[];
  side: 'client' | 'server' | null;
  /** Looks the same from somewhere: may be claimed, never as proved. */
  maybe: string[];
}

export interface Batch {
  name: string;
  /** Files of the product's own capture, unpacked, */
  whole: Map<string, Buffer>;
  /** and with its events as text, of which a part can be taken. */
  bundle: Map<string, Buffer>;
  packets: Record<Place, Buffer>;
  /** Numbers of the namespaces, and the host whose bundle it is. */
  places: { client: number; server: number; at: Place };
  truth: TruthEntry[];
}

export async function readBatch(folder: string): Promise<Batch> {
  const file = (name: string) => unpacked(path.join(folder, name));
  const names = [
    'manifest.json',
    'events.jsonl',
    'events.bin',
    'packets.pcap',
    'counters.jsonl',
    'sockets.jsonl',
    'sysctl.txt',
    'reasons.json',
  ].filter((name) => [name, `${name}.gz`].some((file) => existsSync(path.join(folder, 'bundle', file))));
  const known = JSON.parse(file('truth.json').toString()) as (TruthEntry | { failed: string })[];
  const whole = new Map(names.map((name) => [name, file(`bundle/${name}`)]));
  return {
    name: path.basename(folder),
    whole,
    bundle: whole.has('events.bin') ? await asText(path.join(folder, 'bundle'), whole) : whole,
    packets: { client: file('client.pcap'), router: file('router.pcap'), server: file('server.pcap') },
    places: JSON.parse(file('places.json').toString()),
    truth: known.filter((e): e is TruthEntry => 'rule' in e),
  };
}

function unpacked(file: string): Buffer {
  return existsSync(file) ? readFileSync(file) : gunzipSync(readFileSync(`${file}.gz`));
}

/** A record of a capture: its time in ns of CLOCK_REALTIME, its bytes with their header, its ports, of an ICMP error those it quotes (null: neither). */
export interface Frame {
  time: bigint;
  record: Buffer;
  ports: [number, number] | null;
}

/** Link layers that tcpdump writes here, and the length of their headers. */
const LINK_HEADERS: Record<number, number> = { 1: 14, 113: 16, 276: 20 };

/** A classic little-endian pcap with nanoseconds. */
export function* framesOf(pcap: Buffer): Generator<Frame> {
  const link = LINK_HEADERS[pcap.readUInt32LE(20)]!;
  for (let at = 24; at + 16 <= pcap.length; ) {
    const end = at + 16 + pcap.readUInt32LE(at + 8);
    const time = BigInt(pcap.readUInt32LE(at)) * 1_000_000_000n + BigInt(pcap.readUInt32LE(at + 4));
    yield { time, record: pcap.subarray(at, end), ports: portsOf(pcap.subarray(at + 16 + link, end)) };
    at = end;
  }
}

const TCP = 6;
const ICMP = 1;
const ICMP6 = 58;

function portsOf(ip: Buffer): [number, number] | null {
  const version = (ip[0] ?? 0) >> 4;
  if (version !== 4 && version !== 6) return null;
  const [protocol, header] = version === 4 ? [ip[9], (ip[0]! & 15) * 4] : [ip[6], 40];
  if (protocol === TCP) return pairAt(ip, header);
  const isError =
    protocol === ICMP ? ip[header] === 3 || ip[header] === 11 : protocol === ICMP6 && ip[header]! <= 4;
  return isError ? portsOf(ip.subarray(header + 8)) : null;
}

const pairAt = (ip: Buffer, at: number): [number, number] => [ip.readUInt16BE(at), ip.readUInt16BE(at + 2)];

export function packetsOf(pcap: Buffer, keep: (frame: Frame) => boolean): Buffer {
  const kept = [...framesOf(pcap)].filter(keep).map((f) => f.record);
  return Buffer.concat([pcap.subarray(0, 24), ...kept]);
}

/** As a snap length leaves it. */
export function snapped(pcap: Buffer, length: number): Buffer {
  const cut = [...framesOf(pcap)].map(({ record }) => {
    const short = Buffer.from(record.subarray(0, 16 + length));
    short.writeUInt32LE(short.length - 16, 8);
    return short;
  });
  return Buffer.concat([pcap.subarray(0, 24), ...cut]);
}

/** As a busy tap leaves it: of ten frames one is missing, by chance, the same each time. */
export function thinned(pcap: Buffer): Buffer {
  let state = 1;
  return packetsOf(pcap, () => {
    state = (state * 48_271) % 2_147_483_647;
    return state % 10 !== 0;
  });
}

/** As a tap on two ports of a switch leaves it: everything twice, so many ns apart. */
export function doubled(pcap: Buffer, apart: bigint): Buffer {
  const frames = [...framesOf(pcap)];
  const copies = frames.map(({ time, record }) => {
    const copy = Buffer.from(record);
    const later = time + apart;
    copy.writeUInt32LE(Number(later / 1_000_000_000n), 0);
    copy.writeUInt32LE(Number(later % 1_000_000_000n), 4);
    return { time: later, record: copy };
  });
  const all = [...frames, ...copies].sort((a, b) => (a.time < b.time ? -1 : 1));
  return Buffer.concat([pcap.subarray(0, 24), ...all.map((f) => f.record)]);
}

/** One event of a bundle; numbers of its keys, `t` brought to CLOCK_REALTIME in ns. */
export interface KernelLine {
  time: bigint;
  kind: string;
  line: string;
  value(key: string): number;
}

const NO_EVENTS = new Set(['begin', 'end', 'tick', 'date-exec', 'date-exit']);

/** What a part of a bundle keeps; times in ns of CLOCK_REALTIME. */
export interface Part {
  events?: (event: KernelLine) => boolean;
  /** Packets in place of the bundle's own; null: none. */
  packets?: Buffer | null;
  /** Counters and socket tables stay. */
  tables?: boolean;
  begin?: bigint;
  end?: bigint;
}

/** A bundle with less in it, and a manifest that says so: as if no more had been captured. */
export function partOf(bundle: Map<string, Buffer>, part: Part): Map<string, Buffer> {
  const manifest = JSON.parse(bundle.get('manifest.json')!.toString());
  const tracer = manifest.clock.anchors.find((a: { method: string }) => a.method === 'tracer');
  const offset = BigInt(tracer.realtime_ns) - BigInt(tracer.event_ns);
  const { begin, end, packets = bundle.get('packets.pcap')!, tables = true } = part;
  const within = (time: bigint) =>
    (begin === undefined || time >= begin) && (end === undefined || time < end);
  const files = new Map([...bundle].filter(([name]) => name === 'sysctl.txt' || name === 'reasons.json'));
  const events = eventsOf(
    bundle.get('events.jsonl')!,
    offset,
    begin,
    (e) => within(e.time) && (part.events?.(e) ?? true),
  );
  files.set('events.jsonl', events.text);
  if (packets)
    files.set(
      'packets.pcap',
      packetsOf(packets, (f) => within(f.time)),
    );
  for (const name of tables ? ['counters.jsonl', 'sockets.jsonl'] : []) {
    // the rows of a snapshot follow the line with its time
    let time = 0n;
    const rows = bundle.get(name)!.toString().split('\n');
    const kept = rows.filter((row) => {
      const own = /^\{"t": ?(\d+)/.exec(row)?.[1];
      if (own) time = BigInt(own) + offset;
      return row && within(time);
    });
    files.set(name, Buffer.from(`${kept.join('\n')}\n`));
  }
  manifest.events.emitted = events.count;
  if (begin !== undefined) {
    manifest.started = { boottime_ns: String(begin - offset), realtime_s: Number(begin / 1_000_000_000n) };
  }
  if (end !== undefined) manifest.ended = null;
  manifest.files = Object.fromEntries([...files].map(([name, bytes]) => [name, bytes.length]));
  return files.set('manifest.json', Buffer.from(JSON.stringify(manifest)));
}

function eventsOf(text: Buffer, offset: bigint, begin: bigint | undefined, keep: (e: KernelLine) => boolean) {
  const lines: string[] = [];
  let count = 0;
  for (let line of text.toString().split('\n')) {
    const found = /"data": ?"([a-z-]+) t=(\d+)/.exec(line);
    if (!found) {
      if (line && !line.includes('@emitted')) lines.push(line);
      continue;
    }
    const [kind, time] = [found[1]!, BigInt(found[2]!) + offset];
    if (kind === 'begin' && begin !== undefined) {
      const real = `${begin / 1_000_000_000n}.${String(begin % 1_000_000_000n)
        .padStart(9, '0')
        .slice(0, 6)}`;
      line = line.replace(/t=\d+ real=[\d.]+/, `t=${begin - offset} real=${real}`);
    }
    const value = (key: string) => Number(new RegExp(` ${key}=(\\d+)`).exec(line)?.[1] ?? Number.NaN);
    if (!NO_EVENTS.has(kind) && !keep({ time, kind, line, value })) continue;
    if (!NO_EVENTS.has(kind)) count++;
    lines.push(line);
  }
  lines.push(JSON.stringify({ type: 'map', data: { '@emitted': count } }));
  return { text: Buffer.from(`${lines.join('\n')}\n`), count };
}
