/**
 * pwru (Cilium): drops. It prints a line for each kernel function a packet goes through, in columns that every version
 * and option arranges anew, or as JSON; what stays the same is the function that frees a dropped packet, with the
 * reason in brackets, and the tuple. Only lines that have both are used.
 */
import type { Endpoint } from '../../model/address.ts';
import type { DropEvent } from '../../model/event.ts';
import { parseFlagNames } from '../../model/tcp.ts';
import { type Clock, NS_PER_MS, type SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { parseEndpoint } from './shared/endpoints.ts';
import { Interner } from './shared/interner.ts';
import { clockOf, NO_CLOCK, SectionSource } from './shared/section.ts';
import { parseStackFrame } from './shared/stack.ts';
import { dateNs, timeOfDay } from './shared/times.ts';

const HEADER = /^\s*(?:TIME\s+)?SKB\s+(?:CPU\s+)?PROCESS\s/;
/** --timestamp absolute, the address of the packet, the CPU and the process. */
const ROW =
  /^\s{0,4}(?:(?:(\d{4}-\d\d-\d\d)T)?(\d\d:\d\d:\d\d\.\d{3})\s+)?0x[0-9a-f]{8,16}\s+(?:\d{1,4}\s+)?(?:\[|<empty>|~|[\w./-]{1,32}[:\]])/;
const JSON_ROW = /^\{"skb":"0x[0-9a-f]{1,16}"/;
/** The function that frees a dropped packet; the reason by its name, or by its number when the kernel has no name. */
const DROP =
  /(?:^|\s)(?:kfree_skb_reason|sk_skb_reason_drop)\s?\((?:SKB_DROP_REASON_)?(\w{1,64})\)|(?:^|\s)kfree_skb(?=\s|$)/;
const TUPLE =
  /(\[?[0-9a-fA-F.:]{2,45}\]?:\d{1,5})->(\[?[0-9a-fA-F.:]{2,45}\]?:\d{1,5})\((\w+)(?::([A-Z|]{0,40}))?\)/;
export const pwru: LineFormat = {
  id: 'pwru',
  title: 'pwru (drops only)',
  clock: 'order',
  proves:
    'That the kernel dropped a packet of this tuple, and for which reason, by the name this kernel gives it.',
  cannotProve:
    'That nothing else was dropped, flags without --output-tcp-flags, and the functions a packet went through: their columns change with version and options and are not read.',
  example:
    '0xffff9a4e12345600 1   ~bin/curl:184210 4026531840 0               0         0x0800 1500  60    10.0.0.1:40392->10.0.0.2:9999(tcp) kfree_skb_reason(SKB_DROP_REASON_NO_SOCKET)',
  command: runs('pwru'),
  recognises: (line) => HEADER.test(line) || isRow(line) || readJson(line) !== null,
  open: (section) => new PwruReader(section),
};

function isRow(line: string): boolean {
  return ROW.test(line) && (TUPLE.test(line) || DROP.test(line) || /\s[a-z_]\w{3,}(?:\s|$)/.test(line));
}

/** What a row says, text or JSON. */
interface Row {
  date: string;
  time: string;
  function: string;
  from: Endpoint | null;
  to: Endpoint | null;
  protocol: string;
  flags: string | null;
}

interface JsonRow {
  func?: unknown;
  time?: unknown;
  tuple?: {
    saddr?: unknown;
    daddr?: unknown;
    sport?: unknown;
    dport?: unknown;
    proto?: unknown;
    flags?: unknown;
  };
}

function readJson(line: string): JsonRow | null {
  if (!JSON_ROW.test(line)) return null;
  try {
    return JSON.parse(line) as JsonRow;
  } catch {
    return null;
  }
}

class PwruReader implements LineReader {
  readonly #source: SectionSource;
  readonly #interner = new Interner();
  #clock: Clock | null = null;
  /** Takes the stack of --output-stack. */
  #drop: DropEvent | null = null;

  constructor(section: Section) {
    this.#source = new SectionSource(section, pwru.id);
  }

  line(text: string, number: number): boolean {
    const row = this.#row(text);
    if (row) return this.#take(row, number);
    const frame = this.#source.made && parseStackFrame(` ${text}`);
    if (frame) {
      this.#drop?.stack.push(this.#interner.keep(frame));
      return true;
    }
    return HEADER.test(text);
  }

  #row(text: string): Row | null {
    const json = readJson(text);
    if (json) return this.#fromJson(json);
    const head = isRow(text) && ROW.exec(text);
    if (!head) return null;
    const tuple = TUPLE.exec(text);
    return {
      date: head[1] ?? '',
      time: head[2] ?? '',
      function: text,
      from: tuple && parseEndpoint(tuple[1]!, this.#interner),
      to: tuple && parseEndpoint(tuple[2]!, this.#interner),
      protocol: tuple?.[3] ?? '',
      flags: tuple?.[4] ?? null,
    };
  }

  #fromJson({ func, time, tuple }: JsonRow): Row {
    const stamp = /^(?:(\d{4}-\d\d-\d\d)T)?(\d\d:\d\d:\d\d\.\d{3})$/.exec(String(time));
    const end = (address: unknown, port: unknown) =>
      parseEndpoint(`${String(address)}:${String(port ?? 0)}`, this.#interner);
    return {
      date: stamp?.[1] ?? '',
      time: stamp?.[2] ?? '',
      function: String(func),
      from: tuple ? end(tuple.saddr, tuple.sport) : null,
      to: tuple ? end(tuple.daddr, tuple.dport) : null,
      protocol: tuple?.proto === 6 ? 'tcp' : 'other',
      flags: typeof tuple?.flags === 'string' ? tuple.flags : null,
    };
  }

  #take(row: Row, line: number): boolean {
    this.#drop = null;
    const dropped = DROP.exec(row.function);
    const source = this.#open(row);
    if (!dropped) return this.#say('path-not-read', line, NOT_READ);
    if (row.protocol === '') return this.#say('drop-without-tuple', line, WITHOUT_TUPLE);
    if (row.protocol !== 'tcp' || !row.from || !row.to)
      return this.#say('not-tcp', line, 'packets of other protocols, not read');
    const code = Number(dropped[1]);
    this.#drop = {
      kind: 'drop',
      source: source.id,
      line,
      time: this.#time(row),
      pid: null,
      from: row.from,
      to: row.to,
      state: null,
      flags: row.flags ? parseFlagNames(row.flags) : null,
      reason:
        dropped[1] === undefined
          ? null
          : Number.isInteger(code)
            ? { code, name: null }
            : { code: null, name: this.#interner.keep(dropped[1]) },
      stack: [],
      place: 'unknown',
    };
    this.#source.event(source, this.#drop);
    return true;
  }

  /** Only the absolute time of day says what it is: `current` and `relative` share one column. */
  #open(row: Row) {
    this.#clock ??=
      row.time === '' ? NO_CLOCK : clockOf('wall', NS_PER_MS, row.date === '' ? 0n : dateNs(row.date));
    return this.#source.open(this.#clock);
  }

  #time({ date, time }: Row): SourceTime | null {
    if (time === '' || this.#clock?.kind !== 'wall') return null;
    const day = date === '' ? 0 : Number(dateNs(date) - this.#clock.base);
    return (day + timeOfDay(time)) as SourceTime;
  }

  #say(code: string, line: number, message: string): boolean {
    this.#source.diagnose(code, 'info', line, message);
    return true;
  }

  end(): void {}
}

const NOT_READ =
  'lines that follow a packet through the kernel: pwru arranges their columns anew with version and options, and only its drops are read';
const WITHOUT_TUPLE = 'drops that do not say of which connection: pwru was run without --output-tuple';
