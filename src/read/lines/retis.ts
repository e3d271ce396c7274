/**
 * retis events, one JSON object a line (`retis collect -o`, `retis print --format json`). Its makers promise no stable
 * file format, only that newer versions read older ones since 1.5; what they moved since then (compat.rs: skb/packet,
 * skb/dev and skb/ns became sections of their own) is read in either place. Other versions are named, and read as far
 * as they say the same.
 */
import type { KernelEvent, PacketHeader } from '../../model/event.ts';
import { Frame } from '../../model/packet.ts';
import type { Source } from '../../model/source.ts';
import { parseState, type TcpState } from '../../model/tcp.ts';
import type { SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { Interner } from './shared/interner.ts';
import { CANNOT_PROVE, endsOfReset, PROVES, WIRE } from './shared/retis.ts';
import { clockOf, SectionSource } from './shared/section.ts';
import { linkTypeOf, segmentHeader } from './shared/segment-header.ts';

const START = '{"common":{';
/** Timestamps reach beyond 2^53 ns after 104 days of uptime: taken from the text, not from the parsed number. */
const TIMESTAMP = /"timestamp":(\d{1,19})[,}]/;
const KNOWN_VERSION = /^v?1\.[567]\b/;
const MAX_INTERFACES = 4096;

export const retis: LineFormat = {
  id: 'retis',
  title: 'retis events (JSON lines)',
  clock: 'realtime',
  proves: PROVES,
  cannotProve: CANNOT_PROVE,
  example:
    '{"common":{"timestamp":30419169457160,"smp_id":6},"kernel":{"symbol":"skb:kfree_skb","probe_type":"raw_tracepoint"},"skb-drop":{"drop_reason":"NO_SOCKET"}}',
  recognises: (line) => line.startsWith(START) && parse(line) !== null,
  open: (section) => new RetisReader(section),
};

type Fields = Record<string, unknown>;

/** An event, or null when the line is none. */
function parse(line: string): { time: bigint; event: Fields } | null {
  const stamp = TIMESTAMP.exec(line);
  if (!stamp) return null;
  try {
    const event: unknown = JSON.parse(line);
    const isEvent = fields(event).kernel ?? fields(event).startup ?? fields(event).userspace;
    return isEvent === undefined ? null : { time: BigInt(stamp[1]!), event: fields(event) };
  } catch {
    // cut or joined with other text: the caller counts the line as unreadable
    return null;
  }
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function integer(value: unknown): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null;
}

class RetisReader implements LineReader {
  readonly #section: Section;
  readonly #source: SectionSource;
  readonly #interner = new Interner();
  readonly #interfaces = new Map<string, number>();
  readonly #frame = new Frame();
  /** CLOCK_REALTIME - CLOCK_MONOTONIC at the start of the run, ns; null when the file does not begin with it. */
  #offset: bigint | null = null;
  #first: bigint | null = null;
  #started = false;

  constructor(section: Section) {
    this.#section = section;
    this.#source = new SectionSource(section, retis.id);
  }

  line(line: string, number: number): boolean {
    const parsed = line.startsWith(START) ? parse(line) : null;
    if (!parsed) return false;
    const { event, time } = parsed;
    if (event.startup !== undefined) return this.#start(fields(event.startup), number);
    this.#started = true;
    this.#first ??= time;
    const kernel = fields(event.kernel);
    const symbol = text(kernel.symbol) ?? '';
    const at = Number(time - this.#first) as SourceTime;
    const bytes = packetBytes(event);
    if (event['skb-drop'] !== undefined) this.#drop(event, bytes, at, number);
    else if (symbol === 'tcp:tcp_send_reset') this.#reset(event, bytes, at, number);
    else if (WIRE.has(symbol)) this.#wire(event, bytes, at, number, WIRE.get(symbol)!);
    else this.#unused(number);
    return true;
  }

  /** The first event of a run; a later one begins the next run, with a clock of its own. */
  #start(startup: Fields, number: number): boolean {
    if (this.#started) return false;
    this.#started = true;
    const offset = fields(startup.clock_monotonic_offset);
    const [seconds, nanoseconds] = [integer(offset.sec), integer(offset.nsec)];
    if (seconds !== null && nanoseconds !== null)
      this.#offset = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
    const version = text(startup.retis_version) ?? 'unknown';
    if (!KNOWN_VERSION.test(version))
      this.#source.diagnose(
        'retis-version-unknown',
        'info',
        number,
        'written by a version of retis whose events were not known when this was written (1.5 to 1.7 are)',
        version,
      );
    return true;
  }

  #open(): Source {
    const first = this.#first ?? 0n;
    return this.#source.open(
      this.#offset === null ? clockOf('monotonic', 1, first) : clockOf('realtime', 1, this.#offset + first),
    );
  }

  #drop(event: Fields, bytes: Uint8Array | null, time: SourceTime, line: number): void {
    const header = this.#header(bytes, line);
    const name = text(fields(event['skb-drop']).drop_reason);
    if (!header || name === null) return;
    const subsystem = text(fields(event['skb-drop']).subsys);
    const cameIn = integer(fields(event.dev ?? fields(event.skb).dev).rx_ifindex) !== null;
    this.#emit({
      kind: 'drop',
      source: this.#open().id,
      line,
      time,
      pid: pidOf(event),
      from: header.from,
      to: header.to,
      state: stateOf(event),
      flags: header.flags,
      reason: { code: null, name: this.#interner.keep(subsystem ? `${subsystem}/${name}` : name) },
      stack: this.#stack(event),
      place: cameIn ? 'in' : 'unknown',
    });
  }

  #reset(event: Fields, bytes: Uint8Array | null, time: SourceTime, line: number): void {
    if (bytes === null) {
      this.#untold(line);
      return;
    }
    const header = this.#header(bytes, line);
    if (!header) return;
    const reason =
      text(fields(event.sock).reset_reason) ?? text(fields(event['sk-reset-reason']).reset_reason);
    this.#emit({
      kind: 'reset-sent',
      source: this.#open().id,
      line,
      time,
      socket: null,
      pid: pidOf(event),
      comm: null,
      state: stateOf(event),
      reason: reason === null ? null : this.#interner.keep(reason),
      ...endsOfReset(header),
    });
  }

  #wire(event: Fields, bytes: Uint8Array | null, time: SourceTime, line: number, direction: number): void {
    const linkType = bytes && linkTypeOf(bytes);
    if (!bytes || !linkType) {
      this.#unused(line);
      return;
    }
    const source = this.#open();
    const frame = this.#frame;
    frame.bytes = bytes;
    frame.captured = bytes.length;
    frame.length = Math.max(bytes.length, integer(packetOf(event).len) ?? 0);
    frame.time = time;
    frame.linkType = linkType;
    frame.interfaceId = this.#interface(event, source);
    frame.number = line;
    frame.direction = direction;
    source.records++;
    this.#section.context.sink.frame(source, frame);
  }

  /** One number for each device of each network namespace. */
  #interface(event: Fields, source: Source): number {
    const dev = text(fields(event.dev ?? fields(event.skb).dev).name) ?? '';
    const ns = fields(event.netns ?? fields(event.skb).ns);
    const key = `${integer(ns.inum) ?? integer(ns.netns) ?? ''} ${dev}`;
    let id = this.#interfaces.get(key);
    if (id === undefined) {
      id = Math.min(this.#interfaces.size, MAX_INTERFACES);
      this.#interfaces.set(this.#interner.keep(key), id);
      source.interfaces ??= [];
      source.interfaces[id] = this.#interner.keep(dev);
    }
    return id;
  }

  #header(bytes: Uint8Array | null, line: number): PacketHeader | null {
    if (bytes === null) {
      this.#open();
      this.#source.diagnose(
        'retis-without-packet',
        'data-loss',
        line,
        'drops that do not say of which packet: retis was run without its skb collector',
      );
      return null;
    }
    const header = segmentHeader(bytes);
    if (!header) {
      this.#open();
      this.#source.diagnose('not-tcp', 'info', line, 'packets of other protocols, not read');
    }
    return header;
  }

  /** A RST that answers no packet: the event has the socket, but not its ends. */
  #untold(line: number): void {
    this.#open();
    this.#source.diagnose(
      'reset-without-packet',
      'info',
      line,
      'RSTs that the kernel sent by itself: the event does not say on which connection',
    );
  }

  #stack(event: Fields): string[] {
    const frames = fields(event.kernel).stack_trace;
    if (!Array.isArray(frames)) return [];
    return frames
      .slice(0, 128)
      .flatMap((f) =>
        typeof f === 'string' ? [this.#interner.keep(f.replace(/\+0x[0-9a-f]+.*$/, ''))] : [],
      );
  }

  #unused(line: number): void {
    this.#open();
    this.#source.diagnose(
      'events-not-used',
      'info',
      line,
      'events of other probes: of a packet on its way through the kernel only interfaces, drops and RSTs are used',
    );
  }

  #emit(event: KernelEvent): void {
    this.#source.event(this.#open(), event);
  }

  /** A run that saw nothing is a run. */
  end(): void {
    if (this.#started) this.#open();
  }
}

/** In a section of its own since 1.6, before that in `skb`. */
function packetOf(event: Fields): Fields {
  return fields(event.packet ?? fields(event.skb).packet);
}

function packetBytes(event: Fields): Uint8Array | null {
  const packet = packetOf(event);
  const data = text(packet.data) ?? text(packet.raw) ?? text(packet.packet);
  return data === null || data === '' ? null : bytesOfBase64(data);
}

function pidOf(event: Fields): number | null {
  return integer(fields(fields(event.common).task).pid);
}

function stateOf(event: Fields): TcpState | null {
  const state = text(fields(fields(event.sock).common).state);
  return state === null ? null : parseState(state);
}

/** As far as it is base64, whatever stands in it. */
function bytesOfBase64(text: string): Uint8Array {
  const known = text.replace(/[^A-Za-z0-9+/]/g, '');
  const whole = known.length % 4 === 1 ? known.slice(0, -1) : known;
  return Uint8Array.from(atob(whole), (c) => c.charCodeAt(0));
}
