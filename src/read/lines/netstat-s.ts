/** net-tools `netstat -s`: counters in English sentences, whole or grepped, one reading a run. */
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { Counters, counterName } from './shared/counters.ts';
import { parsePhrase } from './shared/netstat-phrases.ts';
import { TableSource } from './shared/table-source.ts';

const GROUP =
  /^(Ip|Icmp|IcmpMsg|Tcp|Udp|UdpLite|TcpExt|IpExt|MPTcpExt|Sctp|Ip6|Icmp6|IcmpMsg6|Udp6|UdpLite6|Tcp6):$/;
/** A counter that net-tools has no sentence for: its name as the kernel has it. */
const NAMED = /^\s+(\w{1,64}): (\d{1,15})$/;
/** The same without its group above it, as grep leaves it. */
const NAMED_TCP = /^\s{4,8}((?:TCP|Tcp|PAWS|PFMemalloc|BusyPoll|TW)\w{1,64}): (\d{1,15})$/;
/** Lines of other groups: a sentence, or the value of a kind of ICMP message. */
const OTHER = /^\s{2,}\S.{0,200}$/;

export const netstatS: LineFormat = {
  id: 'netstat-s',
  title: 'netstat -s (net-tools)',
  clock: 'order',
  proves:
    'How often something happened on this host between two readings; one reading is a total since boot.',
  cannotProve: 'To which connection it happened.',
  example: '    17 times the listen queue of a socket overflowed',
  command: runs('netstat', /\s(?:[^|]*\s)?(?:-\w*s\w*|--statistics)(?:[\s|]|$)/),
  recognises: (line) => GROUP.test(line) || parsePhrase(line) !== null || NAMED_TCP.test(line),
  open: (section) => new NetstatSReader(section),
};

class NetstatSReader implements LineReader {
  readonly #counters: Counters;
  readonly #groups = new Set<string>();
  #group: string | null = null;

  constructor(section: Section) {
    this.#counters = new Counters(new TableSource(section, netstatS.id));
    this.#counters.begin(section.line, false);
  }

  rerun(_command: string | null, number: number): void {
    this.#begin(number);
  }

  line(text: string, number: number): boolean {
    const group = GROUP.exec(text);
    if (group) {
      if (this.#groups.has(group[1]!)) this.#begin(number);
      this.#group = group[1]!;
      this.#groups.add(this.#group);
      return true;
    }
    if (this.#group === null || /^Tcp(?:Ext)?$/.test(this.#group)) {
      const phrase = parsePhrase(text);
      if (phrase) return this.#value(phrase.name, phrase.value, number);
    }
    const named = (this.#group === null ? NAMED_TCP : NAMED).exec(text);
    if (named) return this.#value(counterName(this.#group ?? 'TcpExt', named[1]!), Number(named[2]), number);
    return this.#group !== null && !this.#group.startsWith('Tcp') && OTHER.test(text);
  }

  #value(name: string, value: number, number: number): boolean {
    if (this.#counters.set(name, value)) return true;
    const group = this.#group;
    this.#begin(number);
    this.#group = group;
    return this.#counters.set(name, value);
  }

  #begin(number: number): void {
    this.#counters.begin(number, false);
    this.#groups.clear();
    this.#group = null;
  }

  end(): void {
    this.#counters.finish();
  }
}
