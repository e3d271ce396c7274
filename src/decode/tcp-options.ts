/** TCP options (https://www.iana.org/assignments/tcp-parameters). */
import {
  OPT_AO,
  OPT_DAMAGED,
  OPT_FASTOPEN,
  OPT_MD5,
  OPT_MPTCP,
  OPT_MSS,
  OPT_SACK,
  OPT_SACK_PERMITTED,
  OPT_TIMESTAMP,
  OPT_WSCALE,
  ORDER_BITS,
  ORDER_MSS,
  ORDER_NOP,
  ORDER_OTHER,
  ORDER_PLACES,
  ORDER_SACK_PERMITTED,
  ORDER_TIMESTAMP,
  ORDER_WSCALE,
  type Packet,
} from '../model/packet.ts';
import { word } from './cursor.ts';

const END = 0;
const NOP = 1;
const MSS = 2;
const WINDOW_SCALE = 3;
const SACK_PERMITTED = 4;
const SACK = 5;
const TIMESTAMPS = 8;
const MD5 = 19;
const AO = 29;
const MPTCP = 30;
const FAST_OPEN = 34;
/** RFC 6994: experiments, told apart by an identifier; 0xf989 is Fast Open before it had a number. */
const EXPERIMENT_1 = 253;
const EXPERIMENT_2 = 254;
const FAST_OPEN_EXPERIMENT = 0xf989;

/**
 * Reads the options in bytes[start .. end) into `packet`. One of impossible length sets OPT_DAMAGED and ends the
 * reading when it would lead beyond `end`; what was read before it stays.
 */
export function readTcpOptions(bytes: Uint8Array, start: number, end: number, packet: Packet): void {
  let pos = start;
  let place = 0;
  packet.optionOrder = 0;
  while (pos < end) {
    const kind = bytes[pos];
    if (kind === END) return;
    if (place < ORDER_PLACES) packet.optionOrder |= orderKind(kind) << (ORDER_BITS * place++);
    if (kind === NOP) {
      pos++;
      continue;
    }
    const length = pos + 1 < end ? bytes[pos + 1] : 0;
    if (length < 2 || pos + length > end) {
      packet.options |= OPT_DAMAGED;
      return;
    }
    packet.options |= readOption(bytes, pos, kind, length, packet);
    pos += length;
  }
}

function orderKind(kind: number): number {
  switch (kind) {
    case NOP:
      return ORDER_NOP;
    case MSS:
      return ORDER_MSS;
    case WINDOW_SCALE:
      return ORDER_WSCALE;
    case SACK_PERMITTED:
      return ORDER_SACK_PERMITTED;
    case TIMESTAMPS:
      return ORDER_TIMESTAMP;
    default:
      return ORDER_OTHER;
  }
}

/** The bit of one option; OPT_DAMAGED when its length is not what its kind has. */
function readOption(bytes: Uint8Array, pos: number, kind: number, length: number, packet: Packet): number {
  switch (kind) {
    case MSS:
      if (length !== 4) return OPT_DAMAGED;
      packet.mss = (bytes[pos + 2] << 8) | bytes[pos + 3];
      return OPT_MSS;
    case WINDOW_SCALE:
      if (length !== 3) return OPT_DAMAGED;
      packet.windowScale = bytes[pos + 2];
      return OPT_WSCALE;
    case SACK_PERMITTED:
      return length === 2 ? OPT_SACK_PERMITTED : OPT_DAMAGED;
    case SACK:
      return length >= 10 && length % 8 === 2 ? OPT_SACK : OPT_DAMAGED;
    case TIMESTAMPS:
      if (length !== 10) return OPT_DAMAGED;
      packet.tsVal = word(bytes, pos + 2);
      packet.tsEcr = word(bytes, pos + 6);
      return OPT_TIMESTAMP;
    case MD5:
      return length === 18 ? OPT_MD5 : OPT_DAMAGED;
    case AO:
      return length >= 4 ? OPT_AO : OPT_DAMAGED;
    case MPTCP:
      return length >= 3 ? OPT_MPTCP : OPT_DAMAGED;
    case FAST_OPEN:
      return OPT_FASTOPEN;
    case EXPERIMENT_1:
    case EXPERIMENT_2:
      return length >= 4 && ((bytes[pos + 2] << 8) | bytes[pos + 3]) === FAST_OPEN_EXPERIMENT
        ? OPT_FASTOPEN
        : 0;
    default:
      return 0;
  }
}
