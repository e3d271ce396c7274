/** From a frame to the TCP segment in it, layer by layer, in place: nothing is allocated per packet. */
import type { Diagnostics } from '../model/diagnostic.ts';
import type { Frame, Packet } from '../model/packet.ts';
import { fileOf, type Source } from '../model/source.ts';
import {
  Cursor,
  type IcmpError,
  kindOf,
  linkType,
  SPACE_SIZE,
  SPACES,
  udpPort,
  vantageOf,
} from './cursor.ts';
import { Encapsulations } from './encapsulations.ts';
import { Fragments } from './fragments.ts';
import { layers } from './layers.ts';
import {
  BAD_IP_HEADER,
  ICMP_ERROR,
  NOT_IP,
  NOT_TCP,
  OUTCOMES,
  TCP,
  TOO_DEEP,
  TRUNCATED_IP,
  TRUNCATED_LINK,
  UNKNOWN_ETHERTYPE,
  UNKNOWN_LINK_TYPE,
} from './outcomes.ts';

/** More headers than any real frame has: bounds the work on a hostile one. */
const MAX_LAYERS = 32;

/** Announcement → 1 + index of the layer that answers to it; 0 where none does. */
const answering = new Uint8Array(SPACES * SPACE_SIZE);
for (const [index, layer] of layers.entries()) {
  for (const announcement of layer.over) answering[announcement] ||= index + 1;
}

const RECOGNISABLE = layers.flatMap((layer, index) => (layer.recognises ? [index] : []));

/** 1 + index of the layer that knows its own by content, asked for UDP payloads whose ports say nothing. */
function recognise(announcement: number, cursor: Cursor): number {
  if (announcement < udpPort(0)) return 0;
  for (const index of RECOGNISABLE) if (layers[index].recognises?.(cursor)) return index + 1;
  return 0;
}

/** What an announcement that no layer answers to means, by number space. */
const UNANSWERED = [NOT_TCP, UNKNOWN_LINK_TYPE, UNKNOWN_ETHERTYPE, NOT_TCP, NOT_TCP];

/** Outcomes that show that a guess was wrong. TCP's own mean that all headers before it made sense. */
const NO_SENSE: ReadonlySet<number> = new Set([NOT_IP, TRUNCATED_LINK, TRUNCATED_IP, BAD_IP_HEADER]);

interface DecoderOptions {
  /** Verify TCP checksums, which sets Packet.checksum. */
  checksums?: boolean;
}

/** Decodes the frames of one source and counts what came of them. */
export class Decoder {
  readonly #fragments = new Fragments();
  readonly #cursor: Cursor;
  readonly #path = new Encapsulations();
  readonly #counts = new Float64Array(OUTCOMES.length);
  readonly #first = new Float64Array(OUTCOMES.length);
  /** The announcement that was not answered in the first frame of an outcome. */
  readonly #firstDetail = new Float64Array(OUTCOMES.length);

  constructor(options: DecoderOptions = {}) {
    this.#cursor = new Cursor(this.#fragments, options.checksums ?? false);
  }

  /** Encapsulation paths by Packet.encapsulation, outermost header first: `''`, `vlan`, `vlan>ipv4>gre`. */
  get encapsulations(): readonly string[] {
    return this.#path.texts;
  }

  /**
   * Returns 0 (TCP) with `packet` filled in but for its `source`, else another of OUTCOMES, when `packet` is left
   * in no particular state. A fragmented segment comes with its last fragment; one of which fragments are missing, not.
   */
  decode(frame: Frame, packet: Packet): number {
    const cursor = this.#cursor;
    cursor.bytes = frame.bytes;
    cursor.pos = frame.start;
    cursor.end = frame.start + frame.captured;
    cursor.wireEnd = frame.start + frame.length;
    if (cursor.frame !== frame) cursor.frame = frame;
    cursor.isReassembled = false;
    cursor.guessed = false;
    this.#path.clear();
    packet.vantage = vantageOf(frame.interfaceId, 0, kindOf(frame.direction));
    packet.direction = frame.direction;
    const outcome = this.#walk(cursor, linkType(frame.linkType), packet);
    if (this.#counts[outcome]++ === 0) this.#first[outcome] = frame.number;
    if (outcome === TCP || outcome === ICMP_ERROR) {
      packet.frame = frame.number;
      packet.time = frame.time;
      packet.process = frame.process;
      packet.encapsulation = this.#path.index();
    }
    return outcome;
  }

  /** Of the last segment: where its payload begins in Frame.bytes; -1 where it is not of one frame. */
  get payloadAt(): number {
    return this.#cursor.payloadAt;
  }

  /** Of the last frame whose outcome was ICMP_ERROR, what it says of the segment in the packet. */
  get icmp(): IcmpError {
    return this.#cursor.icmp;
  }

  /** No frame comes for now: the bytes of the last one are not held any longer. */
  rest(): void {
    this.#cursor.letGo();
  }

  /** Turns what was counted into diagnostics of `source`. */
  report(source: Source, diagnostics: Diagnostics): void {
    this.#fragments.report(source, diagnostics);
    for (const [i, { id, severity, message }] of OUTCOMES.entries()) {
      const count = this.#counts[i];
      if (severity === null || count === 0) continue;
      const first = fileOf(source, this.#first[i]);
      diagnostics.add({
        code: id,
        severity,
        source: first.name,
        locator: `frame ${first.number}`,
        count,
        message: message + this.#detail(i),
      });
    }
  }

  #walk(cursor: Cursor, start: number, packet: Packet): number {
    let next = start;
    for (let depth = 0; depth < MAX_LAYERS; depth++) {
      const answer = answering[next] || answering[cursor.alternative] || recognise(next, cursor);
      cursor.alternative = 0;
      if (answer === 0) return cursor.guessed ? NOT_TCP : this.#unanswered(next);
      const layer = layers[answer - 1];
      if (layer.role !== 'plain') this.#path.enter(answer - 1, layer.role === 'ip');
      next = layer.decode(cursor, packet);
      if (next < SPACE_SIZE) return cursor.guessed && NO_SENSE.has(next) ? NOT_TCP : next;
    }
    return TOO_DEEP;
  }

  #unanswered(announcement: number): number {
    const outcome = UNANSWERED[Math.floor(announcement / SPACE_SIZE)];
    if (this.#counts[outcome] === 0) this.#firstDetail[outcome] = announcement % SPACE_SIZE;
    return outcome;
  }

  #detail(outcome: number): string {
    const value = this.#firstDetail[outcome];
    if (outcome === UNKNOWN_LINK_TYPE) return ` (link type ${value})`;
    if (outcome === UNKNOWN_ETHERTYPE) return ` (first: EtherType 0x${value.toString(16).padStart(4, '0')})`;
    return '';
  }
}
