/** net-tools `netstat -anp`, and what its other options add or leave out (-t -n -e -o -W -c, without -p). */
import type { Endpoint } from '../../model/address.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import { parseState, type TcpState } from '../../model/tcp.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { parseEndpoint } from './shared/endpoints.ts';
import { Fields } from './shared/fields.ts';
import { Interner } from './shared/interner.ts';
import { Snapshots } from './shared/snapshots.ts';
import { FILTER_UNKNOWN, tableFilter } from './shared/table-command.ts';
import { TableSource } from './shared/table-source.ts';
import { secondsToNs } from './shared/times.ts';

const TOOL = runs(
  'netstat',
  /(?=[\s|]|$)(?![^|]*\s(?:-\w*[srigM]|--(?:statistics|route|interfaces|groups)))/,
);
const TITLE = /^Active Internet connections \((?!including servers)([^)]*)\)/;
/** What macOS and the BSDs print: another table, of which this one's emptiness says nothing. */
const OF_BSD = /^Active Internet connections(?: \(including servers\))?\s*$|^Proto .*\(state\)\s*$/;
const HEADER = /^Proto\s+Recv-Q\s+Send-Q\s+Local Address\s+Foreign Address\s+State/;
const UNIX_HEADER = /^(?:Active UNIX domain sockets|Proto\s+RefCnt\s+Flags)/;
const OTHER_ROW = /^(?:udp|udp6|udplite6?|raw6?|sctp|unix|l2cap|rfcomm|x25|ax25|netrom|bluetooth)\s/;
const NOT_ROOT = /^\(Not all processes could be identified|^ will not be shown, you would have to be root/;
const OWNER = /^(\d+)\/(.*)$/;
/** Without -W an address of IPv6 or a name is cut so that address and port fill this width; busybox cuts ports as well. */
const CUT_WIDTH = 23;

const TITLE_FILTERS = new Map<string, string | null>([
  ['servers and established', null],
  ['w/o servers', 'without listening sockets'],
  ['only servers', 'listening sockets only'],
]);

export const netstat: LineFormat = {
  id: 'netstat',
  title: 'netstat -anp (net-tools)',
  clock: 'order',
  proves:
    'Which connections existed at that moment, in which state, timewait sockets included, and who owned them.',
  cannotProve:
    'What happened between two snapshots, and the limit of an accept queue: Send-Q of LISTEN is always 0.',
  example:
    'tcp       11      0 172.16.58.146:8080      172.16.58.147:43752     CLOSE_WAIT  -                   ',
  command: TOOL,
  recognises: (line) =>
    HEADER.test(line) ||
    TITLE.test(line) ||
    (line.startsWith('tcp') && parse(line, recognised, interner) !== null),
  open: (section) => new NetstatReader(section),
};

const recognised = new Fields();
const interner = new Interner();

/** A row of TCP without what only the reader knows. */
interface Row {
  state: TcpState;
  local: Endpoint;
  remote: Endpoint;
  /** Index of the first field after the state. */
  next: number;
  /** An address fills its column, so it may be cut. */
  cut: boolean;
}

function parse(line: string, f: Fields, names: Interner): Row | null {
  f.blanks(line);
  if (f.count < 6 || f.tooMany || !(f.is(0, 'tcp') || f.is(0, 'tcp6'))) return null;
  if (f.integer(1) < 0 || f.integer(2) < 0) return null;
  const state = parseState(f.text(5));
  const local = parseEndpoint(f.text(3), names);
  const remote = parseEndpoint(f.text(4), names);
  if (!state || !local || !remote) return null;
  // busybox names no tcp6, and cuts at the end: five digits of a port are all
  const isBusybox = f.is(0, 'tcp') && /:.*:/.test(f.text(3));
  const isCut = (column: string) =>
    column.length === CUT_WIDTH && !(isBusybox ? /:\d{5}$/ : /^[\d.]+:\d+$/).test(column);
  return { state, local, remote, next: 6, cut: isCut(f.text(3)) || isCut(f.text(4)) };
}

class NetstatReader implements LineReader {
  readonly #source: TableSource;
  readonly #snapshots: Snapshots;
  readonly #fields = new Fields();
  readonly #interner = new Interner();
  /** -p, -e and -W as the header or the command line shows them; null: not known. */
  #owners: boolean | null = null;
  #extended: boolean | null = null;
  #wide = false;
  /** Who took the snapshot was not root: the owners of other users' sockets are not shown. */
  #othersHidden = false;
  /** Rows seen in this snapshot: one that comes again begins the next (`-c`, or a loop without prompts). */
  readonly #seen = new Set<string>();
  /** Of rows that are not used, how many there are of each state. */
  readonly #cut = new Map<string, { count: number; line: number }>();

  constructor(section: Section) {
    this.#source = new TableSource(section, netstat.id);
    this.#snapshots = new Snapshots(this.#source);
    if (section.command !== null && TOOL.test(section.command)) this.rerun(section.command, section.line);
  }

  rerun(command: string | null, number: number): void {
    const known = command !== null && TOOL.test(command);
    this.#begin(number, known ? tableFilter(command, 'netstat') : FILTER_UNKNOWN, known);
    this.#owners = known ? /\s-\w*p|--program/.test(command) : null;
    this.#extended = known ? /\s-\w*e|--extend/.test(command) : null;
    this.#wide = known && /\s-\w*W|--wide/.test(command);
    this.#othersHidden = false;
  }

  unread(): void {
    this.#snapshots.spoil();
  }

  line(text: string, number: number): boolean {
    if (text.startsWith('tcp')) return this.#row(text, number);
    const title = TITLE.exec(text);
    if (title) return this.#title(title[1]!, number);
    if (HEADER.test(text)) return this.#header(text, number);
    if (OF_BSD.test(text)) this.#snapshots.spoil();
    if (NOT_ROOT.test(text)) {
      this.#othersHidden = true;
      return true;
    }
    return OTHER_ROW.test(text) || UNIX_HEADER.test(text);
  }

  #title(what: string, number: number): boolean {
    if (this.#snapshots.number === 0 || this.#snapshots.rows > 0) this.#begin(number, FILTER_UNKNOWN, true);
    const filter = TITLE_FILTERS.get(what);
    if (filter !== undefined) this.#snapshots.narrow(filter);
    return true;
  }

  #header(text: string, number: number): boolean {
    if (this.#snapshots.number === 0 || this.#snapshots.rows > 0) this.#begin(number, FILTER_UNKNOWN, true);
    this.#owners = text.includes('PID/Program name');
    this.#extended = text.includes('Inode');
    return true;
  }

  #begin(number: number, filter: string | null, ran: boolean): void {
    this.#count();
    this.#snapshots.begin(number, filter, ran);
    this.#seen.clear();
  }

  #row(text: string, line: number): boolean {
    const f = this.#fields;
    const row = parse(text, f, this.#interner);
    if (!row) return false;
    this.#separate(row, line);
    this.#snapshots.row();
    if (row.cut && !this.#wide) {
      this.#source.diagnose(
        'netstat-address-cut',
        'data-loss',
        line,
        'rows whose address may have been cut by netstat to fit its column and that are not used (netstat -W shows it whole)',
        text,
      );
      this.#snapshots.spoil();
      const known = this.#cut.get(row.state);
      this.#cut.set(row.state, { count: (known?.count ?? 0) + 1, line: known?.line ?? line });
      return true;
    }
    this.#emit(row, line);
    return true;
  }

  /** The states of rows that are not used count all the same. */
  #count(): void {
    for (const [state, { count, line }] of this.#cut) this.#source.tellCount(state, count, line);
    this.#cut.clear();
  }

  #separate(row: Row, line: number): void {
    if (this.#snapshots.number === 0) this.#begin(line, FILTER_UNKNOWN, false);
    if (row.state === 'LISTEN') return;
    const key = `${row.local.address} ${row.local.port} ${row.remote.address} ${row.remote.port}`;
    if (this.#seen.has(key)) this.#begin(line, FILTER_UNKNOWN, false);
    this.#seen.add(key);
  }

  #emit(row: Row, line: number): void {
    this.#snapshots.tell(line, {
      state: row.state,
      local: row.local,
      remote: row.remote,
      recvQ: this.#fields.integer(1),
      sendQ: this.#fields.integer(2),
      ...this.#tail(row),
    });
  }

  /** `[User Inode] [PID/Program name] [Timer (left/retransmits/probes)]` */
  #tail(row: Row): Pick<SocketEvent, 'owner' | 'pid' | 'comm' | 'timer'> {
    const f = this.#fields;
    let last = f.count - 1;
    const timer = last > row.next ? parseTimer(f.text(last - 1), f.text(last)) : undefined;
    if (timer !== undefined) last -= 2;
    let first = row.next;
    const owned = first <= last && (f.is(first, '-') || OWNER.test(f.text(first)));
    const extended = this.#extended ?? (!owned && last > first && f.integer(first + 1) >= 0);
    if (extended) first += 2;
    const program = f.span(first, last);
    const owner = OWNER.exec(program);
    if (owner) {
      return {
        owner: 'known',
        pid: Number(owner[1]),
        comm: this.#interner.keep(owner[2]!.trim()),
        timer: timer ?? null,
      };
    }
    const shown = this.#owners ?? program === '-';
    return {
      owner: shown && program === '-' && !this.#othersHidden ? 'none' : 'hidden',
      pid: null,
      comm: null,
      timer: timer ?? null,
    };
  }

  end(): void {
    this.#count();
    this.#snapshots.finish();
  }
}

/** `keepalive (7199.03/0/0)`; null for `off`; undefined when the fields are no timer. */
function parseTimer(name: string, values: string): SocketEvent['timer'] | undefined {
  const match = /^\((\d{1,9}\.\d\d)\/(\d{1,9})\/(\d{1,9})\)$/.exec(values);
  if (!match || !/^(?:off|on|keepalive|timewait|probe|unkn-\d+)$/.test(name)) return undefined;
  if (name === 'off') return null;
  const left = secondsToNs(match[1]!);
  if (name === 'probe') return { name: 'persist', left, retransmits: Number(match[3]) };
  return { name, left, retransmits: Number(match[2]) };
}
