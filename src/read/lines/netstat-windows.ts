/** `netstat -ano` of Windows, also -b (the program on the next line), without queues. */
import type { Endpoint } from '../../model/address.ts';
import type { SocketEvent } from '../../model/event.ts';
import { parseState, type TcpState } from '../../model/tcp.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { parseEndpoint } from './shared/endpoints.ts';
import { Fields } from './shared/fields.ts';
import { Interner } from './shared/interner.ts';
import { Snapshots } from './shared/snapshots.ts';
import { FILTER_UNKNOWN } from './shared/table-command.ts';
import { TableSource } from './shared/table-source.ts';

const HEADER =
  /^\s*Proto\s+(?:Local Address\s+Foreign Address\s+State|Lokale Adresse\s+Remoteadresse\s+Status)(?:\s+PID)?(?:\s+Offload State)?\s*$/;
const PROMPT = /^(?:PS )?[A-Za-z]:\\[^<>|"]{0,200}>\s?netstat(?:\.exe)?\b/i;
const OTHER = /^\s*UDP\s|^(?:Active Connections|Aktive Verbindungen)\s*$/;
const PROGRAM = /^\s\[([^\]\r\n]{1,64})\]\s*$/;
/** Between a row and the program: a service, or why there is none. */
const OWNER_NOTE = /^ {1,2}(?:[A-Za-z][\w-]{0,63}|Can not obtain ownership information)\s*$/;
const STATES = new Map([
  ['LISTENING', 'LISTEN'],
  ['SYN_RECEIVED', 'SYN_RECV'],
  // of a German Windows
  ['ABHÖREN', 'LISTEN'],
  ['ABHOEREN', 'LISTEN'],
  ['HERGESTELLT', 'ESTABLISHED'],
  ['SCHLIESSEN_WARTEN', 'CLOSE_WAIT'],
  ['WARTEND', 'TIME_WAIT'],
  ['SYN_GESENDET', 'SYN_SENT'],
]);

export const netstatWindows: LineFormat = {
  id: 'netstat-windows',
  title: 'netstat -ano (Windows)',
  clock: 'order',
  proves: 'Which connections existed at that moment, in which state, and which process owned them.',
  cannotProve:
    'What waited in their queues, which it does not print, what happened between two snapshots, and anything that only Linux does.',
  example: '  TCP    192.0.2.10:52012       198.51.100.9:443       CLOSE_WAIT      4120',
  recognises: (line) => HEADER.test(line) || PROMPT.test(line) || parse(line, recognised, interner) !== null,
  open: (section) => new NetstatWindowsReader(section),
};

const recognised = new Fields();
const interner = new Interner();

interface Row {
  local: Endpoint;
  remote: Endpoint;
  state: TcpState;
  /** null where no column shows it. */
  pid: number | null;
}

function parse(line: string, f: Fields, names: Interner): Row | null {
  if (!/^\s*TCP\s/.test(line)) return null;
  f.blanks(line);
  if (f.count < 4 || f.count > 6) return null;
  const local = parseEndpoint(f.text(1), names);
  const remote = parseEndpoint(f.text(2), names);
  const state = parseState(STATES.get(f.text(3)) ?? f.text(3));
  if (!local || !remote || !state || /\d/.test(f.text(3)[0]!)) return null;
  const pid = f.count > 4 ? f.integer(4) : -1;
  return { local, remote, state, pid: pid < 0 ? null : pid };
}

class NetstatWindowsReader implements LineReader {
  readonly #source: TableSource;
  readonly #snapshots: Snapshots;
  readonly #fields = new Fields();
  readonly #interner = new Interner();
  /** Waits for the name of its program. */
  #row: SocketEvent | null = null;

  constructor(section: Section) {
    this.#source = new TableSource(section, netstatWindows.id);
    this.#snapshots = new Snapshots(this.#source);
  }

  unread(): void {
    this.#snapshots.spoil();
  }

  line(text: string, number: number): boolean {
    if (PROMPT.test(text) || HEADER.test(text)) {
      this.#emit();
      if (this.#snapshots.number === 0 || this.#snapshots.rows > 0)
        this.#snapshots.begin(number, FILTER_UNKNOWN, HEADER.test(text));
      return true;
    }
    const program = PROGRAM.exec(text);
    if (program) {
      if (this.#row) this.#row.comm = this.#interner.keep(program[1]!);
      return this.#source.made !== null;
    }
    const row = parse(text, this.#fields, this.#interner);
    if (OTHER.test(text)) {
      this.#emit();
      return true;
    }
    if (!row) return this.#source.made !== null && OWNER_NOTE.test(text);
    this.#tcp(row, number);
    return true;
  }

  #tcp({ pid, ...row }: Row, line: number): void {
    this.#emit();
    if (this.#snapshots.number === 0) this.#snapshots.begin(line, FILTER_UNKNOWN, false);
    this.#snapshots.row();
    this.#row = {
      kind: 'socket',
      source: this.#source.open().id,
      line,
      time: this.#source.time,
      snapshot: this.#snapshots.number,
      ...row,
      recvQ: 0,
      sendQ: 0,
      withoutQueues: true,
      acceptLimit: null,
      // 0 is the idle process: a connection in TIME_WAIT has no owner
      owner: pid === null ? 'hidden' : pid === 0 ? 'none' : 'known',
      pid: pid || null,
      comm: null,
      timer: null,
    };
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
