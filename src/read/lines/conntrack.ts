/** Entries of connection tracking: `conntrack -L`, `conntrack -E`, /proc/net/nf_conntrack. Both tuples show what was translated. */
import type { Endpoint } from '../../model/address.ts';
import { formatEndpoint, sameEndpoint } from '../../model/address.ts';
import { NS_PER_US, type SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { Interner } from './shared/interner.ts';
import { clockOf, NO_CLOCK } from './shared/section.ts';
import { TableSource } from './shared/table-source.ts';
import { decimalToNs } from './shared/times.ts';

const NS_PER_S = 1_000_000_000;
const TUPLE = String.raw`src=([\da-fA-F.:]{2,45}) dst=([\da-fA-F.:]{2,45}) sport=(\d{1,5}) dport=(\d{1,5})`;
/** `[TIME] [EVENT] [ipv4 2] tcp 6 [SECONDS] [STATE] ORIGINAL [UNREPLIED] REPLY [ASSURED] …`; DESTROY may print neither. */
const ENTRY = new RegExp(
  String.raw`^\s*(?:\[(\d{9,11}\.\d{6})\]\s*)?(?:\[(NEW|UPDATE|DESTROY)\] )?\s*(?:ipv[46]\s+\d+ )?tcp\s+6 (?:(\d{1,9}) )?(?:([A-Z][A-Z_0-9]{3,11}) )?${TUPLE}(?: packets=\d+ bytes=\d+)? (\[UNREPLIED\] )?${TUPLE}(.*)$`,
);
const OTHER =
  /^\s*(?:\[\d+\.\d+\]\s*)?(?:\[\w+\] )?\s*(?:ipv[46]\s+\d+ )?(?:udp|icmp|icmpv6|sctp|dccp|gre|unknown)\s+\d+ .*src=/;
const SUMMARY = /^conntrack v[\d.]+ \(conntrack-tools\): \d+ flow (?:entries|events) have been shown/;

export const conntrack: LineFormat = {
  id: 'conntrack',
  title: 'conntrack -L and -E, /proc/net/nf_conntrack',
  clock: 'realtime',
  proves:
    'Which connections this host tracked, who opened them, to what addresses they were translated, and whether an answer came by.',
  cannotProve:
    'What the ends did: the state is what the tracker made of the packets it saw, and an entry may be of an earlier connection.',
  example:
    '[1689276902.373562]\t [UPDATE] tcp      6 10 CLOSE src=192.0.2.10 dst=198.51.100.9 sport=47904 dport=443 src=198.51.100.9 dst=203.0.113.5 sport=443 dport=47904 [ASSURED]',
  command: runs('conntrack', /(?=\s)(?=[^|]*\s(?:-[LE]|--dump|--event))/),
  recognises: (line) => line.includes(' src=') && ENTRY.test(line),
  open: (section) => new ConntrackReader(section),
};

class ConntrackReader implements LineReader {
  readonly #source: TableSource;
  readonly #interner = new Interner();
  /** Whole seconds of the first time, ns; null before it. */
  #base: bigint | null = null;

  constructor(section: Section) {
    this.#source = new TableSource(section, conntrack.id);
  }

  line(text: string, number: number): boolean {
    const match = ENTRY.exec(text);
    if (!match) return SUMMARY.test(text) || (OTHER.test(text) && this.#other(number));
    const [, stamp, event, seconds, state] = match;
    const tuple = (at: number): [Endpoint, Endpoint] => [
      { address: this.#interner.address(match[at]!), port: Number(match[at + 2]) },
      { address: this.#interner.address(match[at + 1]!), port: Number(match[at + 3]) },
    ];
    const [client, server] = tuple(5);
    const [answering, answered] = tuple(10);
    const stamped = stamp === undefined ? null : this.#time(stamp);
    const source = this.#open(event !== undefined);
    // an entry of the table is of the moment it was listed, an event of any
    const time = event === undefined ? (stamped ?? this.#source.time) : stamped;
    this.#source.event(source, {
      kind: 'probe',
      source: source.id,
      line: number,
      time,
      name: 'conntrack',
      socket: null,
      pid: null,
      comm: null,
      local: client,
      remote: server,
      packet: null,
      values: { ...(match[9] && { unreplied: 1 }), ...(event === 'DESTROY' && { ended: 1 }) },
      pointers: {},
      said: [
        `conntrack ${event ? `${event}: ` : ''}${this.#interner.keep(state ?? 'entry')}`,
        ...(seconds === undefined ? [] : [`${seconds} s left`]),
        ...(match[9] ? ['no answer seen'] : []),
        ...(sameEndpoint(client, answered) ? [] : [`client translated to ${formatEndpoint(answered)}`]),
        ...(sameEndpoint(server, answering) ? [] : [`server translated to ${formatEndpoint(answering)}`]),
      ].join(', '),
    });
    return true;
  }

  #time(stamp: string): SourceTime {
    const [whole, fraction] = stamp.split('.') as [string, string];
    const at = BigInt(whole) * BigInt(NS_PER_S);
    this.#base ??= at;
    return (Number(at - this.#base) + decimalToNs(`0.${fraction}`, NS_PER_S)) as SourceTime;
  }

  #open(isLog: boolean) {
    if (this.#base !== null) return this.#source.open(clockOf('realtime', NS_PER_US, this.#base));
    return isLog ? this.#source.open(NO_CLOCK) : this.#source.open();
  }

  #other(number: number): boolean {
    this.#open(false);
    this.#source.diagnose('not-tcp', 'info', number, 'entries of other protocols, not read');
    return true;
  }

  end(): void {}
}
