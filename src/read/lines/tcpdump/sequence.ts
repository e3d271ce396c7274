/**
 * tcpdump prints sequence numbers relative to the first it saw of a conversation. This undoes it, with the same
 * table as print-tcp.c: the first segment with ACK, and every SYN with ACK, is printed as it is and records the bases
 * of both directions (its seq, and its ack - 1); a segment without ACK is printed as it is and records nothing.
 * With -S everything is printed as it is, which shows itself: the numbers then continue the absolute ones.
 * A probe (keepalive, or of a closed window) is an ACK one below the next number, which is not printed either: it is the
 * ACK that says the same again although its sender has nothing to answer.
 * A paste may begin behind the line that recorded the bases: its numbers fit each other, and no RST without ACK.
 */
import { ACK, FIN, RST, SYN, seqDiff } from '../../../model/tcp.ts';
import { NS_PER_MS } from '../../../model/time.ts';

/** Numbers nearer than this to what is expected next continue it; farther ones do not. */
const NEAR = 1 << 28;
/** An acknowledgment below this, where a conversation begins without SYN, is hardly an absolute number. */
const SMALL = 1 << 24;

/** One conversation; index 0 is the end that sorts first. */
interface Conversation {
  recorded: boolean;
  /** The line with the bases is not there. */
  headless: boolean;
  /** What was last acknowledged to each end. */
  acked: [number | null, number | null];
  base: [number, number];
  /** Next sequence number of each end, absolute; null before it is known. */
  next: [number | null, number | null];
  /** What each end sent last; null before it sent anything. */
  last: [Sent | null, Sent | null];
  lastSender: 0 | 1 | null;
  /** What came to each end that it has to answer: 1; -1: nothing was seen to come. */
  owes: [number, number];
}

export interface Printed {
  flags: number;
  /** As printed; null where it is not. */
  seq: number | null;
  ack: number | null;
  payload: number;
  window: number;
}

interface Sent {
  ack: number;
  window: number;
  /** ns; null in a text without times. */
  time: number | null;
}

/** Two ACKs nearer than this to each other may be copies, or answer segments that a burst brought, ns. */
const PROBES_APART = 100 * NS_PER_MS;

export class SequenceTable {
  readonly #conversations = new Map<string, Conversation>();
  /** -S: null until a number shows it. */
  #absolute: boolean | null;

  constructor(absolute: boolean | null) {
    this.#absolute = absolute;
  }

  /**
   * Makes the printed numbers absolute, as signed 32-bit views. `seq` is null for a pure ACK, which tcpdump prints
   * without: it is then the next one of its sender, or the base of the relative numbers when no number was seen.
   * `time`: ns; null in a text without times.
   */
  resolve(
    key: string,
    sender: 0 | 1,
    { flags, seq, ack, payload, window }: Printed,
    time: number | null,
  ): { seq: number; ack: number } {
    const c = this.#conversation(key);
    const peer = (1 - sender) as 0 | 1;
    const relative = (flags & ACK) !== 0 && c.recorded && (flags & SYN) === 0;
    if (relative) {
      seq = seq === null ? null : this.#toAbsolute(seq, c.base[sender], c.next[sender]);
      ack = ack === null ? null : this.#toAbsolute(ack, c.base[peer], c.next[peer]);
    } else if (flags & ACK) {
      c.headless = !c.recorded && (flags & SYN) === 0 && ack !== null && ack >>> 0 < SMALL;
      c.recorded = true;
      c.base[sender] = seq ?? 0;
      c.base[peer] = ack === null ? 0 : (ack - 1) | 0;
    }
    // it has the number that the segment acknowledged to which it is the answer
    else if (flags & RST && c.headless) seq = c.acked[sender] ?? seq;
    if (ack !== null) c.acked[peer] = ack | 0;
    const sent = { ack: (ack ?? 0) | 0, window, time };
    const probes = flags === ACK && seq === null && isAgain(c, sender, sent) ? 1 : 0;
    const own = ((seq ?? c.next[sender] ?? c.base[sender]) - probes) | 0;
    c.last[sender] = sent;
    c.lastSender = sender;
    c.owes[sender] = Math.min(c.owes[sender], 0);
    c.owes[peer] = payload > 0 || flags !== ACK || probes === 1 ? 1 : Math.max(c.owes[peer], 0);
    if (seq !== null) advance(c, sender, flags, (own + payload + phantom(flags)) | 0);
    if (ack !== null) c.next[peer] ??= ack | 0;
    return { seq: own, ack: (ack ?? 0) | 0 };
  }

  #conversation(key: string): Conversation {
    let c = this.#conversations.get(key);
    if (!c) {
      c = {
        ...{ recorded: false, headless: false, acked: [null, null], base: [0, 0], next: [null, null] },
        ...{ last: [null, null], lastSender: null, owes: [-1, -1] },
      };
      this.#conversations.set(key, c);
    }
    return c;
  }

  #toAbsolute(printed: number, base: number, next: number | null): number {
    const shifted = (printed + base) | 0;
    if (this.#absolute === null && next !== null) {
      const asRelative = Math.abs((shifted - next) | 0);
      const asAbsolute = Math.abs((printed - next) | 0);
      if (asRelative < NEAR !== asAbsolute < NEAR) this.#absolute = asAbsolute < NEAR;
      // numbers so small that both are near: the one that is next exactly
      else if ((asRelative === 0) !== (asAbsolute === 0)) this.#absolute = asAbsolute === 0;
    }
    return this.#absolute ? printed | 0 : shifted;
  }
}

/** The end says what it said last, some time ago or before the peer spoke, and nothing has come to it since that asks for an answer. */
function isAgain(
  { last, lastSender, owes }: Conversation,
  sender: 0 | 1,
  { ack, window, time }: Sent,
): boolean {
  const before = last[sender];
  if (!before || owes[sender] !== 0 || before.ack !== ack || before.window !== window) return false;
  // without times: no copy, for the peer has spoken in between
  return time === null || before.time === null ? lastSender !== sender : time - before.time >= PROBES_APART;
}

/** SYN and FIN take a sequence number each. */
function phantom(flags: number): number {
  return (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
}

/** A retransmission does not set the next number back; a SYN begins anew. */
function advance(c: Conversation, sender: 0 | 1, flags: number, end: number): void {
  const next = c.next[sender];
  if (next === null || (flags & SYN) !== 0 || seqDiff(end, next) > 0) c.next[sender] = end;
}
