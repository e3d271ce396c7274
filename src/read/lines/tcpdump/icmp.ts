/**
 * ICMP errors as tcpdump prints them, with -v followed by the packet they quote:
 *
 *     10:00:00.000070 IP 203.0.113.1 > 192.0.2.10: ICMP host 198.51.100.9 unreachable - admin prohibited filter, length 68
 *     10:00:00.000070 IP6 fd00::1 > fd00::2: ICMP6, destination unreachable, unreachable prohibited fd00:1::2, length 88
 */
import type { Endpoint } from '../../../model/address.ts';
import { icmpText, mtuOf, saysOf } from '../../../model/icmp.ts';
import type { Clock, SourceTime } from '../../../model/time.ts';
import type { SectionSource } from '../shared/section.ts';
import { parsePort } from '../shared/services.ts';

/** What a line says of an error. Addresses as printed. */
export interface PrintedIcmp {
  by: string;
  /** Who is told: the sender of the segment. */
  told: string;
  isV6: boolean;
  type: number;
  code: number;
  mtu: number;
  /** Where the segment went to; null where it is not printed. */
  target: string | null;
  /** As printed; null where it is not. */
  port: string | null;
}

const ERROR = /(?:^|\s)([\w.:%-]{2,80}) > ([\w.:%-]{2,80}): ICMP(6)?,? (.{1,300})$/;
const TCP_PORT = /^(\S{1,80}) tcp port (\S{1,40}) unreachable\b/;
const UNREACHABLE =
  /^(?:(net|host) )?(\S{1,80}) (?:(protocol) \S{1,20} )?unreachable(?: - ([a-z ]{1,40}\b))?/;
const MTU = /\bmtu (\d{1,9})\b/;

/** Code of what stands behind the dash; `need to frag` may have an MTU behind it. */
const BEHIND: readonly (readonly [string, number])[] = [
  ['need to frag', 4],
  ['source route failed', 5],
  ['source host isolated', 8],
  ['admin prohibited filter', 13],
  ['host precedence violation', 14],
  ['precedence cutoff', 15],
];
/** The same of a network, and of a host. */
const OF_NET_OR_HOST: Readonly<Record<string, readonly [number, number]>> = {
  unknown: [6, 7],
  'admin prohibited': [9, 10],
  'tos prohibited': [11, 12],
};
const CODES_6: Readonly<Record<string, number>> = {
  'unreachable route': 0,
  'unreachable prohibited': 1,
  'beyond scope': 2,
  'unreachable address': 3,
  'unreachable port': 4,
};

/** null for a line of anything else. */
export function parseIcmp(line: string): PrintedIcmp | null {
  const match = ERROR.exec(line);
  if (!match) return null;
  const [, by = '', told = '', six, said = ''] = match;
  const error = six ? ofIcmp6(said) : ofIcmp(said);
  return error && { by, told, isV6: six !== undefined, mtu: Number(MTU.exec(said)?.[1] ?? 0), ...error };
}

type Said = Pick<PrintedIcmp, 'type' | 'code' | 'target' | 'port'>;

function ofIcmp(said: string): Said | null {
  if (said.startsWith('time exceeded in-transit')) return { type: 11, code: 0, target: null, port: null };
  const port = TCP_PORT.exec(said);
  if (port) return { type: 3, code: 3, target: port[1]!, port: port[2]! };
  const match = UNREACHABLE.exec(said);
  if (!match) return null;
  const [, kind, target = '', protocol, behind = ''] = match;
  const code = protocol ? 2 : codeOf(kind, behind.trim());
  return code === null ? null : { type: 3, code, target, port: null };
}

function codeOf(kind: string | undefined, behind: string): number | null {
  const known = BEHIND.find(([words]) => behind.startsWith(words));
  if (known) return known[1];
  if (kind === undefined) return null;
  const [net, host] = behind === '' ? [0, 1] : (OF_NET_OR_HOST[behind] ?? [null, null]);
  return kind === 'net' ? net : host;
}

function ofIcmp6(said: string): Said | null {
  const [first, second = '', third = ''] = said.split(/, +/);
  if (first === 'packet too big') return { type: 2, code: 0, target: null, port: null };
  const expired = /^time exceeded in-transit for (\S{1,80})/.exec(said);
  if (expired) return { type: 3, code: 0, target: expired[1]!, port: null };
  if (first !== 'destination unreachable') return null;
  const words = Object.keys(CODES_6).find((w) => second.startsWith(w));
  if (words === undefined) return null;
  const port = /^(\S{1,80}) tcp port (\S{1,40})/.exec(third);
  const target = port ? port[1]! : second.slice(words.length).trim();
  return target === '' ? null : { type: 1, code: CODES_6[words]!, target, port: port?.[2] ?? null };
}

/** `about`: the segment, null where it is not known. `address`: an address as printed, in the form of the model. */
export function emitIcmp(
  section: SectionSource,
  clock: Clock,
  line: number,
  time: SourceTime,
  { isV6, type, code, mtu, by }: PrintedIcmp,
  about: PrintedEnds | null,
  address: (printed: string) => Endpoint['address'],
): void {
  if (!about) {
    section.diagnose(
      'icmp-unattached',
      'info',
      line,
      'ICMP errors without ports, about a segment that is not printed or one of several',
    );
    return;
  }
  const source = section.open(clock);
  section.event(source, {
    ...{ kind: 'icmp', source: source.id, line, time, last: time, count: 1, seq: null, size: null },
    says: saysOf(isV6, type, code),
    text: icmpText(isV6, type, code),
    by: address(by),
    from: { address: address(about.source), port: about.sourcePort },
    to: { address: address(about.destination), port: about.destinationPort },
    mtu: mtuOf({ isV6, type, code, word: mtu }),
  });
}

const QUOTED = /^\s+([\w.:%-]{1,80})\.(\d{1,5}) > ([\w.:%-]{1,80})\.(\d{1,5}): (?:Flags|tcp|\[\|tcp)/;

/** Ends of the segment that an error quotes, as -v prints it below; null for another line. */
export function parseQuoted(line: string): PrintedEnds | null {
  const match = QUOTED.exec(line);
  if (!match) return null;
  const [, source = '', sourcePort, destination = '', destinationPort] = match;
  return { source, sourcePort: Number(sourcePort), destination, destinationPort: Number(destinationPort) };
}

/** Pairs of addresses, and ports between each, whose last segments are remembered. */
const MOST = 65_536;
const MOST_PORTS = 64;
/** A router answers at once, or when nobody has answered its ARP for 3 s; ns. */
const ANSWERED_WITHIN = 4e9;

/** The last segments between two addresses: what an error is about that does not print ports. */
export class LastSegments {
  readonly #last = new Map<string, SentSegment[]>();
  readonly #others = new Map<string, number>();

  sent({ source, sourcePort, destination, destinationPort }: PrintedEnds, time: number): void {
    if (this.#last.size > MOST) this.#last.clear();
    const ends = { source, sourcePort, destination, destinationPort, time };
    for (const key of [`${source} ${destination}`, source]) {
      const known = this.#last.get(key);
      if (!known) this.#last.set(key, [ends]);
      else {
        const same = known.findIndex((k) => areSame(k, ends));
        if (same >= 0) known.splice(same, 1);
        known.push(ends);
        if (known.length > MOST_PORTS) known.shift();
      }
    }
  }

  /** A packet of another protocol: an error that names no target may be about that as well. */
  other(source: string, time: number): void {
    if (this.#others.size > MOST) this.#others.clear();
    this.#others.set(source, time);
  }

  /** Of the segment that an error is about; null when none was printed that it can be, or more than one packet. */
  about({ told, target, port, isV6, type }: PrintedIcmp, time: number): PrintedEnds | null {
    // a traceroute is under way, of UDP or ICMP and by a filter not printed, as likely as anything
    if (target === null && type === (isV6 ? 3 : 11)) return null;
    const other = target === null ? this.#others.get(told) : undefined;
    if (other !== undefined && time - other <= ANSWERED_WITHIN) return null;
    const all = this.#last.get(target === null ? told : `${told} ${target}`) ?? [];
    const can = all.filter(
      (s) => time - s.time <= ANSWERED_WITHIN && (port === null || s.destinationPort === parsePort(port)),
    );
    return can.length === 1 ? can[0]! : null;
  }
}

function areSame(a: PrintedEnds, b: PrintedEnds): boolean {
  return (
    a.sourcePort === b.sourcePort &&
    a.destinationPort === b.destinationPort &&
    a.destination === b.destination
  );
}

export interface PrintedEnds {
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
}

interface SentSegment extends PrintedEnds {
  time: number;
}
