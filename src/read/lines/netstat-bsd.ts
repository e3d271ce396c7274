/** `netstat -an` of macOS and the BSDs: the port stands behind a dot; the owner is shown by macOS alone, with -v. */
import type { Endpoint } from '../../model/address.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import { parseState, type TcpState } from '../../model/tcp.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { isAddressText } from './shared/endpoints.ts';
import { Fields } from './shared/fields.ts';
import { Interner } from './shared/interner.ts';
import { parsePort } from './shared/services.ts';
import { Snapshots } from './shared/snapshots.ts';
import { FILTER_UNKNOWN } from './shared/table-command.ts';
import { TableSource } from './shared/table-source.ts';

const TITLE = /^Active Internet connections(?: \(including servers\))?\s*$/;
const HEADER =
  /^(?:Socket\s+|Tcpcb\s+)?Proto\s+Recv-Q\s+Send-Q\s+Local Address\s+Foreign Address\s+\(state\)/;
const OTHER_ROW =
  /^(?:udp|icm|icmp)(?:4|6|46)?\s|^(?:Active (?:LOCAL|UNIX|Multipath|kernel)|(?:Address|SADR\/PCB)\s+Type)|^[\da-f]{8,16}\s+(?:dgram|stream|seqpac)\b/;
/** Titles behind the state, up to the owner: `rhiwat shiwat pid`, newer ones `rxbytes txbytes rhiwat shiwat process:pid`. */
const OWNER = /\(state\)\s+((?:[a-z]+\s+){0,6})(process:)?pid\b/;
/** Width of an address without -W (FreeBSD) or -l (macOS): IPv6 is cut to it. */
const CUT_WIDTH = 22;

export const netstatBsd: LineFormat = {
  id: 'netstat-bsd',
  title: 'netstat -an (macOS, BSD)',
  clock: 'order',
  proves: 'Which connections existed at that moment, in which state, and what waited in their queues.',
  cannotProve:
    'Who owned them (but for -v of macOS), what happened between two snapshots, and anything that only Linux does.',
  example: 'tcp4      31      0  192.0.2.10.52012       198.51.100.9.443       CLOSE_WAIT ',
  // -p is the protocol there, and owners here
  command: runs('netstat', /(?=\s)(?=[^|]*\s-p\s?tcp\b)(?![^|]*\s-\w*[srigmM])/),
  recognises: (line) =>
    TITLE.test(line) ||
    HEADER.test(line) ||
    (line.startsWith('tcp') && parse(line, recognised, interner) !== null),
  open: (section) => new NetstatBsdReader(section),
};

const recognised = new Fields();
const interner = new Interner();

interface Row {
  recvQ: number;
  sendQ: number;
  local: Endpoint;
  remote: Endpoint;
  state: TcpState;
  cut: boolean;
}

function parse(line: string, f: Fields, names: Interner): Row | null {
  f.blanks(line);
  if (f.count < 6 || f.tooMany || !/^tcp(?:4|6|46)?$/.test(f.text(0))) return null;
  const [recvQ, sendQ] = [f.integer(1), f.integer(2)];
  const local = endpoint(f.text(3), names);
  const remote = endpoint(f.text(4), names);
  const state = parseState(f.text(5).replace('SYN_RCVD', 'SYN_RECV').replace('SYN_RECEIVED', 'SYN_RECV'));
  if (recvQ < 0 || sendQ < 0 || !local || !remote || !state) return null;
  const cut = [3, 4].some((i) => f.text(i).length >= CUT_WIDTH && f.text(i).includes(':'));
  return { recvQ, sendQ, local, remote, state, cut };
}

/** `192.0.2.10.443`, `*.8080`, `fe80::1%lo0.49152`: the port behind the last dot. */
function endpoint(text: string, names: Interner): Endpoint | null {
  const dot = text.lastIndexOf('.');
  const port = dot > 0 ? parsePort(text.slice(dot + 1)) : -1;
  const address = text.slice(0, Math.max(0, dot)).replace(/%.*$/, '');
  const isAddress = address === '*' || address.includes(':') || address.split('.').length >= 4;
  return port >= 0 && isAddress && isAddressText(address) ? { address: names.address(address), port } : null;
}

class NetstatBsdReader implements LineReader {
  readonly #source: TableSource;
  readonly #snapshots: Snapshots;
  readonly #fields = new Fields();
  readonly #interner = new Interner();
  /** Index of the field with the owner, null where none is shown; of newer versions with its name. */
  #owner: { field: number; named: boolean } | null = null;

  constructor(section: Section) {
    this.#source = new TableSource(section, netstatBsd.id);
    this.#snapshots = new Snapshots(this.#source);
  }

  rerun(_command: string | null, number: number): void {
    this.#snapshots.begin(number, FILTER_UNKNOWN, false);
  }

  unread(): void {
    this.#snapshots.spoil();
  }

  line(text: string, number: number): boolean {
    if (TITLE.test(text) || HEADER.test(text)) {
      const owner = OWNER.exec(text);
      this.#owner = owner && {
        field: 6 + (owner[1]!.match(/\S+/g)?.length ?? 0),
        named: owner[2] !== undefined,
      };
      if (this.#snapshots.number === 0 || this.#snapshots.rows > 0)
        this.#snapshots.begin(number, FILTER_UNKNOWN, true);
      return true;
    }
    const row = text.startsWith('tcp') ? parse(text, this.#fields, this.#interner) : null;
    if (!row) return OTHER_ROW.test(text);
    if (this.#snapshots.number === 0) this.#snapshots.begin(number, FILTER_UNKNOWN, false);
    this.#snapshots.row();
    if (row.cut) this.#cut(text, number);
    else this.#emit(row, number);
    return true;
  }

  #cut(text: string, line: number): void {
    this.#source.open();
    this.#snapshots.spoil();
    this.#source.diagnose(
      'netstat-address-cut',
      'data-loss',
      line,
      'rows whose address may have been cut by netstat to fit its column and that are not used (netstat -W, on macOS -l, shows it whole)',
      text,
    );
  }

  #emit({ cut: _, ...row }: Row, line: number): void {
    this.#snapshots.tell(line, { ...row, ...this.#ownerOf() });
  }

  #ownerOf(): Pick<SocketEvent, 'owner' | 'pid' | 'comm'> {
    const shown = this.#owner && this.#fields.span(this.#owner.field, this.#fields.count - 1);
    // a name may have blanks
    const pattern = this.#owner?.named ? /^(.{0,64}?):(\d{1,7})\s/ : /^()(\d{1,7})\s/;
    const match = shown ? pattern.exec(shown) : null;
    const pid = Number(match?.[2] ?? 0);
    if (pid === 0) return { owner: 'hidden', pid: null, comm: null };
    return { owner: 'known', pid, comm: match![1] === '' ? null : this.#interner.keep(match![1]!) };
  }

  end(): void {
    this.#snapshots.finish();
  }
}
