/** `conntrack -S`: what connection tracking counted, a line for each CPU. */
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { Counters } from './shared/counters.ts';
import { TableSource } from './shared/table-source.ts';

const ROW = /^cpu=(\d{1,4})\s+((?:[a-z_]{3,16}=\d{1,19}\s*){3,24})$/;

export const conntrackStats: LineFormat = {
  id: 'conntrack-stats',
  title: 'conntrack -S',
  clock: 'order',
  proves: 'How often connection tracking dropped, evicted or found invalid a packet, between two readings.',
  cannotProve: 'To which connection it happened; one reading is a total since boot.',
  example:
    'cpu=0   \tfound=0 invalid=12 insert=0 insert_failed=3 drop=3 early_drop=0 error=0 search_restart=0 clash_resolve=0 chaintoolong=0',
  command: runs('conntrack', /(?=\s)(?=[^|]*\s(?:-S|--stats))/),
  recognises: (line) => ROW.test(line),
  open: (section) => new ConntrackStatsReader(section),
};

class ConntrackStatsReader implements LineReader {
  readonly #counters: Counters;
  readonly #sums = new Map<string, number>();
  readonly #cpus = new Set<string>();
  #line: number;

  constructor(section: Section) {
    this.#counters = new Counters(new TableSource(section, conntrackStats.id));
    this.#line = section.line;
  }

  line(text: string, number: number): boolean {
    const match = ROW.exec(text);
    if (!match) return false;
    if (this.#cpus.has(match[1]!)) this.rerun(null, number);
    this.#cpus.add(match[1]!);
    for (const [, name, value] of match[2]!.matchAll(/([a-z_]+)=(\d+)/g))
      this.#sums.set(name!, (this.#sums.get(name!) ?? 0) + Number(value));
    return true;
  }

  rerun(_command: string | null, number: number): void {
    this.#counters.begin(this.#line, false);
    for (const [name, sum] of this.#sums) this.#counters.set(`conntrack_${name}`, sum);
    this.#counters.finish();
    this.#sums.clear();
    this.#cpus.clear();
    this.#line = number;
  }

  end(): void {
    this.rerun(null, 0);
  }
}
