/** One record of events.bin as the keys of an event. */
import { formatWords } from '../../model/address.ts';
import type { Field } from './event-records.ts';
import { type EventKeys, POINTERS } from './event-text.ts';

export interface Layout {
  kind: string;
  bytes: number;
  fields: ReadonlyMap<string, Field & { texts: Map<number, Text> }>;
}

/** What the bytes of a field say: names, addresses and namespaces are the same in thousands of records. */
interface Text {
  bytes: Uint8Array;
  text: string;
}

/** Texts of one field that are kept. */
const KEPT = 1 << 16;
const UTF8 = new TextDecoder();
const EMPTY = new DataView(new ArrayBuffer(0));

/** Is moved from record to record. */
export class EventRecord implements EventKeys {
  readonly #symbols: ReadonlyMap<string, string>;
  #view: DataView = EMPTY;
  #at = 0;
  #little = true;
  #layout: Layout = { kind: '', bytes: 0, fields: new Map() };

  /** `symbols`: names of what is printed in hexadecimal. */
  constructor(symbols: ReadonlyMap<string, string>) {
    this.#symbols = symbols;
  }

  /** Shows the record that begins at this byte. */
  show(view: DataView, at: number, little: boolean, layout: Layout): void {
    this.#view = view;
    this.#at = at;
    this.#little = little;
    this.#layout = layout;
  }

  get kind(): string {
    return this.#layout.kind;
  }

  /** Bytes up to the first zero; what is not UTF-8 as U+FFFD. */
  get comm(): string | null {
    return this.text('comm');
  }

  has(key: string): boolean {
    return this.#layout.fields.has(key);
  }

  number(key: string): number {
    const field = this.#layout.fields.get(key);
    return field ? this.#number(field) : Number.NaN;
  }

  #number({ at: offset, bytes, form }: Field): number {
    const [view, at, little] = [this.#view, this.#at + offset, this.#little];
    const signed = form === 'signed';
    if (bytes === 4) return signed ? view.getInt32(at, little) : view.getUint32(at, little);
    if (bytes === 2) return view.getUint16(at, little);
    if (bytes === 1) return view.getUint8(at);
    if (bytes !== 8) return Number.NaN;
    // rounded once, as a whole number of 64 bits is
    const high = at + (little ? 4 : 0);
    return (
      (signed ? view.getInt32(high, little) : view.getUint32(high, little)) * 2 ** 32 +
      view.getUint32(at + (little ? 0 : 4), little)
    );
  }

  /** As `number`, but what text writes in hexadecimal. */
  hex(key: string): number {
    return this.number(key);
  }

  address(key: string): string | null {
    return this.#layout.fields.get(key)?.form === 'address' ? this.text(key) : null;
  }

  text(key: string): string | null {
    const field = this.#layout.fields.get(key);
    if (!field) return null;
    if (field.form === 'enum') return field.names?.[this.#number(field)] ?? String(this.#number(field));
    const { texts, at, bytes } = field;
    const view = this.#view;
    const start = this.#at + at;
    // FNV-1a; the same bytes in another order are another number
    let hash = this.#little ? 0x811c9dc5 : 1;
    for (let i = start; i < start + bytes; i++) hash = Math.imul(hash ^ view.getUint8(i), 0x01000193);
    const known = texts.get(hash);
    if (known && isAt(known.bytes, view, start)) return known.text;
    const own = new Uint8Array(view.buffer, view.byteOffset + start, bytes).slice();
    const text = this.#textOf(field, own);
    if (texts.size >= KEPT) texts.clear();
    texts.set(hash, { bytes: own, text });
    return text;
  }

  #textOf(field: Field, own: Uint8Array<ArrayBuffer>): string {
    const { form, bytes } = field;
    if (form === 'text') {
      const end = own.indexOf(0);
      return UTF8.decode(end < 0 ? own : own.subarray(0, end));
    }
    const view = new DataView(own.buffer);
    if (form === 'address')
      return formatWords(view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12));
    const digits = (base: number) =>
      (bytes === 8 && form !== 'signed' ? view.getBigUint64(0, this.#little) : this.#number(field)).toString(
        base,
      );
    if (form === 'symbol') return this.#symbols.get(digits(16)) ?? `0x${digits(16)}`;
    return digits(form === 'hex' ? 16 : 10);
  }

  pointers(): Record<string, string> {
    const pointers: Record<string, string> = {};
    for (const key of POINTERS) if (this.has(key)) pointers[key] = this.text(key)!;
    return pointers;
  }

  numbers(): Record<string, number> {
    const numbers: Record<string, number> = {};
    for (const field of this.#layout.fields.values()) {
      const { name, form } = field;
      if ((form === 'unsigned' || form === 'signed') && name !== 'kind' && name !== 'bytes')
        numbers[name] = this.#number(field);
    }
    return numbers;
  }

  *entries(): Iterable<[string, string | number]> {
    for (const { name, form, bytes } of this.#layout.fields.values()) {
      if (name === 'kind' || name === 'bytes') continue;
      const small = bytes < 8 && (form === 'unsigned' || form === 'signed');
      yield [name, small ? this.number(name) : this.text(name)!];
    }
  }
}

function isAt(bytes: Uint8Array, view: DataView, at: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== view.getUint8(at + i)) return false;
  return true;
}
