/** /proc/net/netstat and /proc/net/snmp: pairs of lines, the names of a group and then their values. */
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { Counters, counterName } from './shared/counters.ts';
import { TableSource } from './shared/table-source.ts';

const NAMES = /^(TcpExt|IpExt|MPTcpExt|Ip|Icmp|IcmpMsg|Tcp|Udp|UdpLite):(?: [A-Z]\w*)+\s*$/;
const VALUES = /^(TcpExt|IpExt|MPTcpExt|Ip|Icmp|IcmpMsg|Tcp|Udp|UdpLite):(?: -?\d+)+\s*$/;
/** Groups that may have no counter at all. */
const EMPTY = /^(?:IcmpMsg|UdpLite):\s*$/;

export const procNet: LineFormat = {
  id: 'proc-net',
  title: '/proc/net/netstat and /proc/net/snmp',
  clock: 'order',
  proves: 'Every TCP counter of this network namespace at that moment; zeros are shown too.',
  cannotProve: 'To which connection it happened; one reading alone is a total since boot.',
  example: 'Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens …',
  command: /\/proc\/(?:\d+\/|self\/)?net\/(?:netstat|snmp)(?=\s|$|\|)/,
  recognises: (line) => NAMES.test(line),
  open: (section) => new ProcNetReader(section),
};

class ProcNetReader implements LineReader {
  readonly #source: TableSource;
  readonly #counters: Counters;
  readonly #groups = new Set<string>();
  /** Names of the group whose values come on the next line. */
  #names: { group: string; names: string[]; line: number } | null = null;

  constructor(section: Section) {
    this.#source = new TableSource(section, procNet.id);
    this.#counters = new Counters(this.#source);
    this.#counters.begin(section.line, false);
  }

  line(text: string, number: number): boolean {
    const values = VALUES.exec(text);
    if (values) return this.#values(values[1]!, text, number);
    const names = NAMES.exec(text);
    if (!names) return EMPTY.test(text);
    this.#unpaired();
    this.#names = { group: names[1]!, names: text.trim().split(' ').slice(1), line: number };
    return true;
  }

  /** One group comes once a reading: netstat and snmp together are one, and either again is the next. */
  #values(group: string, text: string, number: number): boolean {
    const names = this.#names;
    const values = text.trim().split(' ').slice(1);
    if (names?.group !== group || names.names.length !== values.length) return false;
    this.#names = null;
    if (this.#groups.has(group)) {
      this.#groups.clear();
      this.#counters.begin(number, false);
    }
    this.#groups.add(group);
    names.names.forEach((name, i) => {
      const value = Number(values[i]);
      // MaxConn is -1 where there is no limit
      if (value >= 0) this.#counters.set(counterName(group, name), value);
    });
    return true;
  }

  #unpaired(): void {
    if (!this.#names) return;
    this.#source.diagnose(
      'counter-values-missing',
      'data-loss',
      this.#names.line,
      'names of counters without a line of values',
    );
    this.#names = null;
  }

  /** `cat /proc/net/netstat` again, or the other file: the group decides, not the prompt. */
  rerun(): void {
    this.#unpaired();
  }

  end(): void {
    this.#unpaired();
    this.#counters.finish();
  }
}
