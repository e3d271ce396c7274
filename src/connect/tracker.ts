/**
 * Packets → connections, for one capture. Every packet is looked at once; no object, string or closure is made for
 * it. Connections stand in numbered slots; a slot that was forgotten is used again.
 */
import type { SideIndex, WireConnection } from '../model/connection.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import { DIRECTION_IN, type Packet } from '../model/packet.ts';
import type { CapturedProcess } from '../model/process.ts';
import type { Source } from '../model/source.ts';
import { FIN, isSenseless, RST, SYN } from '../model/tcp.ts';
import { beginRecord } from './begin.ts';
import { Columns, callsClient } from './columns.ts';
import { Copies, isAnswerToCopies } from './copies.ts';
import { Interrupted } from './interrupted.ts';
import { zeekBadChecksum } from './labels/zeek.ts';
import { originator } from './labels/zeek-endpoint.ts';
import { isNewForZeek } from './labels/zeek-lives.ts';
import { CONNECTION_STRIDE, COPIES, DUPLICATES, HASH, PROCESS, SERIAL } from './layout.ts';
import { Records } from './records.ts';
import { Retirement, type RingSizes } from './retire.ts';
import { isNewLife } from './reuse.ts';
import { segment } from './segment.ts';
import { standingOf } from './standing.ts';
import { otherSide, Store, sideOf } from './store.ts';
import type { TrackerState } from './tracker-state.ts';
import { matchTuple, TupleTable } from './tuple-table.ts';
import { ConnectionView, type Texts } from './view.ts';

export interface TrackerOptions {
  /** Source.id of the capture. */
  source?: number;
  /** Divide packets among connections, and name their sides, as Zeek does, to compare with its logs. */
  zeekTimers?: boolean;
  /** Leave out segments whose checksum was found bad, as Zeek does. */
  ignoreBadChecksums?: boolean;
  /** Texts for Packet.encapsulation; may grow while packets come. */
  encapsulations?: readonly string[];
  /** What Packet.process stands for, Source.processes; may grow while packets come. */
  processes?: readonly CapturedProcess[];
  /** Pack decided connections away while packets still come. Slots then say nothing of the order of first sight. */
  retire?: boolean | RingSizes;
}

const CHECKSUM_BAD = 2;

export class Tracker {
  readonly #store: Store;
  readonly #table: TupleTable;
  readonly #zeekTimers: boolean;
  readonly #ignoreBadChecksums: boolean;
  readonly #texts: Texts;
  /** Connection of the packet before: runs of packets of one connection are common. */
  #recent = 0;
  #serial = 0;
  readonly #interrupted = new Interrupted();
  #forgot = false;
  readonly #columns = new Columns();
  readonly #retired: Retirement | null;
  /** null to count every sighting, as Zeek does. */
  #copies: Copies | null;
  /** Segments with senseless flags, and the frame of the first. */
  #senseless = 0;
  #firstSenseless = 0;

  constructor(options: TrackerOptions = {}) {
    this.#store = new Store(options.source);
    this.#table = new TupleTable(this.#store.connections);
    this.#zeekTimers = options.zeekTimers ?? false;
    this.#copies = this.#zeekTimers ? null : new Copies();
    this.#ignoreBadChecksums = options.ignoreBadChecksums ?? false;
    this.#texts = { encapsulations: options.encapsulations ?? [], processes: options.processes ?? [] };
    this.#retired = options.retire
      ? new Retirement(this.#store, this.#table, this.#columns, options.retire === true ? {} : options.retire)
      : null;
  }

  /** Everything, for a tracker of the same options to go on with; this one is done. */
  state(): TrackerState {
    return {
      rows: this.#store.state(),
      table: this.#table.state(),
      archive: this.#retired?.state() ?? null,
      columns: this.#columns.state(),
      serial: this.#serial,
      inside: this.#interrupted.state(),
      forgot: this.#forgot,
    };
  }

  /** A copy of all, for a tracker of another thread to tell of its connections; no packet comes any more. */
  copy(): TrackerState {
    return {
      rows: this.#store.copy(),
      table: { seed: 0, slots: new Int32Array(0), size: 0 },
      archive: this.#retired?.copy() ?? null,
      columns: this.#columns.copy(),
      serial: this.#serial,
      inside: new Map(),
      forgot: this.#forgot,
    };
  }

  get encapsulations(): readonly string[] {
    return this.#texts.encapsulations;
  }

  /** Goes on where another stopped. */
  adopt({ rows, table, archive, columns, serial, inside, forgot }: TrackerState): this {
    this.#store.adopt(rows);
    this.#table.adopt(table);
    this.#columns.adopt(columns);
    if (archive) this.#retired?.adopt(archive);
    this.#serial = serial;
    this.#interrupted.adopt(inside);
    this.#forgot = forgot;
    return this;
  }

  /** Takes the next packet of the capture. Packets of all connections, in the order of the file. */
  packet(p: Packet): void {
    const copies = this.#copies;
    if (copies?.isReplay(p)) return;
    const found = this.#find(p);
    const side = found & 1;
    const at = found - side;
    const { words } = this.#store.connections;
    if (
      copies !== null &&
      (copies.isCopy(2 * words[at + SERIAL]! + side, p) || isAnswerToCopies(this.#store, at, side, p))
    ) {
      this.#copy(at, side, p);
      return;
    }
    if (isSenseless(p.flags) && this.#senseless++ === 0) this.#firstSenseless = p.frame;
    if (p.process !== 0) this.#nameProcess(at, side, p);
    if (this.#ignoreBadChecksums && p.checksum === CHECKSUM_BAD) zeekBadChecksum(this.#store, at, side);
    else segment(this.#store, at, side, p);
    this.#retired?.touched(at);
  }

  /**
   * What the segment is to the capture so far (see standing.ts), and which end of which connection has sent it: 4 × a
   * number for it + the standing; 0 when its connection is not known.
   */
  standing(p: Packet): number {
    const found = this.#lookUp(p, this.#table.hash(p));
    if (found === 0) return 0;
    const side = found & 1;
    return found * 4 + standingOf(this.#store, found - side, side, p);
  }

  /** Connections held. While none was forgotten their slots are 0 … count - 1, in the order of first sight. */
  get count(): number {
    return this.#store.connections.live + (this.#retired?.count ?? 0);
  }

  /** The connection in a slot; `flipped` names its sides the other way round, for who knows the listener. */
  connection(slot: number, flipped = false): WireConnection {
    const at = (slot + 1) * CONNECTION_STRIDE;
    const words = this.#store.connections.words;
    if (at < CONNECTION_STRIDE || at >= this.#store.connections.end || words[at + SERIAL] === 0) {
      throw new RangeError(`no connection in slot ${slot}`);
    }
    const client = this.#zeekTimers ? originator(words, at) : callsClient(words, at);
    return new ConnectionView(
      this.#store,
      { at, keyed: at },
      flipped ? otherSide(client) : (client as SideIndex),
      this.#texts,
    );
  }

  /** All connections in the order of first sight; those packed away get slots again. */
  *connections(): Iterable<WireConnection> {
    for (let serial = 1; this.#retired && this.#retired.count > 0; serial++) {
      if (this.#retired.has(serial)) this.#retired.restore(serial);
    }
    for (const slot of this.slots()) yield this.connection(slot);
  }

  /** Its connections, once the last packet has come. */
  records(): Records {
    this.#table.close();
    this.#copies = null;
    const client = this.#zeekTimers ? originator : callsClient;
    return new Records(this.#store, this.#retired, this.#columns, this.#texts, client, this.#serial);
  }

  /** Slots in use, in the order in which their connections were first seen. */
  slots(): number[] {
    const { words, end } = this.#store.connections;
    const serial = (slot: number) => words[(slot + 1) * CONNECTION_STRIDE + SERIAL]!;
    const slots: number[] = [];
    for (let slot = 0; (slot + 1) * CONNECTION_STRIDE < end; slot++) if (serial(slot) !== 0) slots.push(slot);
    return this.#forgot || this.#retired ? slots.sort((a, b) => serial(a) - serial(b)) : slots;
  }

  /** Forgets a connection; its slot may be used again. A later packet of its tuple begins a new one. */
  forget(slot: number): void {
    const at = (slot + 1) * CONNECTION_STRIDE;
    this.#table.remove(at);
    this.#store.release(at);
    if (this.#recent === at) this.#recent = 0;
    this.#forgot = true;
  }

  #copy(at: number, side: number, p: Packet): void {
    const { words } = this.#store.connections;
    words[at + DUPLICATES]!++;
    words[sideOf(at, side) + COPIES]!++;
    this.#copies!.note(p);
  }

  /** What was met that is worth knowing, once the last packet has come. */
  report({ name }: Source, diagnostics: Diagnostics): void {
    const add = (code: string, count: number, frame: number, message: string) => {
      if (count > 0)
        diagnostics.add({ code, severity: 'info', source: name, locator: `frame ${frame}`, count, message });
    };
    add(
      'copied-segments',
      this.#copies?.count ?? 0,
      this.#copies?.frame ?? 0,
      'These segments are copies of others (same IP identification and numbers within 1 ms, or the file begins anew): a mirror port, several interfaces or VLANs, or one capture twice in a file. Each segment counts once.',
    );
    add(
      'senseless-flags',
      this.#senseless,
      this.#firstSenseless,
      'These segments carry flags that no TCP sends (SYN with FIN or RST, FIN with RST, or neither ACK, SYN nor RST): a port scan, or damage. They count as no SYN and no FIN.',
    );
  }

  /** The process is one of the capturing host: it has sent what goes out and receives what comes in. */
  #nameProcess(at: number, side: number, p: Packet): void {
    if (p.direction === 0) return;
    const end = p.direction === DIRECTION_IN ? otherSide(side) : side;
    const word = this.#store.trouble(at, end) + PROCESS;
    this.#store.troubles.words[word] ||= p.process;
  }

  /** Offset of the packet's connection, begun if need be, plus the side that sent it. */
  #find(p: Packet): number {
    let { words } = this.#store.connections;
    const recent = this.#recent;
    // packed away meanwhile, it has no number
    let found = recent === 0 || words[recent + SERIAL] === 0 ? 0 : matchTuple(words, recent, p);
    if (found === 0) {
      const hash = this.#table.hash(p);
      found = this.#lookUp(p, hash);
      if (found === 0) return this.#begin(p, 0, hash);
      words = this.#store.connections.words;
    }
    const side = found & 1;
    const at = found - side;
    const isNew = this.#zeekTimers
      ? isNewForZeek(this.#store, at, p)
      : (p.flags & (SYN | RST | FIN)) === SYN && isNewLife(this.#store, at, side, p);
    if (isNew) {
      const begun = this.#begin(p, at, words[at + HASH]!);
      if (!this.#zeekTimers) this.#interrupted.begun(this.#store, begun, at);
      return begun;
    }
    const older = this.#interrupted.goesOn(this.#store, at, p);
    this.#recent = older === 0 ? at : older - (older & 1);
    if (older === 0) return found;
    this.#table.insert(this.#recent, at, words[at + HASH]!);
    return older;
  }

  /** As TupleTable.find, bringing back what is packed away. */
  #lookUp(p: Packet, hash: number): number {
    let found = this.#table.find(p, hash);
    while (found < 0) {
      this.#retired!.begun(this.#retired!.restore(-found));
      found = this.#table.find(p, hash);
    }
    return found;
  }

  /** Makes a connection for its first packet; its sender is side 0. */
  #begin(p: Packet, older: number, hash: number): number {
    const at = this.#store.connections.allocate();
    beginRecord(this.#store, at, p, older, ++this.#serial, hash);
    this.#table.insert(at, older, hash);
    this.#recent = at;
    this.#retired?.begun(at);
    return at;
  }
}
