/** What a reset cost the two: how grave it is, and what to look at. */
import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import { NS_PER_MS } from '../../model/time.ts';
import type { Facts } from '../facts/facts.ts';
import type { WireFacts } from '../facts/wire.ts';
import type { WireReset } from '../facts/wire-resets.ts';
import { span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { otherSide } from './common.ts';
import { bytesInFlight, withLoss } from './held-back.ts';

/** No client that waits for an answer gives up sooner, ns. */
const PATIENCE = 100 * NS_PER_MS;

const TOO_LATE =
  'Find out why the server had not answered by then, or let the client wait longer: the client ended the connection without one.';
const CUT_OFF = 'Look in the log of the server: it ended the connection before it had answered.';

/**
 * The candidates, the first with what the reset cost. Who closes so at its end meant it; before the server has sent
 * anything its client got nothing, whatever was meant. One that closed without a word, as health checks do, had asked
 * for nothing.
 */
export function weighed(f: Facts, wire: WireFacts, reset: WireReset, candidates: Candidate[]): Candidate[] {
  const [likeliest, ...others] = candidates;
  if (!likeliest) return [];
  const { packet } = reset;
  const first = withLoss(f, wire, reset, likeliest);
  if (isGuess(first) && hadItsAnswer(f, wire, reset)) {
    const because = () => `${first.because()}. It had acknowledged all that the server had answered`;
    return [{ ...first, because, severity: 'info' }, ...others];
  }
  if (first.rule !== 'linger-zero-reset' || !wire.sawHandshake || !wire.sentNothing(SERVER, packet))
    return [first, ...others];
  const hasAsked = !wire.sentNothing(CLIENT, packet);
  const question = wire.packets.find((p) => wire.sideOf(p) === CLIENT && p.payload > 0);
  if (first.side === 'client' && hasAsked && question) {
    const waited = packet.time - question.time;
    const because = () => `${first.because()}; ${span(waited)} after its first data it had no answer`;
    // some checks only send, and wait for nothing
    const late = waited >= PATIENCE && { severity: 'warning' as const, remedy: TOO_LATE };
    return [{ ...first, because, ...late }, ...others];
  }
  if (first.side !== 'server' || !(hasAsked || wire.finTime(CLIENT) === null)) return [first, ...others];
  return [{ ...first, severity: 'warning', ...(hasAsked && { remedy: CUT_OFF }) }, ...others];
}

function isGuess({ rule, confidence }: Candidate): boolean {
  return rule === 'unexplained-reset' || (rule === 'unread-data-reset' && confidence === 'possible');
}

/** Windows and others make RSTs of this shape for each close() that Linux would do so too: here nobody waited for anything. */
function hadItsAnswer(f: Facts, wire: WireFacts, { packet, side }: WireReset): boolean {
  if (side !== CLIENT || f.stack(CLIENT) === 'linux' || wire.oneDirection || !wire.sawHandshake) return false;
  const isAcked = (own: SideIndex) =>
    wire.of(wire.wire.acked, otherSide(own)) !== null && bytesInFlight(wire, own) === 0;
  const last = wire.packets.findLast((p) => p.payload > 0 && p.time < packet.time);
  return isAcked(CLIENT) && isAcked(SERVER) && last !== undefined && wire.sideOf(last) === SERVER;
}
