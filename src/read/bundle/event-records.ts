/** The records of events.bin by the schema in its head: the same events, keys and values as the text of events.jsonl. */
import { z } from 'zod';
import { formatWords } from '../../model/address.ts';
import type { EventBlock } from './event-blocks.ts';
import { type EventKeys, POINTERS } from './event-text.ts';

const field = z.object({
  name: z.string(),
  at: z.number().int().nonnegative(),
  bytes: z.number().int().positive(),
  form: z.enum(['unsigned', 'signed', 'hex', 'symbol', 'address', 'text', 'enum']),
  names: z.array(z.string()).optional(),
});
type Field = z.infer<typeof field>;
const kind = z
  .object({ kind: z.string(), bytes: z.number().int().min(24), fields: z.array(field) })
  .refine(
    ({ bytes, fields }) => fields.every((f) => f.at + f.bytes <= bytes && isRead(f)),
    'fields beyond it',
  );

/** Of a width that its form is read in. */
function isRead({ form, bytes }: Field): boolean {
  if (form === 'address') return bytes === 16;
  return form === 'text' || [1, 2, 4, 8].includes(bytes);
}

const names = z.record(z.string(), z.string());
const anchor = z.object({ event_ns: z.string(), realtime_ns: z.string(), uncertainty_ns: z.number() });

/** The first JSON block. */
const headSchema = z.object({
  format: z.literal('tcpautopsy-events/1'),
  recorder: z.string(),
  host: z.string(),
  netns: z.number(),
  kernel: z.object({ release: z.string() }),
  clock: z.string(),
  misses_of_tracepoints_counted: z.boolean(),
  probes: z.object({ attached: z.array(z.unknown()), missing: z.array(z.unknown()) }),
  reasons: z.object({ drop: z.object({ names }), reset: z.object({ names }) }),
  kinds: z.array(kind),
});
/** A sign of life; the last one has `ended`. */
const statusSchema = z.object({
  status: z.enum(['start', 'tick', 'end']),
  t: z.string(),
  anchor,
  emitted: z.number(),
  lost: z.number(),
  written: z.number().default(0),
  /** Sent, lost and written of each kind, in the order of the head's. */
  by_kind: z.array(z.tuple([z.number(), z.number(), z.number()])).optional(),
  recursion_misses: z.object({
    total: z.number(),
    by_program: z.record(z.string(), z.number()).default({}),
  }),
  problems: z.array(z.string()),
  ended: z.object({ how: z.string(), by: z.string() }).optional(),
});
/** What numbers in the records stand for. */
const namesSchema = z.object({
  names: z.array(
    z.object({
      symbol: z.string().optional(),
      netns: z.string().optional(),
      cgroup: z.string().optional(),
      name: z.string(),
    }),
  ),
});

/** Kinds that are of a piece of another name. */
const PIECES: Readonly<globalThis.Record<string, string>> = {
  'request-removed': 'request-timer',
  'child-forgotten': 'listen-stop',
  'minisock-alloc': 'minisock',
  'minisock-start': 'minisock',
  'minisock-kill': 'minisock',
};

type RecorderHead = z.infer<typeof headSchema>;
export type RecorderStatus = z.infer<typeof statusSchema>;
interface Layout {
  kind: string;
  bytes: number;
  fields: ReadonlyMap<string, Field>;
}

/** Collects blocks; afterwards its records can be walked through, in the order in which they were written. */
export class EventRecords {
  head: RecorderHead | null = null;
  readonly statuses: RecorderStatus[] = [];
  readonly symbols = new Map<string, string>();
  /** Paths by kernfs id. */
  readonly cgroups = new Map<string, string>();
  /** Records of each kind that the file holds, once they were walked through. */
  readonly #counts: number[] = [];
  #layouts: Layout[] = [];
  readonly #blocks: { block: EventBlock; little: boolean }[] = [];

  /** Throws SyntaxError for a JSON block that is none of ours. */
  take(block: EventBlock, little: boolean): void {
    if (block.what === 'records') {
      this.#blocks.push({ block, little });
      return;
    }
    const value: unknown = JSON.parse(new TextDecoder().decode(block.bytes));
    const [head, status, told] = [headSchema, statusSchema, namesSchema].map((s) => s.safeParse(value));
    if (head?.success) {
      this.head ??= head.data as RecorderHead;
      this.#layouts = this.head.kinds.map((k) => ({
        kind: k.kind,
        bytes: k.bytes,
        fields: new Map(k.fields.map((f) => [f.name, f])),
      }));
    } else if (status?.success) this.statuses.push(status.data as RecorderStatus);
    else if (told?.success) this.#learn(told.data as z.infer<typeof namesSchema>);
    else throw new SyntaxError('neither head, status nor names');
  }

  #learn({ names }: z.infer<typeof namesSchema>): void {
    for (const { symbol, cgroup, name } of names) {
      if (symbol !== undefined) this.symbols.set(symbol, name);
      if (cgroup !== undefined) this.cgroups.set(cgroup, name);
    }
  }

  /**
   * Pieces of which events are missing among the records, by the recorder's own counts from its first word to its last; null where these are not
   * there. A block that was lost costs the kinds that it held.
   */
  short(): ReadonlySet<string> | null {
    const [first, last] = [this.statuses[0], this.statuses.at(-1)];
    if (!this.head || first?.status !== 'start' || !first.by_kind || !last?.by_kind) return null;
    const short = new Set<string>();
    for (const [kind, [sent, lost, written]] of last.by_kind.entries()) {
      const [, lostBefore, writtenBefore] = first.by_kind[kind] ?? [0, 0, 0];
      const arrived = (this.#counts[kind] ?? 0) >= written - writtenBefore;
      // a segment may end while some are on their way to the next
      const whole = arrived && lost === lostBefore && (!last.ended || sent === lost + written);
      const name = this.head.kinds[kind]?.kind;
      if (!whole && name) short.add(PIECES[name] ?? name);
    }
    const before = first.recursion_misses.by_program;
    for (const [program, misses] of Object.entries(last.recursion_misses.by_program))
      if (misses > (before[program] ?? 0)) short.add(program.replace(/__.*/, '').replaceAll('_', '-'));
    return short;
  }

  /** Each record that the head tells how to read. */
  *records(): Iterable<{ keys: EventKeys; t: number }> {
    this.#counts.length = 0;
    for (const { block, little } of this.#blocks) {
      const view = new DataView(block.bytes.buffer, block.bytes.byteOffset, block.bytes.byteLength);
      for (let at = 0; at + 24 <= view.byteLength; ) {
        const kind = view.getUint16(at + 8, little);
        const layout = this.#layouts[kind];
        const bytes = view.getUint16(at + 10, little);
        if (bytes < 24) break;
        if (layout?.bytes === bytes && at + bytes <= view.byteLength) {
          const keys = new Record(view, at, little, layout, this.symbols);
          this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
          yield { keys, t: keys.number('t') };
        }
        at += bytes;
      }
    }
  }
}

/** The keys of one record. */
class Record implements EventKeys {
  readonly kind: string;
  readonly #view: DataView;
  readonly #at: number;
  readonly #little: boolean;
  readonly #layout: Layout;
  readonly #symbols: ReadonlyMap<string, string>;

  constructor(
    view: DataView,
    at: number,
    little: boolean,
    layout: Layout,
    symbols: ReadonlyMap<string, string>,
  ) {
    this.kind = layout.kind;
    this.#view = view;
    this.#at = at;
    this.#little = little;
    this.#layout = layout;
    this.#symbols = symbols;
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
    if (!field || field.bytes > 8) return Number.NaN;
    const at = this.#at + field.at;
    const signed = field.form === 'signed';
    if (field.bytes === 8)
      return Number(
        signed ? this.#view.getBigInt64(at, this.#little) : this.#view.getBigUint64(at, this.#little),
      );
    if (field.bytes === 4)
      return signed ? this.#view.getInt32(at, this.#little) : this.#view.getUint32(at, this.#little);
    if (field.bytes === 2) return this.#view.getUint16(at, this.#little);
    return this.#view.getUint8(at);
  }

  /** As `number`, but what text writes in hexadecimal. */
  hex(key: string): number {
    return this.number(key);
  }

  words(key: string): [number, number, number, number] | null {
    const field = this.#layout.fields.get(key);
    if (field?.form !== 'address') return null;
    const word = (i: number) => this.#view.getInt32(this.#at + field.at + 4 * i);
    return [word(0), word(1), word(2), word(3)];
  }

  text(key: string): string | null {
    const field = this.#layout.fields.get(key);
    if (!field) return null;
    if (field.form === 'address') return formatWords(...this.words(key)!);
    if (field.form === 'enum') return field.names?.[this.number(key)] ?? String(this.number(key));
    if (field.form === 'text') {
      const bytes = new Uint8Array(
        this.#view.buffer,
        this.#view.byteOffset + this.#at + field.at,
        field.bytes,
      );
      const end = bytes.indexOf(0);
      return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
    }
    const digits = (base: number) =>
      field.bytes === 8 && field.form !== 'signed'
        ? this.#view.getBigUint64(this.#at + field.at, this.#little).toString(base)
        : this.number(key).toString(base);
    if (field.form === 'symbol') return this.#symbols.get(digits(16)) ?? `0x${digits(16)}`;
    return digits(field.form === 'hex' ? 16 : 10);
  }

  *pointers(): Iterable<[string, string]> {
    for (const key of POINTERS) if (this.has(key)) yield [key, this.text(key)!];
  }

  *numbers(): Iterable<[string, number]> {
    for (const { name, form } of this.#layout.fields.values())
      if ((form === 'unsigned' || form === 'signed') && name !== 'kind' && name !== 'bytes')
        yield [name, this.number(name)];
  }

  *entries(): Iterable<[string, string | number]> {
    for (const { name, form, bytes } of this.#layout.fields.values()) {
      if (name === 'kind' || name === 'bytes') continue;
      const small = bytes < 8 && (form === 'unsigned' || form === 'signed');
      yield [name, small ? this.number(name) : this.text(name)!];
    }
  }
}
