/** What is left of a batch when not all of it is at hand: each a set of inputs for `analyze`, in memory. */
import type { Input } from '../../../src/read/given.ts';
import {
  type Batch,
  doubled,
  framesOf,
  type KernelLine,
  type Part,
  packetsOf,
  partOf,
  snapped,
  thinned,
} from './batch.ts';

export interface Reduction {
  name: string;
  inputs: Input[];
}

/** Namespaces have larger numbers than this; smaller ones are nonsense of a packet that has left its device. */
const NAMESPACE = 4026531832;
const ADDRESSES = { client: ['10.78.1.2', 'fd78:1::2'], server: ['10.78.2.2', 'fd78:2::2'] };
/** Ports of the scenarios' servers (run.py). */
const served = (port: number | undefined) => port !== undefined && port >= 20_000 && port < 30_000;

/** The kernel of that host said it: by its namespace, else by the address it speaks for. */
function saidBy(batch: Batch, side: 'client' | 'server'): (event: KernelLine) => boolean {
  const own = ADDRESSES[side].flatMap((a) => [' l=', ' l=::ffff:', ' dst='].map((key) => `${key}${a} `));
  return ({ line, value }) => {
    for (const key of ['ns', 'devns']) if (value(key) >= NAMESPACE) return value(key) === batch.places[side];
    return own.some((text) => line.includes(text));
  };
}

const bundleInput = (files: Map<string, Buffer>): Input[] =>
  [...files].map(([name, bytes]) => ({ name: `bundle/${name}`, bytes }));
const pcapInput = (name: string, bytes: Buffer): Input => ({ name: `${name}.pcap`, bytes });

/** `cuts`: how many moments to cut at. */
export function* reductionsOf(batch: Batch, cuts: number): Generator<Reduction> {
  const { bundle, whole, packets, places } = batch;
  const part = (p: Part) => bundleInput(partOf(bundle, p));
  const others = (['client', 'router', 'server'] as const).filter((p) => p !== places.at);
  const elsewhere = others.map((p) => pcapInput(p, packets[p]));
  yield { name: 'whole', inputs: bundleInput(whole) };
  yield { name: 'whole, and packets of both other places', inputs: [...bundleInput(whole), ...elsewhere] };
  for (const side of ['server', 'client'] as const) {
    const events = saidBy(batch, side);
    const own = places.at === side ? bundle.get('packets.pcap')! : packets[side];
    yield {
      name: `one host's evidence: ${side}`,
      inputs: part({ events, packets: own, tables: places.at === side }),
    };
    yield { name: `one host's events: ${side}`, inputs: part({ events, packets: null, tables: false }) };
  }
  yield { name: 'all events, no packets', inputs: part({ packets: null, tables: false }) };
  for (const place of ['client', 'router', 'server'] as const) {
    yield { name: `packets: ${place}`, inputs: [pcapInput(place, packets[place])] };
  }
  yield {
    name: 'packets: server, snap length 68',
    inputs: [pcapInput('short', snapped(packets.server, 68))],
  };
  yield {
    name: 'packets: client, one in ten missing',
    inputs: [pcapInput('holed', thinned(packets.client))],
  };
  yield {
    name: 'packets: client, twice by a tap',
    inputs: [pcapInput('twice', doubled(packets.client, 20_000n))],
  };
  yield {
    name: 'packets: a direction from each end',
    inputs: [
      pcapInput(
        'up',
        packetsOf(packets.client, (f) => served(f.ports?.[1])),
      ),
      pcapInput(
        'down',
        packetsOf(packets.server, (f) => served(f.ports?.[0])),
      ),
    ],
  };
  yield {
    name: 'packets: both ends',
    inputs: [pcapInput('client', packets.client), pcapInput('server', packets.server)],
  };
  yield {
    name: 'one direction: to the server',
    inputs: [
      pcapInput(
        'up',
        packetsOf(packets.server, (f) => served(f.ports?.[1])),
      ),
    ],
  };
  yield {
    name: 'one direction: to the client',
    inputs: [
      pcapInput(
        'down',
        packetsOf(packets.server, (f) => served(f.ports?.[0])),
      ),
    ],
  };
  const tables = new Map(
    [...bundle].filter(([name]) => name === 'sockets.jsonl' || name === 'manifest.json'),
  );
  yield { name: 'socket tables', inputs: bundleInput(tables) };
  const times = [...framesOf(packets.server)].filter((f) => f.ports).map((f) => f.time);
  for (let n = 1; n <= cuts; n++) {
    const cut = times[Math.floor((times.length * n) / (cuts + 1))]!;
    yield { name: 'begins in the middle', inputs: part({ begin: cut }) };
    yield { name: 'ends in the middle', inputs: part({ end: cut }) };
    yield {
      name: 'begins in the middle, packets',
      inputs: [
        pcapInput(
          'late',
          packetsOf(packets.server, (f) => f.time >= cut),
        ),
      ],
    };
    yield {
      name: 'ends in the middle, packets',
      inputs: [
        pcapInput(
          'early',
          packetsOf(packets.client, (f) => f.time < cut),
        ),
      ],
    };
  }
}
