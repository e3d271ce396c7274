/** Options behind a packet: which way it went, and what its comments say. Nothing is allocated per packet. */
import { DIRECTION_IN, DIRECTION_OUT, type Frame } from '../../model/packet.ts';
import type { CapturedProcess } from '../../model/process.ts';
import { i32, u16 } from './byte-order.ts';
import { PacketComments } from './packet-comments.ts';
import { optionsOf, type PcapngOption, padded } from './pcapng-options.ts';

const END_OF_OPTIONS = 0;
/** opt_comment, of every block. */
export const COMMENT = 1;
/** epb_flags, and pack_flags of the obsolete packet block. */
const FLAGS = 2;
const INBOUND = 1;
const OUTBOUND = 2;

export class PacketOptions {
  readonly #comments: PacketComments;

  /** @param processes grows by every process that comments name */
  constructor(processes: CapturedProcess[]) {
    this.#comments = new PacketComments(processes);
  }

  /** Sets the frame's direction and process from bytes[start .. end); false when an option reaches beyond `end`. */
  read(bytes: Uint8Array, start: number, end: number, big: boolean, frame: Frame): boolean {
    let pos = start;
    let isWhole = true;
    frame.optionsStart = start;
    frame.optionsEnd = end;
    frame.optionsBig = big;
    this.#comments.clear();
    while (end - pos >= 4) {
      const code = u16(bytes, pos, big);
      const length = u16(bytes, pos + 2, big);
      if (code === END_OF_OPTIONS) break;
      pos += 4;
      if (pos + length > end) {
        isWhole = false;
        break;
      }
      if (code === COMMENT) this.#comments.add(bytes, pos, length);
      else if (code === FLAGS && length === 4) frame.direction = directionOf(i32(bytes, pos, big) & 3);
      pos += padded(length);
    }
    frame.process = this.#comments.process();
    return isWhole;
  }
}

export function clearOptions(frame: Frame): void {
  frame.direction = 0;
  frame.process = 0;
  frame.optionsStart = 0;
  frame.optionsEnd = 0;
}

/** Numbers among the options of a packet: flags, dropcount, packetid, queue. */
const NUMBERS = new Set([FLAGS, 4, 5, 6]);

/** What the file it was read from says of a packet, its comments among it. */
export function packetOptionsOf({ bytes, optionsStart, optionsEnd, optionsBig }: Frame): PcapngOption[] {
  return optionsOf(bytes, optionsStart, optionsEnd, optionsBig, NUMBERS);
}

function directionOf(flag: number): number {
  if (flag === INBOUND) return DIRECTION_IN;
  return flag === OUTBOUND ? DIRECTION_OUT : 0;
}
