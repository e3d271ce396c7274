/**
 * Undoes what Wireshark computes for its Info column. Relative numbers begin at 0 for each direction, so they serve as
 * they are, until ports are used again: then they are moved, so that the later SYN is no repetition of the earlier.
 * A window is printed times the scale that the SYN of its sender announced, where both SYNs had the option.
 */
import { OPT_WSCALE } from '../../../model/packet.ts';
import { ACK, RST, SYN } from '../../../model/tcp.ts';
import type { SegmentInfo } from './info.ts';

/** How far apart the numbers of successive connections of the same ports are put. */
const APART = 1 << 28;

type Sent = 'nothing' | 'SYNs' | 'more';

interface Conversation {
  /** Added to relative numbers. */
  base: number;
  /** What the end that sorts first sent so far, and the other. */
  sent: [Sent, Sent];
  /** Scale announced by the end that sorts first, and the other; null without SYN. */
  scale: [number | null, number | null];
}

export class Conversations {
  readonly #all = new Map<string, Conversation>();

  /** Signed views of seq and ack, and the window as on the wire. */
  resolve(
    source: string,
    destination: string,
    info: SegmentInfo,
  ): { seq: number; ack: number; window: number } {
    const a = `${source} ${info.sourcePort}`;
    const b = `${destination} ${info.destinationPort}`;
    const side = a < b ? 0 : 1;
    const key = side === 0 ? `${a} ${b}` : `${b} ${a}`;
    const c = this.#all.get(key) ?? { base: 0, sent: ['nothing', 'nothing'], scale: [null, null] };
    this.#all.set(key, c);
    const syn = (info.flags & SYN) !== 0;
    if (info.reused && syn && info.seq === 0) {
      c.base = (c.base + APART) | 0;
      c.sent = ['nothing', 'nothing'];
      c.scale = [null, null];
    }
    if (syn) c.scale[side] = info.options & OPT_WSCALE ? info.scale : null;
    // counting begins at 1 for an end whose first segment is no SYN: that of a refusal, which answers one, is 0 with Linux
    const isAnswer = c.sent[side] === 'nothing' && c.sent[1 - side] === 'SYNs';
    const isRefusal = isAnswer && (info.flags & (SYN | RST | ACK)) === (RST | ACK) && info.seq === 1;
    c.sent[side] = c.sent[side] !== 'more' && (info.flags & (SYN | ACK)) === SYN ? 'SYNs' : 'more';
    const [own, other] = [c.scale[side]!, c.scale[1 - side]!];
    const shift = syn || own === null || other === null ? 0 : own;
    return {
      seq: ((isRefusal ? 0 : info.seq) + c.base) | 0,
      ack: info.ack === null ? 0 : (info.ack + c.base) | 0,
      window: Math.floor(info.window / 2 ** shift) & 0xffff,
    };
  }
}
