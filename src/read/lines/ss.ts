/**
 * iproute2 `ss`, all layouts: with or without Netid, State, Process and their headers, -e -i -m -o on the same line
 * (-O), on a continued one or not at all, and the old users:(("sshd",1154,3)).
 */
import type { Endpoint } from '../../model/address.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import { parseState, type TcpState } from '../../model/tcp.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { parseEndpoint } from './shared/endpoints.ts';
import { Fields } from './shared/fields.ts';
import { Interner } from './shared/interner.ts';
import { Snapshots } from './shared/snapshots.ts';
import { parseDetails, parseUsers } from './shared/ss-details.ts';
import { excludesTcp, FILTER_UNKNOWN, tableFilter } from './shared/table-command.ts';
import { TableSource } from './shared/table-source.ts';

const TOOL = runs('ss', /(?=[\s|]|$)(?![^|]*\s(?:-\w*s|--summary))/);
const HEADER = /^(?:Netid\s+)?(State\s+)?Recv-Q\s+Send-Q\s+Local Address:Port\s+Peer Address:Port/;
/** Sockets that are not TCP. */
const OTHER =
  /^(?:udp|udpl|raw|icmp6?|nl|p_raw|p_dgr|u_(?:str|dgr|seq)|v_(?:str|dgr)|ti_\w+|sctp|dccp|mptcp|xdp|\?\?\?)\s/;
/** A continued line: -e -i -m without -O; or a row of a listing that was indented as a whole. */
const DETAILS = /^\s/;

export const ss: LineFormat = {
  id: 'ss',
  title: 'ss (iproute2)',
  clock: 'order',
  proves:
    "Which connections existed at that moment, in which state; a listener's queue and its limit; timers; owners.",
  cannotProve: 'What happened between two snapshots.',
  example: 'LISTEN 2      1          127.0.0.1:8080      0.0.0.0:*    users:(("python3",pid=11327,fd=3))',
  command: TOOL,
  recognises: (line) => HEADER.test(line) || isRow(line),
  open: (section) => new SsReader(section),
};

const recognised = new Fields();
const interner = new Interner();

/** A row with its state printed: what only ss writes. */
function isRow(line: string): boolean {
  const f = recognised.blanks(line);
  return f.count >= 4 && parseRow(f, interner)?.state != null;
}

const NO_PEER: Endpoint = { address: '*', port: 0 };

interface Row {
  tcp: boolean;
  /** null where the column is absent (`ss state X`). */
  state: TcpState | null;
  recvQ: number;
  sendQ: number;
  local: Endpoint;
  remote: Endpoint;
  /** Position in the line where the tail begins. */
  tail: number;
}

/** `[tcp] [STATE] RECV SEND LOCAL PEER [tail]` */
function parseRow(f: Fields, names: Interner): Row | null {
  const tcp = f.is(0, 'tcp');
  let i = tcp ? 1 : 0;
  const state = parseSsState(f.text(i));
  if (state !== null) i++;
  // a listener has no peer, and its `*:*` may be lost with the blanks at the end of a pasted line
  const alone = state === 'LISTEN' && f.count === i + 3;
  if (f.count < i + 4 && !alone) return null;
  const recvQ = f.integer(i);
  const sendQ = f.integer(i + 1);
  const local = parseEndpoint(f.text(i + 2), names);
  const remote = alone ? NO_PEER : parseEndpoint(f.text(i + 3), names);
  if (recvQ < 0 || sendQ < 0 || !local || !remote) return null;
  return { tcp, state, recvQ, sendQ, local, remote, tail: alone ? f.line.length : f.end(i + 3) };
}

/** States as ss spells them: with hyphens and in capitals, never as numbers, which are queue lengths here. */
function parseSsState(text: string): TcpState | null {
  return /^[A-Z]+(?:-[A-Z0-9]+)*$/.test(text) ? parseState(text) : null;
}

/** The one state that `ss state X` lists; null when the expression names none or several. */
function commandState(command: string | null): TcpState | null {
  const states = [...(command ?? '').matchAll(/\sstate\s+([\w-]+)/g)];
  return states.length === 1 ? parseState(states[0]![1]!) : null;
}

class SsReader implements LineReader {
  readonly #source: TableSource;
  readonly #snapshots: Snapshots;
  readonly #fields = new Fields();
  readonly #interner = new Interner();
  #state: TcpState | null = null;
  /** The command line asks for other protocols only, and then no column names them. */
  #withoutTcp = false;
  /** What -K lists it has destroyed. */
  #kills = false;
  /** Owners are shown: -p is in the command line, or a row of this snapshot had one. */
  #owners = false;
  /** Waits for its continued line. */
  #row: SocketEvent | null = null;
  /** The rows of another protocol have continued lines of their own. */
  #other = false;

  constructor(section: Section) {
    this.#source = new TableSource(section, ss.id);
    this.#snapshots = new Snapshots(this.#source);
    if (section.command !== null && TOOL.test(section.command)) this.rerun(section.command, section.line);
  }

  rerun(command: string | null, number: number): void {
    const known = command !== null && TOOL.test(command);
    this.#begin(number, known ? tableFilter(command, 'ss') : FILTER_UNKNOWN, known);
    this.#owners = known && /\s-\w*p|--processes/.test(command);
    this.#state = known ? commandState(command) : null;
    this.#withoutTcp = known && excludesTcp(command);
    this.#kills = known && /\s(?:-\w*K\w*|--kill)(?=\s|$)/.test(command);
  }

  unread(): void {
    this.#snapshots.spoil();
  }

  line(text: string, number: number): boolean {
    if (DETAILS.test(text) && (this.#row || this.#other) && !isRow(text)) {
      if (this.#row) Object.assign(this.#row, parseDetails(text, this.#row.timer));
      return true;
    }
    if (HEADER.test(text)) {
      if (this.#snapshots.number === 0 || this.#snapshots.rows > 0) this.#begin(number, FILTER_UNKNOWN, true);
      return true;
    }
    this.#other = OTHER.test(text);
    if (this.#other) {
      this.#emit();
      return true;
    }
    return this.#tcp(text, number);
  }

  #begin(number: number, filter: string | null, ran: boolean): void {
    this.#emit();
    this.#snapshots.begin(number, filter, ran);
    this.#other = false;
  }

  #tcp(text: string, line: number): boolean {
    const f = this.#fields.blanks(text);
    const row = f.count >= 4 ? parseRow(f, this.#interner) : null;
    const state = row?.state ?? this.#state;
    if (!row) return false;
    this.#emit();
    if (this.#kills) return this.#destroyed(line);
    if (state === null) return this.#stateless(text, line);
    // unconnected sockets without a Netid column are UDP: TCP ones are not listed
    if (this.#withoutTcp || (state === 'CLOSE' && !row.tcp)) return true;
    if (this.#snapshots.number === 0) this.#begin(line, FILTER_UNKNOWN, false);
    this.#snapshots.row();
    const tail = text.slice(row.tail);
    const user = parseUsers(tail);
    this.#owners ||= user !== null;
    const listens = state === 'LISTEN';
    this.#row = this.#snapshots.socket(line, {
      state,
      local: row.local,
      remote: row.remote,
      recvQ: row.recvQ,
      sendQ: row.sendQ,
      // without inet_diag ss reads /proc/net/tcp, as netstat does, and its 0 is no limit
      acceptLimit: (listens && row.sendQ) || null,
      owner: user ? 'known' : this.#owners ? 'none' : 'hidden',
      pid: user?.pid ?? null,
      comm: user ? this.#interner.keep(user.comm) : null,
      ...parseDetails(tail, null),
    });
    return true;
  }

  #destroyed(line: number): boolean {
    this.#source.open();
    this.#snapshots.spoil();
    const message = 'sockets that `ss -K` destroyed: it lists them as they were, so they are in no state now';
    this.#source.diagnose('ss-destroyed', 'info', line, message);
    return true;
  }

  /** `ss state X` prints no State column: without its command line the rows cannot be told. */
  #stateless(text: string, line: number): boolean {
    this.#source.open();
    this.#snapshots.spoil();
    this.#source.diagnose(
      'ss-state-hidden',
      'data-loss',
      line,
      'rows of ss without a State column and without the command line that would say which state was asked for; the first',
      text,
    );
    return true;
  }

  #emit(): void {
    if (this.#row) this.#source.event(this.#source.open(), this.#row);
    this.#row = null;
  }

  end(): void {
    this.#emit();
    this.#snapshots.finish();
  }
}
