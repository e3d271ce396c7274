/** What a reset cost the two: how grave it is, and what to look at. */
import { CLIENT, type KeyPacket, SERVER } from '../../model/connection.ts';
import type { Severity } from '../../model/finding.ts';
import { ACK, SYN, seqDiff } from '../../model/tcp.ts';
import { NS_PER_MS, NS_PER_S } from '../../model/time.ts';
import type { Facts } from '../facts/facts.ts';
import { knownTimeout, nameOf, SERVERS, silenceOf } from '../facts/idle.ts';
import { hasAnswered, showsLastRequest } from '../facts/last-word.ts';
import type { WireFacts } from '../facts/wire.ts';
import { nextSeq, type WireReset } from '../facts/wire-resets.ts';
import type { RuleId } from '../rules/index.ts';
import { span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { bytesInFlight, withLoss } from './held-back.ts';

/** No client that waits for an answer gives up sooner, ns. */
const PATIENCE = 100 * NS_PER_MS;

const TOO_LATE =
  'Find out why the server had not answered by then, or let the client wait longer: the client ended the connection without one.';
const CUT_OFF = 'Look in the log of the server: it ended the connection before it had answered.';

const UNREAD =
  'Look in the log of the server: it ended the connection before it had answered, with what the client had sent unread.';
const TURNED_AWAY =
  'Look in the log of the server why it ended the connection right after this answer. A server that turns a client away should read what it has sent before it closes, and set no SO_LINGER 0.';

const STALE =
  "Let the client look whether the server has closed a kept connection (end of file) before it sends on it, make its idle timeout shorter than the server's, and repeat requests that are idempotent.";

/** What is said of it more, and in place of what the rule says. */
interface Weight {
  told?(): string;
  severity?: Severity;
  remedy?: string;
}

/** null where the reset is of another kind. `loss`: what it lost is told already. */
type Weigh = (wire: WireFacts, reset: WireReset, first: Candidate, loss: boolean) => Weight | null;

/** The first that holds. */
const WEIGHTS: readonly Weigh[] = [
  whoHadAll,
  whoHeardLastWords,
  whoOnlyLooked,
  whoUsedItAgain,
  whoReadNothing,
  whoCutShort,
  whoGaveUp,
  whoLeftARequest,
  whoGaveNoAnswer,
];

/** The candidates, the first with what the reset cost. */
export function weighed(f: Facts, wire: WireFacts, reset: WireReset, candidates: Candidate[]): Candidate[] {
  const [likeliest, ...others] = candidates;
  if (!likeliest) return [];
  const first = withLoss(f, wire, reset, likeliest);
  for (const weigh of WEIGHTS) {
    const weight = weigh(wire, reset, first, first !== likeliest);
    if (!weight) continue;
    const { told, ...own } = weight;
    return [{ ...first, ...own, ...(told && { because: () => first.because() + told() }) }, ...others];
  }
  return [first, ...others];
}

function whoHadAll(wire: WireFacts, reset: WireReset, first: Candidate): Weight | null {
  if (!isGuess(first) || !hadItsAnswer(wire, reset)) return null;
  return { told: () => '. It had acknowledged all that the server had answered', severity: 'info' };
}

function whoHeardLastWords(wire: WireFacts, reset: WireReset, first: Candidate): Weight | null {
  if (first.side !== 'client' || !isLastWord(wire, reset)) return null;
  return {
    told: () => ', the last words of a server that had answered and closed, as a TLS alert is',
    severity: 'info',
  };
}

const AFTER_CLOSE: readonly RuleId[] = ['data-after-close-reset', 'time-wait-data-reset'];

function whoOnlyLooked(wire: WireFacts, _reset: WireReset, first: Candidate): Weight | null {
  if (!AFTER_CLOSE.includes(first.rule) || first.side !== 'client' || !onlyLooked(wire)) return null;
  return {
    told: () => '; it had sent nothing itself and closed at once, as a check of the port does',
    severity: 'info',
  };
}

function whoUsedItAgain(wire: WireFacts, reset: WireReset, first: Candidate): Weight | null {
  const stale = first.side === 'server' ? usedWhenClosed(wire, reset) : null;
  return stale && { told: () => `. ${stale()}`, remedy: STALE };
}

function whoReadNothing(wire: WireFacts, { packet }: WireReset, first: Candidate): Weight | null {
  if (first.rule !== 'unread-data-reset' || first.side !== 'server') return null;
  if (!wire.sawHandshake || !wire.sentNothing(SERVER, packet)) return null;
  return { remedy: first.confidence === 'possible' ? CUT_OFF : UNREAD };
}

function whoCutShort(wire: WireFacts, reset: WireReset, first: Candidate, loss: boolean): Weight | null {
  if (loss || first.rule !== 'linger-zero-reset' || !cutsShort(wire, reset)) return null;
  return {
    told: () =>
      '. The client had not closed: its program gets "connection reset by peer" where it looks for the end of file',
    severity: 'warning',
    ...(first.confidence === 'possible' && { remedy: TURNED_AWAY }),
  };
}

/**
 * Who closes so at its end meant it; before the server has sent anything its client got nothing, whatever was meant. One
 * that closed without a word, as health checks do, had asked for nothing.
 */
function whoGaveUp(wire: WireFacts, { packet }: WireReset, first: Candidate): Weight | null {
  const question = wire.packets.find((p) => wire.sideOf(p) === CLIENT && p.payload > 0);
  if (!isMeant(first, 'client', wire) || !wire.sentNothing(SERVER, packet) || !question) return null;
  const waited = packet.time - question.time;
  return {
    told: () => `; ${span(waited)} after its first data it had no answer`,
    // some checks only send, and wait for nothing
    ...(waited >= PATIENCE && { severity: 'warning', remedy: TOO_LATE }),
  };
}

/** A server that had answered before did not answer the last that it was sent. */
function whoLeftARequest(
  wire: WireFacts,
  { packet }: WireReset,
  first: Candidate,
  loss: boolean,
): Weight | null {
  if (loss || !isMeant(first, 'client', wire) || wire.oneDirection || wire.sentNothing(CLIENT, packet))
    return null;
  const shown = hasAnswered(wire, packet) === false ? showsLastRequest(wire, packet) : null;
  const waited = shown ? packet.time - shown.time : 0;
  if (!shown || waited < NS_PER_S) return null;
  const isItself = shown.payload > 0 && wire.sideOf(shown) === CLIENT;
  return {
    told: () =>
      `; nothing had come in answer to the last that it had sent, ${isItself ? '' : 'at least '}${span(waited)} before`,
    severity: 'warning',
    remedy: TOO_LATE,
  };
}

function whoGaveNoAnswer(wire: WireFacts, { packet }: WireReset, first: Candidate): Weight | null {
  if (!isMeant(first, 'server', wire) || !wire.sentNothing(SERVER, packet)) return null;
  const hasAsked = !wire.sentNothing(CLIENT, packet);
  if (!hasAsked && wire.finTime(CLIENT) !== null) return null;
  return { severity: 'warning', ...(hasAsked && { remedy: CUT_OFF }) };
}

function isMeant({ rule, side }: Candidate, by: 'client' | 'server', wire: WireFacts): boolean {
  return rule === 'linger-zero-reset' && side === by && wire.sawHandshake;
}

/** A client that closed as soon as it was connected, to a server that speaks first. */
function onlyLooked(wire: WireFacts): boolean {
  const closed = wire.finTime(CLIENT);
  // the ACK of the handshake, from where the FIN came: the way between is not in it
  const connected = wire.packets.find((p) => wire.sideOf(p) === CLIENT && !(p.flags & SYN));
  const isShort = closed !== null && connected !== undefined && closed - connected.time < PATIENCE;
  return isShort && wire.sawHandshake && wire.sentNothing(CLIENT);
}

/** What ends a connection that nobody used for so long is meant to, and hurts who uses it at that moment only, ns. */
const IN_USE = NS_PER_S;

/** The server reset right after its answer, of a client that had not begun to close. */
function cutsShort(wire: WireFacts, { packet, side }: WireReset): boolean {
  if (side !== SERVER || !wire.sawHandshake || wire.oneDirection || wire.finTime(CLIENT) !== null)
    return false;
  const last = wire.before(packet, SERVER).find((p) => p.payload > 0);
  return last !== undefined && packet.time - last.time < IN_USE;
}

function isGuess({ rule, confidence }: Candidate): boolean {
  return rule === 'unexplained-reset' || (rule === 'unread-data-reset' && confidence === 'possible');
}

/** Nothing was on its way, and the last word had been the server's: health checks, load generators and Windows end so. */
function hadItsAnswer(wire: WireFacts, { packet, side }: WireReset): boolean {
  if (side !== CLIENT || wire.oneDirection || !wire.sawHandshake) return false;
  const isAcked = wire.of(wire.wire.acked, SERVER) !== null && bytesInFlight(wire, CLIENT) === 0;
  const [acked, next] = [wire.of(wire.wire.acked, CLIENT), wire.of(wire.wire.nextSeq, SERVER)];
  const hasTaken = packet.flags & ACK && next !== null && seqDiff(packet.ack, next) >= 0;
  const hasAll = hasTaken || (acked !== null && bytesInFlight(wire, SERVER) === 0);
  return isAcked && hasAll && !wire.sentNothing(SERVER, packet) && hasAnswered(wire, packet) === true;
}

/** No close_notify alert of TLS is longer (RFC 5246 §7.2.1, RFC 8446 §6.1), bytes. */
const LONGEST_ALERT = 100;
/** Nor does one take longer than this to answer the close, ns: what comes later may be an answer that took so long. */
const SLOWEST_ALERT = 500 * NS_PER_MS;

/** What the client had sent since the server's last data but one was no alert either: the server answered it. */
function hasAskedSince(wire: WireFacts, last: KeyPacket): boolean {
  const before = wire.packets.findLast(
    (p) => wire.sideOf(p) === SERVER && p.payload > 0 && seqDiff(last.seq, p.seq) > 0,
  );
  const next = wire.of(wire.wire.nextSeq, CLIENT);
  return !before || next === null || seqDiff(next, before.ack) - 1 > LONGEST_ALERT;
}

/** The client had closed, and what it refused is short and the last that the server sent, who had answered before. */
function isLastWord(wire: WireFacts, { side, answers }: WireReset): boolean {
  const closed = wire.finTime(CLIENT);
  if (side !== CLIENT || !answers || closed === null || answers.time - closed > SLOWEST_ALERT) return false;
  const fin = wire.finPacket(SERVER);
  const isShort = answers.payload > 0 && answers.payload <= LONGEST_ALERT;
  const isLast = fin !== null && seqDiff(fin.seq + fin.payload, answers.seq + answers.payload) === 0;
  if (!isShort || !isLast || wire.of(wire.wire.bytes, SERVER) <= answers.payload) return false;
  return !hasAskedSince(wire, answers);
}

/** A request that comes so long after the FIN is no part of one that the server refused to read on, ns. */
const NEXT_REQUEST = 100 * NS_PER_MS;

/** The client sent on a connection that its server had closed, and whose FIN it had acknowledged. */
function usedWhenClosed(wire: WireFacts, { side, answers }: WireReset): (() => string) | null {
  const [fin, acked] = [wire.finPacket(SERVER), wire.ackOfFin(SERVER)];
  if (side !== SERVER || !answers || answers.payload === 0 || !fin || !acked) return null;
  if (seqDiff(answers.ack, nextSeq(fin)) < 0 || wire.of(wire.wire.bytes, SERVER) === 0) return null;
  const later = answers.time - acked.time;
  const silence = silenceOf(wire);
  // a word of farewell may stand before the FIN
  const after = silence && fin.time - silence.to;
  const isIdle = after !== null && after >= -NS_PER_MS && after < NEXT_REQUEST;
  if (later < NEXT_REQUEST && !isIdle) return null;
  const idle = () =>
    ` after ${span(silence!.idle)} without a packet${nameOf(knownTimeout(silence!.idle, SERVERS))}`;
  return () => `The client had used a connection again that the server had closed${isIdle ? idle() : ''}`;
}
