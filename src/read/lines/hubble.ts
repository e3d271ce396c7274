/** Flows of Cilium as `hubble observe` and `cilium monitor` print them: who spoke to whom, and the verdict of the policy on it. */

import type { Endpoint } from '../../model/address.ts';
import { formatEndpoint, formatWords } from '../../model/address.ts';
import { hostNameWords } from '../../model/hostnames.ts';
import { parseFlagNames } from '../../model/tcp.ts';
import { type Clock, NS_PER_MS, type SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { Interner } from './shared/interner.ts';
import { clockOf, NO_CLOCK, SectionSource } from './shared/section.ts';
import { dateNs, timeOfDay, WallClock } from './shared/times.ts';

const FLOW =
  /^(?:(?:[A-Z][a-z]{2} [ \d]\d )?(?<time>\d\d:\d\d:\d\d\.\d{3})|(?<date>\d{4}-\d\d-\d\d)T(?<utc>\d\d:\d\d:\d\d\.\d{3,9})Z)(?: \[[^\]]{1,64}\])?: (\S{1,300}):(\d{1,5}) (?:\([\w:./-]{1,128}\) )?(->|<-|<>) (\S{1,300}):(\d{1,5}) (?:\([\w:./-]{1,128}\) )?(.{1,120}?) (FORWARDED|DROPPED|DENIED|ALLOWED|AUDIT|TRANSLATED|TRACED|REDIRECTED|ERROR) \((.*)\)\s*$/;
const TCP = /^TCP Flags: ([A-Z, ]{3,64})$/;
/** A line of `cilium monitor`: a drop, a verdict, or a packet on its way. It has no time. */
const MONITOR =
  /^(?:xx drop \((?<dropped>.{1,120}?)\)|Policy verdict log:|(?:->|<-|<>|>>) [^:]{1,80}?) flow 0x[\da-f]{1,8}\b/;
const SEGMENT =
  /[:,] (?<from>\S{1,300}):(?<port>\d{1,5}) -> (?<to>\S{1,300}):(?<peer>\d{1,5}) tcp (?<flags>[A-Z]{3}(?:, [A-Z]{3}){0,7})\s*$/;

export const hubble: LineFormat = {
  id: 'hubble',
  title: 'flows of Cilium (hubble observe, cilium monitor)',
  clock: 'wall',
  proves: "What Cilium's datapath made of this packet, and why it dropped it.",
  cannotProve: 'What happened outside its nodes, and flows that its ring buffer lost.',
  example:
    'Oct  9 02:07:32.078: ns/web:43806 (ID:1739) <> 198.51.100.33:8080 (ID:16777218) Policy denied DROPPED (TCP Flags: SYN)',
  command: runs(
    'hubble|cilium(?:-dbg)?',
    /(?=\s+(?:observe|monitor)\b)(?![^|]*\s(?:-o\s?(?:json|jsonpb|dict|tab)|-j|--json))/,
  ),
  recognises: (line) => (line.includes(' (') && FLOW.test(line)) || MONITOR.test(line),
  open: (section) => new HubbleReader(section),
};

interface Flow {
  from: Endpoint;
  to: Endpoint;
  flags: number;
  /** Why it was dropped; null where it was not. */
  dropped: string | null;
  said: string;
  time: SourceTime | null;
}

class HubbleReader implements LineReader {
  readonly #source: SectionSource;
  readonly #interner = new Interner();
  readonly #clock = new WallClock();
  /** The packet of the line before, where a policy denied it. */
  #denied = '';

  constructor(section: Section) {
    this.#source = new SectionSource(section, hubble.id);
  }

  line(text: string, number: number): boolean {
    const match = FLOW.exec(text);
    if (!match) return this.#monitored(text, number);
    const [left, leftPort, arrow, right, rightPort, what, verdict, rest] = match.slice(4);
    const { time: stamp, date, utc } = match.groups!;
    const midnight = date === undefined ? null : dateNs(date);
    const source = this.#source.open(
      midnight === null ? clockOf('wall', NS_PER_MS) : clockOf('realtime', NS_PER_MS, midnight),
    );
    const time = this.#time(source.clock, stamp ?? utc!, midnight);
    const tcp = TCP.exec(rest!);
    if (!tcp) return this.#notTcp(number);
    const ends = [this.#endpoint(left!, leftPort!), this.#endpoint(right!, rightPort!)] as const;
    const [from, to] = arrow === '<-' ? [ends[1], ends[0]] : ends;
    const flags = parseFlagNames(tcp[1]!);
    const isDropped = this.#isDropped(
      verdict!,
      `${formatEndpoint(from)} ${formatEndpoint(to)} ${flags} ${time}`,
    );
    this.#emit(
      { from, to, flags, dropped: isDropped ? what! : null, said: `${what} ${verdict}`, time },
      number,
    );
    return true;
  }

  /** The policy says DENIED, then the datapath DROPPED, of one packet. */
  #isDropped(verdict: string, packet: string): boolean {
    const isTold = verdict === 'DROPPED' && this.#denied === packet;
    this.#denied = verdict === 'DENIED' ? packet : '';
    return verdict === 'DENIED' || (verdict === 'DROPPED' && !isTold);
  }

  #monitored(text: string, number: number): boolean {
    const line = MONITOR.exec(text);
    if (!line) return false;
    this.#source.open(NO_CLOCK);
    const segment = SEGMENT.exec(text)?.groups;
    const flags = segment ? parseFlagNames(segment.flags!) : 0;
    if (!segment || flags === 0) return this.#notTcp(number);
    const [from, to] = [
      this.#endpoint(segment.from!, segment.port!),
      this.#endpoint(segment.to!, segment.peer!),
    ];
    const dropped = line.groups!.dropped ?? null;
    const said = dropped === null ? line[0].replace(/ flow 0x.*$/, '') : `${dropped}: drop`;
    this.#emit({ from, to, flags, dropped, said, time: null }, number);
    return true;
  }

  #notTcp(number: number): boolean {
    this.#source.diagnose('not-tcp', 'info', number, 'flows of other protocols, or without flags, not read');
    return true;
  }

  #emit({ from, to, flags, dropped, said: words, time }: Flow, line: number): void {
    const source = this.#source.made!;
    const said = this.#interner.keep(words);
    const where = { source: source.id, line, time, pid: null, said };
    if (dropped !== null) {
      const name = /polic/i.test(dropped) ? 'POLICY_DENIED' : this.#interner.keep(dropped);
      const reason = { code: null, name };
      const packet = { from, to, state: null, flags, reason, stack: [] };
      this.#source.event(source, { ...where, ...packet, kind: 'drop', place: 'unknown' });
    } else {
      const packet = { from, to, flags, seq: 0, ack: 0, payload: 0 };
      const who = { socket: null, comm: null, local: from, remote: to, values: {}, pointers: {} };
      this.#source.event(source, { ...where, ...who, kind: 'probe', name: 'hubble-flow', packet });
    }
  }

  /** Null where the source's clock is of the other kind. */
  #time({ kind, base }: Clock, stamp: string, midnight: bigint | null): SourceTime | null {
    if ((kind === 'realtime') !== (midnight !== null)) return null;
    if (midnight === null) return this.#clock.read(stamp);
    return (Number(midnight - base) + timeOfDay(stamp)) as SourceTime;
  }

  /** An address, or the name of a pod, which then stands for it. */
  #endpoint(name: string, port: string): Endpoint {
    const isAddress = /^(?:[\d.]{7,15}|\[?[\da-fA-F:.]{2,45}\]?)$/.test(name);
    const address = isAddress ? this.#interner.address(name) : formatWords(...hostNameWords(name));
    return { address, port: Number(port) };
  }

  end(): void {}
}
