/**
 * A SYN that met an older connection of its ports: the server answered with that one's numbers (RFC 9293 §3.10.7.4), and the
 * client reset the answer. A TIME_WAIT and a connection that the server holds for open answer alike.
 */
import { CLIENT, type KeyPacket, SERVER } from '../../model/connection.ts';
import { OPT_TIMESTAMP } from '../../model/packet.ts';
import { ACK, RST, SYN, seqDiff } from '../../model/tcp.ts';
import { memoised } from '../memo.ts';
import { span } from '../words.ts';
import type { Facts } from './facts.ts';
import type { WireFacts } from './wire.ts';
import { nextSeq } from './wire-resets.ts';

export interface Challenge {
  wire: WireFacts;
  syn: KeyPacket;
  ack: KeyPacket;
  reset: KeyPacket;
  /** The SYN sent again after that, and taken. */
  again: KeyPacket | null;
  /** What the server still held; null where both fit. */
  met: 'open' | 'time-wait' | null;
  /** The older connection, where the files show one that stood at these numbers. */
  old: WireFacts | null;
}

/** In words, after what the client did with the answer. */
export function takenAgain({ syn, again }: Challenge): string {
  return again ? `, and its SYN was taken when it came again ${span(again.time - syn.time)} later` : '';
}

export const challenge = memoised((f: Facts): Challenge | null => {
  for (const wire of f.wires) {
    const seen = inCapture(wire);
    if (!seen) continue;
    const old = f.world.earlierLives(f).find((o) => stoodAt(o.wire, seen.ack))?.wire ?? null;
    const met = old ? stateAfter(old) : timeWaitTakes(seen) ? 'open' : null;
    return { ...seen, wire, met, old };
  }
  return null;
});

/** SYN, an ACK that does not acknowledge it, and a RST with just the number that ACK asked for. */
function inCapture(wire: WireFacts): Pick<Challenge, 'syn' | 'ack' | 'reset' | 'again'> | null {
  const { packets } = wire;
  const syn = packets.find((p) => (p.flags & (SYN | ACK)) === SYN && wire.sideOf(p) === CLIENT);
  if (!syn) return null;
  const after = packets.slice(packets.indexOf(syn) + 1);
  const ack = after.find(
    (p) =>
      wire.sideOf(p) === SERVER && (p.flags & (SYN | ACK | RST)) === ACK && seqDiff(p.ack, syn.seq + 1) !== 0,
  );
  if (!ack) return null;
  // a SYN-ACK, or an ACK of the client, which the file lacks the SYN-ACK of: the connection itself acknowledges
  const opened = after.some((p) => p.time < ack.time && p.flags & ACK && !(p.flags & RST));
  if (opened) return null;
  const reset = after.find(
    (p) => p.flags & RST && wire.sideOf(p) === CLIENT && seqDiff(p.seq, ack.ack) === 0,
  );
  if (!reset) return null;
  const taken = after.find((p) => p.flags & SYN && p.flags & ACK && p.time > reset.time);
  const again = taken
    ? wire.before(taken, CLIENT).find((p) => p.flags & SYN && p.time > reset.time && nextSeq(p) === taken.ack)
    : undefined;
  return { syn, ack, reset, again: again ?? null };
}

/** The numbers of the ACK are those at which a connection stood. */
function stoodAt(old: WireFacts | null, ack: KeyPacket): boolean {
  if (!old) return false;
  const [sent, received] = [old.of(old.wire.nextSeq, SERVER), old.of(old.wire.nextSeq, CLIENT)];
  return (
    sent !== null && received !== null && seqDiff(ack.seq, sent) === 0 && seqDiff(ack.ack, received) === 0
  );
}

/** How its packets left the server's side of a connection; null where a loss may have kept it open. */
function stateAfter(old: WireFacts): Challenge['met'] {
  if (old.finTime(SERVER) === null) return 'open';
  return endedInTimeWait(old) ? 'time-wait' : null;
}

/** The server had sent the first FIN, or both crossed, and each was acknowledged: nothing else is left of it than TIME_WAIT. */
export function endedInTimeWait(old: WireFacts): boolean {
  const acked = ([CLIENT, SERVER] as const).every((side) => old.of(old.wire.finAckedTime, side) !== null);
  return (
    acked && old.firstFin !== CLIENT && old.firstFin !== null && old.wire.rsts[0] + old.wire.rsts[1] === 0
  );
}

/** tcp_timewait_state_process: it takes a SYN of a newer timestamp, or of a newer number where no timestamp is older. */
function timeWaitTakes({ syn, ack }: Pick<Challenge, 'syn' | 'ack'>): boolean {
  const stamped = (syn.options & ack.options & OPT_TIMESTAMP) !== 0;
  // its ACK echoes the last timestamp that it got (tw_ts_recent)
  const newer = stamped ? seqDiff(syn.tsVal, ack.tsEcr) : 0;
  return newer > 0 || (newer === 0 && seqDiff(syn.seq, ack.ack) > 0);
}
