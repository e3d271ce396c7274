/** What the key packets of an orderly connection tell of its beginning and its end, without making objects. */
import { WHY_FIRST_DATA, WHY_RETRANSMIT, WHY_THIRD_ACK } from '../model/connection.ts';
import type { PlainMoments } from '../model/plain.ts';
import { ACK, FIN, SYN } from '../model/tcp.ts';
import { closingTimes } from './key-packets.ts';
import {
  KEY_LINK,
  KEY_PACKET,
  KEY_SIDE_SHIFT,
  KEY_TIME,
  KEY_WHY,
  KEY_WHY_MASK,
  KEY_WHY_SHIFT,
  KEYS,
  PACKED_ACK,
  PACKED_FLAGS,
  PACKED_SEQ,
} from './layout.ts';
import type { Store } from './store.ts';

export function noMoments(): PlainMoments {
  const none = Number.NaN;
  const ack = { ackTime: none, ackFlags: 0, ackPayload: 0 };
  return { whys: 0, answered: none, thirdAck: none, repeats: 0, lastRepeat: none, ...ack };
}

const times = new Float64Array(4);

/** `client`: the side that is called so; `first`: whose FIN came first, as the client's or the server's. */
export function readMoments(
  store: Store,
  at: number,
  client: number,
  first: number,
  out: PlainMoments,
): void {
  const { words, doubles } = store.keys;
  closingTimes(store, at, times);
  const closer = first ^ client;
  const acked = times[2 + closer]!;
  let [syn, isn, answer, answers] = [Number.NaN, 0, Number.NaN, 0];
  out.whys = 0;
  out.thirdAck = Number.NaN;
  let completed = Number.NaN;
  out.repeats = 0;
  out.lastRepeat = Number.NaN;
  out.ackTime = Number.NaN;
  // linked from late to early: what stands last is the first of its kind
  for (let key = store.connections.words[at + KEYS]!; key !== 0; key = words[key + KEY_LINK]!) {
    const bits = words[key + KEY_WHY]!;
    const why = (bits >> KEY_WHY_SHIFT) & KEY_WHY_MASK;
    const side = bits >>> KEY_SIDE_SHIFT;
    const flags = words[key + KEY_PACKET + PACKED_FLAGS]!;
    const time = doubles[(key + KEY_TIME) >> 1]!;
    out.whys |= why;
    if (why & WHY_RETRANSMIT && (flags & (SYN | FIN)) === 0 && out.repeats++ === 0) out.lastRepeat = time;
    if (flags & SYN) {
      if (flags & ACK) {
        if (side !== client) [answer, answers] = [time, words[key + KEY_PACKET + PACKED_ACK]!];
      } else if (side === client) [syn, isn] = [time, words[key + KEY_PACKET + PACKED_SEQ]!];
    } else if (side === client) {
      if (why & WHY_THIRD_ACK) out.thirdAck = time;
      if (why & (WHY_THIRD_ACK | WHY_FIRST_DATA)) completed = time;
    }
    if (side !== closer && flags & ACK && time === acked) {
      out.ackTime = time;
      out.ackFlags = flags & 0x1ff;
      out.ackPayload = flags >>> 9;
    }
  }
  const inOrder = answers === ((isn + 1) | 0) && !(completed < answer);
  out.answered = inOrder ? answer - syn : Number.NaN;
}
