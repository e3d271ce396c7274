/** `netstat -ano` of Windows, also -b (the program on the next line), and Get-NetTCPConnection of its PowerShell: without queues. */
import type { Endpoint } from '../../model/address.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import { parseState, type TcpState } from '../../model/tcp.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { isAddressText, parseEndpoint } from './shared/endpoints.ts';
import { Fields } from './shared/fields.ts';
import { Interner } from './shared/interner.ts';
import { Snapshots } from './shared/snapshots.ts';
import { FILTER_UNKNOWN } from './shared/table-command.ts';
import { TableSource } from './shared/table-source.ts';

const HEADER =
  /^\s*Proto\s+(?:Local Address\s+Foreign Address\s+State|Lokale Adresse\s+Remoteadresse\s+Status|Adresse locale\s+Adresse distante\s+.tat|Direcci.n local\s+Direcci.n remota\s+Estado)(?:\s+PID)?(?:\s+Offload State)?\s*$|^LocalAddress\s+LocalPort\s+RemoteAddress\s+RemotePort\s+State\b.*$/;
/** `| Format-List`: a property a line, and a blank line between connections. */
const PROPERTY = /^(\w{4,30}) {0,20}: ?(.{0,100})$/;
const FIRST_PROPERTY = /^(?:LocalAddress|State|InstanceID|Caption|Description|ElementName)\s+: /;
/** Below the header of PowerShell. */
const RULE = /^-{3,}(?: +-{3,}){3,}\s*$/;
const OBJECT =
  /^(\S{2,45})\s+(\d{1,5})\s+(\S{2,45})\s+(\d{1,5})\s+([A-Z][A-Za-z]+[12]?)(?:\s+[A-Z][A-Za-z]{3,20})?(?:\s+(\d{1,10}))?\s*$/;
const PROMPT = /^(?:PS )?[A-Za-z]:\\[^<>|"]{0,200}>\s?(?:netstat(?:\.exe)?|Get-NetTCPConnection)\b/i;
const OTHER =
  /^\s*UDP\s|^(?:Active Connections|Aktive Verbindungen|Connexions actives|Conexiones activas)\s*$/;
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
  // of PowerShell
  ['Listen', 'LISTEN'],
  ['SynSent', 'SYN_SENT'],
  ['SynReceived', 'SYN_RECV'],
  ['Established', 'ESTABLISHED'],
  ['FinWait1', 'FIN_WAIT1'],
  ['FinWait2', 'FIN_WAIT2'],
  ['CloseWait', 'CLOSE_WAIT'],
  ['Closing', 'CLOSING'],
  ['LastAck', 'LAST_ACK'],
  ['TimeWait', 'TIME_WAIT'],
]);

export const netstatWindows: LineFormat = {
  id: 'netstat-windows',
  title: 'netstat -ano, Get-NetTCPConnection (Windows)',
  clock: 'order',
  proves: 'Which connections existed at that moment, in which state, and which process owned them.',
  cannotProve:
    'What waited in their queues, which it does not print, what happened between two snapshots, and anything that only Linux does.',
  example: '  TCP    192.0.2.10:52012       198.51.100.9:443       CLOSE_WAIT      4120',
  recognises: (line) =>
    HEADER.test(line) ||
    PROMPT.test(line) ||
    /^LocalAddress {1,10}: \S/.test(line) ||
    parse(line, recognised, interner) !== null,
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
  if (!/^\s*TCP\s/.test(line)) return parseObject(line, names);
  f.blanks(line);
  if (f.count < 4 || f.count > 6) return null;
  const local = parseEndpoint(f.text(1), names);
  const remote = parseEndpoint(f.text(2), names);
  const state = parseState(STATES.get(f.text(3)) ?? f.text(3));
  if (!local || !remote || !state || /\d/.test(f.text(3)[0]!)) return null;
  const pid = f.count > 4 ? f.integer(4) : -1;
  return { local, remote, state, pid: pid < 0 ? null : pid };
}

/** A row of Get-NetTCPConnection; the setting is empty for a listener. */
function parseObject(line: string, names: Interner): Row | null {
  const [, here, port, there, peer, word, pid] = OBJECT.exec(line) ?? [];
  const state = parseState(STATES.get(word ?? '') ?? '');
  if (!state || !isAddressText(here!) || !isAddressText(there!)) return null;
  const end = (address: string, number: string) => ({
    address: names.address(address.replace(/%.*$/, '')),
    port: Number(number),
  });
  const [local, remote] = [end(here!, port!), end(there!, peer!)];
  return { local, remote, state, pid: pid === undefined ? null : Number(pid) };
}

/** 0 is the idle process: a connection in TIME_WAIT has no owner. */
function ownerOf(pid: number | null): Pick<SocketEvent, 'owner' | 'pid'> {
  return { owner: pid === null ? 'hidden' : pid === 0 ? 'none' : 'known', pid: pid || null };
}

class NetstatWindowsReader implements LineReader {
  readonly #source: TableSource;
  readonly #snapshots: Snapshots;
  readonly #fields = new Fields();
  readonly #interner = new Interner();
  /** Properties of a connection whose other lines may follow. */
  #listed: Map<string, string> | null = null;
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
    if (this.#property(text, number)) return true;
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
    if (!row)
      return this.#source.made === null
        ? RULE.test(text) && this.#snapshots.number > 0
        : OWNER_NOTE.test(text);
    this.#tcp(row, number);
    return true;
  }

  #property(text: string, number: number): boolean {
    const [, name, value] = PROPERTY.exec(text) ?? [];
    if (name === undefined || (this.#listed === null && !FIRST_PROPERTY.test(text))) {
      this.#listed = null;
      return false;
    }
    if (this.#listed === null || this.#listed.has(name)) this.#listed = new Map();
    const all = this.#listed.set(name, value!.trim());
    const columns = ['LocalAddress', 'LocalPort', 'RemoteAddress', 'RemotePort', 'State'];
    const shown = columns.map((column) => all.get(column));
    const pid = all.get('OwningProcess');
    const isWhole = columns.includes(name) && shown.every((v) => v !== undefined);
    // in this order, others between them; whose it is may come first, last or not at all
    const row = isWhole ? parseObject([...shown, pid ?? ''].join(' ').trimEnd(), this.#interner) : null;
    if (row) this.#tcp(row, number);
    else if (name === 'OwningProcess' && this.#row && /^\d{1,10}$/.test(pid!))
      this.#row = { ...this.#row, ...ownerOf(Number(pid)) };
    return true;
  }

  #tcp({ pid, ...row }: Row, line: number): void {
    this.#emit();
    if (this.#snapshots.number === 0) this.#snapshots.begin(line, FILTER_UNKNOWN, false);
    this.#snapshots.row();
    this.#row = this.#snapshots.socket(line, {
      ...row,
      recvQ: 0,
      sendQ: 0,
      withoutQueues: true,
      ...ownerOf(pid),
      comm: null,
    });
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
