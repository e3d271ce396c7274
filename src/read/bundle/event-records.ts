/** The records of events.bin by the schema in its head: the same events, keys and values as the text of events.jsonl. */
import { z } from 'zod';
import type { EventBlock } from './event-blocks.ts';
import { EventRecord, type Layout } from './event-record.ts';

const field = z.object({
  name: z.string(),
  at: z.number().int().nonnegative(),
  bytes: z.number().int().positive(),
  form: z.enum(['unsigned', 'signed', 'hex', 'symbol', 'address', 'text', 'enum']),
  names: z.array(z.string()).optional(),
});
export type Field = z.infer<typeof field>;
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
  /** The last one before CLOCK_REALTIME was set. */
  before: anchor.optional(),
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
/** Collects blocks; afterwards each record can be read by its number, in the order in which they were written. */
export class EventRecords {
  head: RecorderHead | null = null;
  readonly statuses: RecorderStatus[] = [];
  readonly symbols = new Map<string, string>();
  /** Paths by kernfs id. */
  readonly cgroups = new Map<string, string>();
  #layouts: Layout[] = [];
  readonly #blocks: { view: DataView; little: boolean }[] = [];
  #places: Places | null = null;
  readonly #record = new EventRecord(this.symbols);

  /** Throws SyntaxError for a JSON block that is none of ours. */
  take(block: EventBlock, little: boolean): void {
    if (block.what === 'records') {
      const { buffer, byteOffset, byteLength } = block.bytes;
      this.#blocks.push({ view: new DataView(buffer, byteOffset, byteLength), little });
      return;
    }
    const value: unknown = JSON.parse(new TextDecoder().decode(block.bytes));
    const [head, status, told] = [headSchema, statusSchema, namesSchema].map((s) => s.safeParse(value));
    if (head?.success) {
      this.head ??= head.data as RecorderHead;
      this.#layouts = this.head.kinds.map((k) => ({
        kind: k.kind,
        bytes: k.bytes,
        fields: new Map(k.fields.map((f) => [f.name, { ...f, texts: new Map() }])),
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
      const arrived = (this.#placed.ofKind[kind] ?? 0) >= written - writtenBefore;
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

  /** How many there are that the head tells how to read. */
  get count(): number {
    return this.#placed.at.length;
  }

  /** The record of this number, from 0: one object, which shows it until the next one is asked for. */
  at(n: number): EventRecord {
    const { block, at } = this.#placed;
    const { view, little } = this.#blocks[block[n]!]!;
    this.#record.show(view, at[n]!, little, this.#layouts[view.getUint16(at[n]! + 8, little)]!);
    return this.#record;
  }

  get #placed(): Places {
    this.#places ??= this.#findPlaces();
    return this.#places;
  }

  #findPlaces(): Places {
    const places: Places = { block: [], at: [], ofKind: [] };
    for (const [number, { view, little }] of this.#blocks.entries()) {
      for (let at = 0; at + 24 <= view.byteLength; ) {
        const kind = view.getUint16(at + 8, little);
        const bytes = view.getUint16(at + 10, little);
        if (bytes < 24) break;
        if (this.#layouts[kind]?.bytes === bytes && at + bytes <= view.byteLength) {
          places.block.push(number);
          places.at.push(at);
          places.ofKind[kind] = (places.ofKind[kind] ?? 0) + 1;
        }
        at += bytes;
      }
    }
    return places;
  }
}

/** Where each record begins, and how many there are of each kind. */
interface Places {
  block: number[];
  at: number[];
  ofKind: number[];
}
