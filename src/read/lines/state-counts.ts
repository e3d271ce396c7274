/** Sockets counted by state: `ss -s`, and `netstat … | sort | uniq -c` or `| awk '{n[$NF]++} …'`. */
import { parseState } from '../../model/tcp.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { TableSource } from './shared/table-source.ts';

const SUMMARY =
  /^TCP:\s+\d{1,9} \(estab (\d{1,9}), closed (\d{1,9}), orphaned (\d{1,9}),(?: synrecv (\d{1,9}),)? timewait (\d{1,9})(?:\/\d+)?\)(?:, ports \d+)?\s*$/;
/** /proc/net/sockstat */
const SOCKSTAT = /^TCP: inuse \d{1,9} orphan (\d{1,9}) tw (\d{1,9}) alloc \d{1,9} mem \d{1,9}\s*$/;
const OTHER =
  /^Total: \d+|^sockets: used \d+|^(?:UDP|UDPLITE|RAW|FRAG): inuse \d|^TCP6: inuse \d|^Transport\s+Total\s+(?:ISDN\s+)?IP|^(?:RAW|UDP|TCP|INET|FRAG|\*)\s+[\d-]+\s+[\d-]+\s+[\d-]+\s*$|^\s*\d{1,9} (?:State|Foreign|Address|established\)|servers\))?\s*$/;
/** As uniq counts them, and as awk prints what it counted; some add a remark. */
const COUNT =
  /^\s*(?:(?<n>\d{1,9}) (?<state>[A-Z][A-Z0-9_-]{3,13})|(?<name>[A-Z][A-Z0-9_-]{3,13}):?\s{1,20}(?<count>\d{1,9}))\s*(?:#.*)?$/;
/** States with a name of their own, so that a list of words with counts is not taken for one of sockets. */
const STATE =
  /^(?:ESTAB(?:LISHED)?|SYN[-_](?:SENT|RECV)|FIN[-_]WAIT[-_]?[12]|TIME[-_]WAIT|CLOSE[-_]WAIT|LAST[-_]ACK|LISTEN|CLOSING|UNCONN)$/;

export const stateCounts: LineFormat = {
  id: 'state-counts',
  title: 'sockets counted by state (ss -s, /proc/net/sockstat, sort | uniq -c, awk)',
  clock: 'order',
  proves: 'How many sockets were in each state at that moment.',
  cannotProve: 'Of which connections, processes and ports, and since when.',
  example: 'TCP:   25401 (estab 1202, closed 23980, orphaned 12, timewait 23979)',
  command: new RegExp(
    `${runs('ss', /(?=\s)(?=[^|]*\s(?:-\w*s|--summary))/).source}|\\b(?:ss|netstat)\\b[^\\n]*\\|\\s*uniq\\s+-\\w*c`,
  ),
  recognises: (line) => SUMMARY.test(line) || SOCKSTAT.test(line) || countOf(line) !== null,
  open: (section) => new StateCountsReader(section),
};

function countOf(line: string): { state: string; count: number } | null {
  const { n, state, name, count } = COUNT.exec(line)?.groups ?? {};
  const text = state ?? name ?? '';
  const known = STATE.test(text) ? parseState(text) : null;
  return known && { state: known, count: Number(n ?? count) };
}

class StateCountsReader implements LineReader {
  readonly #source: TableSource;

  constructor(section: Section) {
    this.#source = new TableSource(section, stateCounts.id);
  }

  line(text: string, number: number): boolean {
    const summary = SUMMARY.exec(text);
    if (summary) {
      ['ESTABLISHED', 'CLOSE', 'orphaned', 'SYN_RECV', 'TIME_WAIT'].forEach((state, i) => {
        // `closed` counts what is in TIME_WAIT as well; newer versions do not count SYN_RECV
        const n = summary[i + 1];
        if (state !== 'CLOSE' && n !== undefined) this.#source.tellCount(state, Number(n), number);
      });
      return true;
    }
    const sockstat = SOCKSTAT.exec(text);
    if (sockstat) {
      this.#source.tellCount('orphaned', Number(sockstat[1]), number);
      this.#source.tellCount('TIME_WAIT', Number(sockstat[2]), number);
      return true;
    }
    const count = countOf(text);
    if (count) this.#source.tellCount(count.state, count.count, number);
    return count !== null || OTHER.test(text);
  }

  end(): void {}
}
