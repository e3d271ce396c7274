/**
 * How a socket ended by its own kernel's word: sk_err as it goes to CLOSE (tcp_done_with_error), and what it was sent or
 * took in the same call. The first death of the two ends is the cause: what is reset afterwards met no socket any more.
 */
import { type KeyPacket, type Transition, WHY_RETRANSMIT } from '../../model/connection.ts';
import type { Facts } from '../facts/facts.ts';
import type { LifeFacts } from '../facts/life.ts';
import { MARGIN } from '../facts/timing.ts';
import { memoised } from '../memo.ts';
import type { Moment } from '../rule.ts';
import { saidResets } from './kernel-said.ts';

const EPIPE = 32;
const ENETUNREACH = 101;
const ECONNABORTED = 103;
const ECONNRESET = 104;
const ETIMEDOUT = 110;
const ECONNREFUSED = 111;
const EHOSTUNREACH = 113;

/** tcp_reset took a RST of the peer; in CLOSE_WAIT the error is EPIPE. */
const TAKEN: readonly number[] = [EPIPE, ECONNRESET, ECONNREFUSED];
/** tcp_write_err: sk_err_soft, which an ICMP message left, else ETIMEDOUT. */
const GIVEN_UP: readonly number[] = [ETIMEDOUT, EHOSTUNREACH, ENETUNREACH];
/** States in which something sent waits for its acknowledgment, or a probe of the window for its answer. */
const RETRANSMITTING: readonly string[] = ['ESTABLISHED', 'CLOSE_WAIT', 'FIN_WAIT1', 'LAST_ACK', 'CLOSING'];

/** Straight to CLOSE: from a live state, or refused. */
export function endOf(life: LifeFacts): Transition | null {
  return life.abort ?? life.find('SYN_SENT', 'CLOSE');
}

/** It ended because a RST came: whoever was running then did nothing (G12). False where nothing says so. */
export function tookReset(f: Facts, life: LifeFacts): boolean {
  const end = endOf(life);
  if (!end || sentReset(f, life, end)) return false;
  const error = end.fields?.error;
  if (error !== undefined) return TAKEN.includes(error);
  return f.case.kernel.some(
    (e) => e.kind === 'reset-received' && e.socket === life.life.socket && near(f, life, end, e),
  );
}

/** tcp_abort: SOCK_DESTROY of `ss -K`, or of another that asked for it. Where no fields were read, by whoever ran. */
export function wasDestroyed({ abort }: LifeFacts): boolean {
  if (!abort) return false;
  return abort.fields ? abort.fields.error === ECONNABORTED : abort.comm === 'ss';
}

/** The socket itself sent a RST as it ended. */
function sentReset(f: Facts, life: LifeFacts, end: Transition): boolean {
  return saidResets(f).some((s) => s.socket === life.life.socket && near(f, life, end, s.event));
}

function near(f: Facts, { life }: LifeFacts, end: Transition, e: Parameters<Facts['atEvent']>[0]): boolean {
  return f.probes.oneCall({ ...end, source: life.source }, e);
}

interface GivenUp {
  life: LifeFacts;
  end: Transition;
  moment: Moment;
  /** sk_err says so; otherwise only that no RST had come yet, and retransmissions had no answer. */
  said: boolean;
}

/**
 * The timer of retransmissions (or of window probes) ended a socket, and nothing had reset the connection before: the kernel
 * sends no RST then. A keepalive that ends so sends one first.
 */
export const gaveUp = memoised((f: Facts): GivenUp | null => {
  for (const life of f.lives) {
    const end = life.life.transitions.findLast((t) => t.to === 'CLOSE' && RETRANSMITTING.includes(t.from));
    if (!end || sentReset(f, life, end)) continue;
    const moment = f.atTransition(life, end);
    const said = GIVEN_UP.includes(end.fields?.error ?? 0);
    if (!said && (end.fields !== undefined || life.byOwner(end) || !unansweredBefore(f, life, moment)))
      continue;
    if (!isFirst(f, life, moment)) continue;
    return { life, end, moment, said };
  }
  return null;
});

/** The capture shows retransmissions that nothing answered until the socket was gone, and its first RST well after that. */
function unansweredBefore(f: Facts, { side }: LifeFacts, moment: Moment): boolean {
  const { wire } = f;
  const reset = wire?.resets[0];
  if (!wire || !reset) return false;
  const error = f.world.clockError(moment.source, wire.wire.source) + MARGIN;
  const earlier = (p: KeyPacket) => (f.world.between(moment, f.atPacket(wire, p)) ?? -1) > 0;
  if ((f.world.between(f.atPacket(wire, reset.packet), moment) ?? -1) < error) return false;
  const before = wire.packets.filter(earlier);
  const answer = before.findLast((p) => wire.sideOf(p) !== side);
  return before.some(
    (p) => p.why & WHY_RETRANSMIT && wire.sideOf(p) === side && p.time > (answer?.time ?? 0),
  );
}

/** No RST was seen before, nor did the other socket end. */
function isFirst(f: Facts, own: LifeFacts, moment: Moment): boolean {
  const before = (m: Moment) => (f.world.between(moment, m) ?? -1) > 0;
  if (saidResets(f).some((s) => s.wentOn === false && before(s.moment))) return false;
  if (f.wires.some((w) => w.resets.some((r) => before(f.atPacket(w, r.packet))))) return false;
  return !f.lives.some((l) => l !== own && l.abort !== null && before(f.atTransition(l, l.abort)));
}
