/** `dropwatch -l kas`: where in the kernel packets were dropped, and how many. */
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { Interner } from './shared/interner.ts';
import { NO_CLOCK, SectionSource } from './shared/section.ts';

const ROW =
  /^(\d{1,9}) drops at (?:location )?(?:([\w.]{1,80})(?:\+(?:0x)?[\da-f]{1,8})?(?: \((?:0x)?[\da-f]{4,16}\))?|(0x[\da-f]{4,16}))(?: \[(?:soft|hard)ware\])?\s*$/;
const OTHER =
  /^(?:dropwatch> ?|Enabling monitoring\.\.\.|Disabling monitoring|Kernel monitoring (?:de)?activated\.?|Issue Ctrl-C to stop monitoring|Waiting for (?:de)?activation ack\.{3}|Got a (?:start|stop) message|Initializing (?:kallsyms|null) .*|Shutting down ?\.*)\s*(?:start|stop|exit)?$/;

export const dropwatch: LineFormat = {
  id: 'dropwatch',
  title: 'dropwatch -l kas',
  clock: 'order',
  proves: 'That the kernel dropped so many packets at that place.',
  cannotProve:
    'Of which connections, whether they were TCP, when, and why; SYNs that a listener drops are not shown.',
  example: '3 drops at tcp_v4_rcv+9a (0xffffffffa1c3f0da) [software]',
  command: runs('dropwatch'),
  recognises: (line) => ROW.test(line),
  open: (section) => new DropwatchReader(section),
};

class DropwatchReader implements LineReader {
  readonly #source: SectionSource;
  readonly #interner = new Interner();

  constructor(section: Section) {
    this.#source = new SectionSource(section, dropwatch.id);
  }

  line(text: string, number: number): boolean {
    const match = ROW.exec(text);
    if (!match) return OTHER.test(text);
    const source = this.#source.open(NO_CLOCK);
    this.#source.event(source, {
      kind: 'drop-count',
      source: source.id,
      line: number,
      time: null,
      where: this.#interner.keep(match[2] ?? match[3]!),
      reason: null,
      count: Number(match[1]),
    });
    return true;
  }

  end(): void {}
}
