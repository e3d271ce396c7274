/** `lsof -i`: sockets of processes, with their states and without queues. */
import type { SocketEvent } from '../../model/table-event.ts';
import { parseState } from '../../model/tcp.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { parseEndpoint } from './shared/endpoints.ts';
import { Interner } from './shared/interner.ts';
import { Snapshots } from './shared/snapshots.ts';
import { FILTER_UNKNOWN } from './shared/table-command.ts';
import { TableSource } from './shared/table-source.ts';

const HEADER =
  /^COMMAND\s+PID\s+(?:TID\s+(?:TASKCMD\s+)?)?(?:PPID\s+)?(?:PGID\s+)?USER\s+FD\s+TYPE\s+DEVICE\s+SIZE(?:\/OFF)?\s+NODE\s+NAME\s*$/;
const ROW =
  /^(\S.{0,31}?)\s+(\d{1,10})\s+\S{1,32}(?:\s+\S{1,32}){0,3}\s+\d{1,7}[a-zA-Z-]?[a-zA-Z]?\s+IPv[46]\s+\S{1,20}\s+\S{1,10}\s+(TCP|UDP)\s+(\S{1,200})(?:\s+\((\w{3,13})\))?(?:\s+\(.*\))?\s*$/;
/** Other descriptors of the same processes, where lsof ran without -i. */
const OTHER =
  /\s(?:\d{1,7}[rwu]?|cwd|rtd|txt|mem|DEL)\s+(?:REG|DIR|CHR|FIFO|unix|sock|a_inode|netlink|pack|raw6?)\s/;
const STATES = new Map([
  ['SYN_RCVD', 'SYN_RECV'],
  ['CLOSED', 'CLOSE'],
]);

export const lsof: LineFormat = {
  id: 'lsof',
  title: 'lsof -i',
  clock: 'order',
  proves: 'Which process held which connection at that moment, in which state.',
  cannotProve:
    'What waited in queues, connections that no process holds (TIME_WAIT, orphans, an accept queue), and those of other users without root.',
  example:
    'python3 11327 root    4u  IPv4 123456      0t0  TCP 192.0.2.10:8080->198.51.100.7:43752 (CLOSE_WAIT)',
  command: runs('lsof', /(?=\s)(?=[^|]*\s-\w*i)/),
  recognises: (line) => HEADER.test(line) || ROW.test(line),
  open: (section) => new LsofReader(section),
};

class LsofReader implements LineReader {
  readonly #source: TableSource;
  readonly #snapshots: Snapshots;
  readonly #interner = new Interner();
  readonly #seen = new Set<string>();

  constructor(section: Section) {
    this.#source = new TableSource(section, lsof.id);
    this.#snapshots = new Snapshots(this.#source);
  }

  rerun(_command: string | null, number: number): void {
    this.#begin(number);
  }

  unread(): void {
    this.#snapshots.spoil();
  }

  line(text: string, number: number): boolean {
    if (HEADER.test(text)) {
      if (this.#snapshots.number === 0 || this.#snapshots.rows > 0) this.#begin(number);
      return true;
    }
    const match = ROW.exec(text);
    if (!match) return this.#source.made !== null && OTHER.test(text);
    if (match[3] === 'UDP') return true;
    const [local, remote = '*:*'] = match[4]!.split('->') as [string, string?];
    const ends = [
      parseEndpoint(local, this.#interner),
      parseEndpoint(remote.replace(/^\*:\*$/, '*:0'), this.#interner),
    ];
    const state = parseState(STATES.get(match[5] ?? '') ?? match[5] ?? (remote === '*:*' ? 'LISTEN' : ''));
    if (!ends[0] || !ends[1] || !state) return false;
    this.#emit(match, { local: ends[0], remote: ends[1], state }, number);
    return true;
  }

  /** Processes that share a socket, and threads, each have a line: the first names its owner. */
  #emit(match: RegExpExecArray, row: Pick<SocketEvent, 'local' | 'remote' | 'state'>, line: number): void {
    if (this.#snapshots.number === 0) this.#begin(line);
    if (this.#seen.has(match[4]!)) return;
    this.#seen.add(match[4]!);
    this.#snapshots.row();
    this.#snapshots.tell(line, {
      ...row,
      recvQ: 0,
      sendQ: 0,
      withoutQueues: true,
      owner: 'known',
      pid: Number(match[2]),
      comm: this.#interner.keep(match[1]!),
    });
  }

  #begin(line: number): void {
    this.#seen.clear();
    // what no process holds is never shown: an absent row proves nothing
    this.#snapshots.begin(line, FILTER_UNKNOWN, false);
  }

  end(): void {
    this.#snapshots.finish();
  }
}
