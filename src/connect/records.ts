/** The connections of a tracker that has had its last packet, read by the numbers of their first sight. */
import type { SideIndex, WireConnection } from '../model/connection.ts';
import { ORDERLY, type PlainKind } from '../model/plain.ts';
import { BITS, CLIENT_BIT, CONNECTION_STRIDE, PORTS, SERIAL } from './layout.ts';
import { plainKind } from './plain.ts';
import { PlainReader } from './plain-reader.ts';
import type { Retirement } from './retire.ts';
import type { Store } from './store.ts';
import { ConnectionView, type Texts } from './view.ts';

export class Records {
  readonly #store: Store;
  readonly #retired: Retirement;
  readonly #texts: Texts;
  readonly #reader: PlainReader;
  /** Where records stand, by their serial numbers; 0 for those packed away. */
  readonly #places: Int32Array;
  /** The copy of a packed record that the reader reads; 0 for none. */
  #copy = 0;

  constructor(store: Store, retired: Retirement, texts: Texts, last: number) {
    this.#store = store;
    this.#retired = retired;
    this.#texts = texts;
    this.#reader = new PlainReader(store, texts);
    this.#places = new Int32Array(last + 1);
    const { words, end } = store.connections;
    for (let at = CONNECTION_STRIDE; at < end; at += CONNECTION_STRIDE)
      this.#places[words[at + SERIAL]!] = at;
    // of slots that are free
    this.#places[0] = 0;
  }

  /** Serial numbers, in the order of first sight. */
  *serials(): Iterable<number> {
    for (let serial = 1; serial < this.#places.length; serial++) {
      if (this.#places[serial] !== 0 || this.#retired.kind(serial) !== 0) yield serial;
    }
  }

  /** What kind of plain connection it is; 0 for none. */
  kind(serial: number): PlainKind | 0 {
    const at = this.#places[serial]!;
    return at === 0 ? this.#retired.kind(serial) : plainKind(this.#store, at);
  }

  /** Both its ports in one number, told without reading all of it. */
  ports(serial: number): number {
    const at = this.#places[serial]!;
    return at === 0 ? this.#retired.ports(serial) : this.#store.connections.words[at + PORTS]!;
  }

  /** One of them, with `number` for n of its id `cn`; the object is the same each time. */
  read(serial: number, number: number): PlainReader {
    if (this.#copy !== 0) this.#store.release(this.#copy);
    const at = this.#places[serial]!;
    this.#copy = at === 0 ? this.#retired.read(serial) : 0;
    return this.#reader.read(at === 0 ? this.#copy : at, number, this.kind(serial) || ORDERLY);
  }

  /** One of them as a view that stays; a packed record gets a slot again. */
  view(serial: number): WireConnection {
    if (this.#places[serial] === 0) this.#places[serial] = this.#retired.restore(serial);
    const at = this.#places[serial]!;
    const client = (this.#store.connections.words[at + BITS]! & CLIENT_BIT ? 1 : 0) as SideIndex;
    return new ConnectionView(this.#store, at, client, this.#texts);
  }
}
