/**
 * iproute2 `nstat`: counters by the kernel's names, text or JSON. Without -a the values are what was added since the
 * previous call of nstat; nothing in the output itself says which (align/counters.ts compares it with other readings).
 */
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { Counters, fromNstatName } from './shared/counters.ts';
import { Fields } from './shared/fields.ts';
import { TableSource } from './shared/table-source.ts';

const TOOL = runs('nstat|rtacct');
const HEADER = /^#(?:kernel$|\d+\.\d+ sampling_interval=)/;
const JSON_START = /^\{"kernel":\s*\{/;
const NAME =
  /^(?:Ip|Ip6|Icmp|Icmp6|IcmpMsg|Tcp|Udp|Udp6|UdpLite|UdpLite6|TcpExt|IpExt|MPTcpExt|Sctp)[A-Z0-9_]\w{0,63}$/;

export const nstat: LineFormat = {
  id: 'nstat',
  title: 'nstat (iproute2)',
  clock: 'order',
  proves:
    'How often something happened on this host between two readings, or since the previous call of nstat.',
  cannotProve: 'To which connection it happened; that a counter not shown is zero, unless -z was given.',
  example: 'TcpExtListenOverflows           17                 0.0',
  command: TOOL,
  recognises: (line) => HEADER.test(line) || JSON_START.test(line) || isCounter(recognised.blanks(line)),
  open: (section) => new NstatReader(section),
};

const recognised = new Fields();

/** NAME VALUE RATE */
function isCounter(f: Fields): boolean {
  return f.count === 3 && f.integer(1) >= 0 && /^\d+\.\d$/.test(f.text(2)) && NAME.test(f.text(0));
}

class NstatReader implements LineReader {
  readonly #source: TableSource;
  readonly #counters: Counters;
  readonly #fields = new Fields();
  /** Values are since the previous call; null when no command line shows it. */
  #delta: boolean | null = null;

  constructor(section: Section) {
    this.#source = new TableSource(section, nstat.id);
    this.#counters = new Counters(this.#source);
    this.rerun(section.command, section.line);
  }

  rerun(command: string | null, number: number): void {
    const known = command !== null && TOOL.test(command);
    this.#delta = known ? !/\s-\w*a|--ignore/.test(command) : null;
    this.#counters.begin(number, this.#delta);
  }

  line(text: string, number: number): boolean {
    if (HEADER.test(text)) {
      if (this.#counters.size > 0) this.#counters.begin(number, this.#delta);
      return true;
    }
    if (JSON_START.test(text)) return this.#json(text, number);
    const f = this.#fields.blanks(text);
    return isCounter(f) && this.#value(f.text(0), f.integer(1), number);
  }

  #value(nstatName: string, value: number, number: number): boolean {
    const name = fromNstatName(nstatName);
    if (this.#counters.set(name, value)) return true;
    this.#counters.begin(number, this.#delta);
    return this.#counters.set(name, value);
  }

  #json(text: string, number: number): boolean {
    const values = parseJson(text);
    if (!values) return false;
    if (this.#counters.size > 0) this.#counters.begin(number, this.#delta);
    for (const [name, value] of values) this.#value(name, value, number);
    return true;
  }

  end(): void {
    this.#counters.finish();
  }
}

function parseJson(text: string): [string, number][] | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // cut or joined with other text: the caller counts the line as unreadable
    return null;
  }
  const kernel = (parsed as { kernel?: unknown }).kernel;
  if (typeof kernel !== 'object' || kernel === null) return null;
  return Object.entries(kernel).filter(
    (e): e is [string, number] => Number.isSafeInteger(e[1]) && NAME.test(e[0]),
  );
}
