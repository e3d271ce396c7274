// npx tsx test/live/scenarios/split.ts DIR SCENARIO OUT
// What the batches in DIR have of one scenario, as a small batch of its own, packed: for a sample, or for a closer look.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { packetsOf, partOf, readBatch, type TruthEntry } from './batch.ts';

const [from, scenario, to] = process.argv.slice(2) as [string, string, string];
const truthOf = (f: string): TruthEntry[] => JSON.parse(readFileSync(path.join(f, 'truth.json'), 'utf8'));
const folder = readdirSync(from)
  .map((name) => path.join(from, name))
  .find((f) => existsSync(path.join(f, 'truth.json')) && truthOf(f).some((t) => t.name === scenario));
if (!folder) throw new Error(`no batch in ${from} has ${scenario}`);
const batch = await readBatch(folder);
const truth = batch.truth.filter((t) => t.name === scenario);
/** A scenario's ports are ten in a row (run.py). */
const block = Math.floor(truth[0]!.server_port / 10);
const mine = (port: number) => Math.floor(port / 10) === block;
const ofPackets = (pcap: Buffer) => packetsOf(pcap, (f) => f.ports === null || f.ports.some(mine));
const files = partOf(batch.bundle, {
  events: (e) => ['lport', 'rport', 'sport', 'dport'].some((key) => mine(e.value(key))),
  packets: ofPackets(batch.bundle.get('packets.pcap')!),
});
files.set('sockets.jsonl', rowsOf(files.get('sockets.jsonl')!));
mkdirSync(path.join(to, 'bundle'), { recursive: true });
for (const [name, bytes] of files) {
  const packed = name.endsWith('.jsonl') || name.endsWith('.pcap');
  writeFileSync(
    path.join(to, 'bundle', packed ? `${name}.gz` : name),
    packed ? gzipSync(bytes, { level: 9 }) : bytes,
  );
}
for (const [place, pcap] of Object.entries(batch.packets)) {
  writeFileSync(path.join(to, `${place}.pcap.gz`), gzipSync(ofPackets(pcap), { level: 9 }));
}
writeFileSync(path.join(to, 'places.json'), `${JSON.stringify(batch.places)}\n`);
writeFileSync(path.join(to, 'truth.json'), `${JSON.stringify(truth, null, 1)}\n`);

/** Rows of socket tables that name one of the ports; how many each snapshot has is in its first line. */
function rowsOf(tables: Buffer): Buffer {
  const lines = tables.toString().split('\n').filter(Boolean);
  const kept = lines.filter(
    (line) => !/:\d+ /.test(line) || [...line.matchAll(/:(\d+) /g)].some((m) => mine(Number(m[1]))),
  );
  const counts = new Map<number, number>();
  for (const row of kept.map((l) => JSON.parse(l)).filter((r) => r.line && !r.line.startsWith('State'))) {
    counts.set(row.snapshot, (counts.get(row.snapshot) ?? 0) + 1);
  }
  const told = kept
    .map((l) => JSON.parse(l))
    .map((r) => ('rows' in r ? { ...r, rows: counts.get(r.snapshot) ?? 0 } : r));
  return Buffer.from(`${told.map((r) => JSON.stringify(r)).join('\n')}\n`);
}
