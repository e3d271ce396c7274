/**
 * `tshark -T fields`: the columns are named by `-E header=y`; without a heading rows are read whose columns are plain: a
 * time, two addresses, their ports, and flags in hexadecimal. Without tcp.seq, tcp.ack and tcp.len a row says that a
 * segment came by, no more; of a SYN the first of these is enough.
 */
import { type Endpoint, parseWords } from '../../model/address.ts';
import { OPT_MSS, OPT_TIMESTAMP, OPT_WSCALE, Packet } from '../../model/packet.ts';
import { ACK, CWR, ECE, FIN, flagNames, PSH, RST, SYN, URG } from '../../model/tcp.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { Interner } from './shared/interner.ts';
import { NO_CLOCK, SectionSource } from './shared/section.ts';
import { ListClock } from './wireshark-list/clock.ts';
import { Conversations } from './wireshark-list/conversations.ts';

/** By the first of these names that the heading has; of a tunnel a field holds several values, of which the last is innermost. */
const COLUMNS = {
  time: ['frame.time_epoch', 'frame.time_relative', '_ws.col.Time', '_ws.col.time', 'frame.time'],
  source: ['ip.src', 'ipv6.src', '_ws.col.Source', '_ws.col.def_src'],
  destination: ['ip.dst', 'ipv6.dst', '_ws.col.Destination', '_ws.col.def_dst'],
  sourcePort: ['tcp.srcport'],
  destinationPort: ['tcp.dstport'],
  flags: ['tcp.flags'],
  letters: ['tcp.flags.str'],
  seq: ['tcp.seq_raw', 'tcp.seq'],
  ack: ['tcp.ack_raw', 'tcp.ack'],
  length: ['tcp.len'],
  window: ['tcp.window_size_value', 'tcp.window_size'],
  ttl: ['ip.ttl', 'ipv6.hlim'],
  id: ['ip.id'],
  mss: ['tcp.options.mss_val'],
  scale: ['tcp.options.wscale.shift'],
  tsVal: ['tcp.options.timestamp.tsval'],
  tsEcr: ['tcp.options.timestamp.tsecr'],
} as const;
type Column = keyof typeof COLUMNS;
const IPV6 = { source: 'ipv6.src', destination: 'ipv6.dst' };
const HEADING = /^"?(?:frame|ip|ipv6|tcp|eth|_ws)\.[\w.]+"?(?:[\t,;|]"?[a-z_][\w.]*"?)+\s*$/;
const SINGLE: Readonly<Record<string, number>> = {
  'tcp.flags.fin': FIN,
  'tcp.flags.syn': SYN,
  'tcp.flags.reset': RST,
  'tcp.flags.push': PSH,
  'tcp.flags.ack': ACK,
};
const LETTERS: Readonly<Record<string, number>> = {
  C: CWR,
  E: ECE,
  U: URG,
  A: ACK,
  P: PSH,
  R: RST,
  S: SYN,
  F: FIN,
};
const ADDRESS = String.raw`(\d{1,3}(?:\.\d{1,3}){3}|(?=[\da-fA-F]{0,4}:)[\da-fA-F:]{2,39})`;
const TIME = String.raw`(\d{1,10}\.\d{3,9})`;
const NUMBER = String.raw`(?:\d{1,9}[\t,;|])?`;
/** [number] time, address, address, port, port, flags; or each address with its port. */
const PLAIN = [
  new RegExp(
    `^${NUMBER}${TIME}[\\t,;|]${ADDRESS}[\\t,;|]${ADDRESS}[\\t,;|](\\d{1,5})[\\t,;|](\\d{1,5})[\\t,;|]0x0*([\\da-f]{1,3})(?:[\\t,;|].*)?$`,
  ),
  new RegExp(
    `^${NUMBER}${TIME}[\\t,;|]${ADDRESS}[\\t,;|](\\d{1,5})[\\t,;|]${ADDRESS}[\\t,;|](\\d{1,5})[\\t,;|]0x0*([\\da-f]{1,3})(?:[\\t,;|].*)?$`,
  ),
] as const;

export const tsharkFields: LineFormat = {
  id: 'tshark-fields',
  title: 'tshark -T fields (with -E header=y, or plain columns)',
  clock: 'relative',
  proves:
    'Which segments passed the point of the capture; with tcp.seq, tcp.ack and tcp.len also their numbers.',
  cannotProve:
    'What the columns leave out: without tcp.seq and tcp.ack nothing tells a retransmission from new data; and what the kernel did.',
  example: '1\t0.000000\t198.51.100.7\t192.0.2.10\t44013\t8080\t0x0002',
  command: runs('tshark', /(?=[^|]*\s-T\s?fields)/),
  recognises: (line) => (HEADING.test(line) && line.includes('tcp.')) || PLAIN.some((p) => p.test(line)),
  open: (section) => new TsharkFieldsReader(section),
};

/** A row: texts by column, flags. */
interface Row {
  get(column: Column): string;
  flags: number;
}

class TsharkFieldsReader implements LineReader {
  readonly #source: SectionSource;
  readonly #sink: Section['context']['sink'];
  readonly #interner = new Interner();
  readonly #clock: ListClock;
  readonly #conversations = new Conversations();
  readonly #packet = new Packet();
  #names: readonly string[] = [];
  #separator = '\t';

  constructor(section: Section) {
    this.#source = new SectionSource(section, tsharkFields.id);
    this.#sink = section.context.sink;
    this.#clock = new ListClock(section.command);
    const asked = [...(section.command ?? '').matchAll(/\s-e\s?([\w.]+)/g)].map((m) => m[1]!);
    if (asked.length > 1) this.#names = asked;
  }

  line(text: string, number: number): boolean {
    if (HEADING.test(text)) {
      this.#separator = /[\t,;|]/.exec(text)![0];
      this.#names = text
        .trim()
        .split(this.#separator)
        .map((name) => name.replaceAll('"', ''));
      return true;
    }
    const row = this.#named(text) ?? plain(text);
    if (!row) return false;
    const ends = [this.#end(row, 'source'), this.#end(row, 'destination')];
    const [from, to] = ends;
    // of other protocols the columns are empty
    if (!from || !to) return row.get('sourcePort') === '';
    this.#emit(row, from, to, number);
    return true;
  }

  #named(text: string): Row | null {
    const values = text.split(this.#separator).map((value) => value.replaceAll('"', ''));
    if (this.#names.length === 0 || values.length !== this.#names.length) return null;
    const byName = new Map(this.#names.map((name, i) => [name, values[i]!]));
    const get = (column: Column) => {
      const name = COLUMNS[column].find((n) => byName.has(n));
      const inner = column === 'source' || column === 'destination' ? byName.get(IPV6[column]) : '';
      const value = (name && byName.get(name)) || inner || '';
      return value.slice(value.lastIndexOf(',') + 1).trim();
    };
    const hex = get('flags');
    const single = Object.entries(SINGLE).reduce(
      (sum, [name, bit]) => (/^(?:1|True)$/.test(byName.get(name) ?? '') ? sum | bit : sum),
      0,
    );
    const letters = [...get('letters')].reduce((sum, letter) => sum | (LETTERS[letter] ?? 0), 0);
    return { get, flags: hex === '' ? single | letters : Number(hex) & 0xff };
  }

  #end(row: Row, side: 'source' | 'destination'): Endpoint | null {
    const [address, port] = [row.get(side), row.get(side === 'source' ? 'sourcePort' : 'destinationPort')];
    if (!parseWords(address) || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) return null;
    return { address: this.#interner.address(address), port: Number(port) };
  }

  #emit(row: Row, from: Endpoint, to: Endpoint, line: number): void {
    const time = /\d\d:\d\d:\d\d(?:\.\d{1,9})?|\d{1,10}(?:\.\d{1,9})?/.exec(row.get('time'))?.[0];
    const at = time === undefined ? null : this.#clock.read(time);
    const source = this.#source.open(this.#clock.clock ?? NO_CLOCK);
    source.windowless = !COLUMNS.window.some((name) => this.#names.includes(name));
    if (at === null || !isNumbered(row, source.windowless)) {
      const packet = { from, to, flags: row.flags, seq: 0, ack: 0, payload: 0 };
      const who = { source: source.id, line, time: at, socket: null, pid: null, comm: null };
      const more = { values: {}, pointers: {}, said: `${flagNames(row.flags)} came by` };
      this.#source.event(source, {
        ...who,
        ...more,
        kind: 'probe',
        name: 'segment',
        local: from,
        remote: to,
        packet,
      });
      return;
    }
    const number = (column: Column) => Number(row.get(column)) || 0;
    const option = (column: Column, bit: number) => (row.get(column) === '' ? 0 : bit);
    const p = this.#packet;
    p.frame = line;
    p.time = at;
    [p.src0, p.src1, p.src2, p.src3] = parseWords(from.address)!;
    [p.dst0, p.dst1, p.dst2, p.dst3] = parseWords(to.address)!;
    p.srcPort = from.port;
    p.dstPort = to.port;
    p.flags = row.flags;
    p.payload = number('length');
    p.ttl = number('ttl');
    p.ipId = number('id');
    p.mss = number('mss');
    p.windowScale = number('scale');
    p.tsVal = number('tsVal') | 0;
    p.tsEcr = number('tsEcr') | 0;
    p.options = option('mss', OPT_MSS) | option('scale', OPT_WSCALE) | option('tsVal', OPT_TIMESTAMP);
    const info = {
      ...{ sourcePort: from.port, destinationPort: to.port, flags: row.flags, payload: p.payload },
      ...{ seq: number('seq'), ack: row.flags & ACK ? number('ack') : null, window: number('window') },
      ...{ options: p.options, order: 0, mss: p.mss, scale: p.windowScale, tsVal: p.tsVal, tsEcr: p.tsEcr },
      reused: false,
    };
    Object.assign(p, this.#conversations.resolve(from.address, to.address, info));
    // a value that Wireshark has not scaled
    if (this.#names.includes('tcp.window_size_value')) p.window = info.window;
    if (source.windowless) p.window = 0xffff;
    source.records++;
    this.#sink.packet(source, p);
  }

  end(): void {}
}

/** What it acknowledges, and a window that the list has, is not 0 where a row does not say it; a SYN acknowledges nothing and has no data. */
function isNumbered({ get, flags }: Row, windowless: boolean): boolean {
  const isFirst = (flags & (SYN | ACK | RST | FIN)) === SYN;
  const others: readonly Column[] = [
    'length',
    ...(windowless ? [] : (['window'] as const)),
    ...(flags & ACK ? (['ack'] as const) : []),
  ];
  return get('seq') !== '' && (isFirst || others.every((column) => get(column) !== ''));
}

function plain(text: string): Row | null {
  const match = PLAIN[0].exec(text);
  const [, time, a, b, c, d, flags] = match ?? PLAIN[1].exec(text) ?? [];
  if (flags === undefined) return null;
  const [source, destination, sourcePort, destinationPort] = match ? [a, b, c, d] : [a, c, b, d];
  const values: Partial<Record<Column, string | undefined>> = {
    time,
    source,
    destination,
    sourcePort,
    destinationPort,
  };
  return { get: (column) => values[column] ?? '', flags: Number.parseInt(flags, 16) & 0xff };
}
