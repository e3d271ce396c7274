/**
 * What the kernel itself says of a reset it sent: kernel-notes §2.0, the key (reason, state, socket) → cause. Kernels
 * that name no reason (before 6.10 for answers, 6.12 for the others) say as much through the struct fields and the
 * functions called at that moment (§9). Nothing is concluded from what several causes share.
 */
import { SERVER } from '../../model/connection.ts';
import { FIN } from '../../model/tcp.ts';
import { eventEvidence, type Wording } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { heldText } from '../facts/queue.ts';
import type { RuleId } from '../rules/index.ts';
import { count } from '../words.ts';
import { type Candidate, withEvidence } from './candidate.ts';
import { maker, named } from './common.ts';
import { endOf, tookReset } from './ended.ts';
import { listenerMet, nothingLeft } from './kernel-leftover.ts';
import { decisiveSaid, type KernelSaid } from './kernel-said.ts';

const ETIMEDOUT = 110;
const ECONNABORTED = 103;

/** The cause in the kernel's own words; empty when no capture recorded the reset, or its words decide nothing. */
export function kernelReset(f: Facts): Candidate[] {
  const said = decisiveSaid(f);
  if (!said || said.wentOn || afterReset(said)) return [];
  return said.answers ? answering(said) : fromSocket(said);
}

/** Its own socket had ended before by a RST that it took: no socket is left for what still comes, which ended nothing. */
function afterReset(said: KernelSaid): boolean {
  const { f, answers, moment } = said;
  const life = f.life(said.side);
  const end = life && endOf(life);
  if (!answers || !end || !tookReset(f, life)) return false;
  return (f.world.between(moment, f.atTransition(life, end)) ?? -1) > 0;
}

function proved(said: KernelSaid, rule: RuleId, because: Wording, more: readonly string[] = []): Candidate[] {
  const make = maker({ side: said.sideName, moment: said.moment, evidence: said.evidence() });
  const calls = said
    .near(...more)
    .map((e) => eventEvidence(said.f.world, e, () => `${e.name} on the same socket`));
  return [withEvidence(make(rule, 'proved', because), calls)];
}

/** tcp_v4_send_reset: the packet it answers, and the socket that the packet met. */
function answering(said: KernelSaid): Candidate[] {
  const { reason, isSyn } = said;
  const state = said.met;
  if (state === 'none') {
    if (!isSyn) return nothingLeft(said);
    return proved(said, 'connection-refused', 'no socket listens there (NO_SOCKET)');
  }
  if (state === 'LISTEN') return listenerMet(said);
  if (state === 'TIME_WAIT') return minisockMet(said);
  if (state === 'SYN_SENT' && (reason === null || /^TCP_(INVALID_ACK_SEQ|RFC7323)/.test(reason))) {
    return proved(said, 'bad-syn-ack-reset', () => `${said.offender} did not fit the SYN it had sent`);
  }
  if (reason === 'TCP_ABORT_ON_DATA' || (reason === null && state === 'CLOSE')) return abortOnData(said);
  return [];
}

/** tcp_timewait_state_process resets in substate FIN_WAIT2 only: for data, or a FIN with other numbers. */
function minisockMet(said: KernelSaid): Candidate[] {
  const { answers } = said;
  if (answers!.payload === 0 && !(answers!.flags & FIN)) return [];
  return proved(said, 'time-wait-data-reset', () => `${said.offender} reached its FIN_WAIT2 timewait socket`);
}

/** tcp_rcv_state_process after RCV_SHUTDOWN: data came, or TCP_LINGER2 < 0 met the ACK of the FIN. */
function abortOnData(said: KernelSaid): Candidate[] {
  const { answers, closing, life } = said;
  const closed = life?.closedFirst || life?.closedSecond;
  if (said.reason === null && !closed) return [];
  if (answers!.payload > 0) {
    const because = () => `${count(answers!.payload, 'byte')} came after it had closed`;
    return proved(said, 'data-after-close-reset', because);
  }
  const linger2 = closing?.fields?.linger2;
  if (linger2 === undefined || linger2 >= 0) return [];
  return proved(said, 'linger2-reset', 'TCP_LINGER2 is negative: the ACK of its FIN was answered with a RST');
}

/** tcp_send_active_reset: the socket's own. */
function fromSocket(said: KernelSaid): Candidate[] {
  switch (said.reason) {
    case null:
      if (said.state === null) return [];
      return said.state === 'CLOSE' ? closedFirst(said) : stillLive(said);
    case 'TCP_ABORT_ON_CLOSE':
      return abortOnClose(said);
    case 'TCP_ABORT_ON_LINGER':
      return proved(said, 'linger2-reset', 'TCP_LINGER2 is negative, and it was closed in FIN_WAIT2');
    case 'TCP_ABORT_ON_MEMORY':
      return overLimit(said);
    case 'TCP_KEEPALIVE_TIMEOUT':
      return keepalive(said);
    case 'TCP_STATE':
    case 'TCP_DISCONNECT_WITH_DATA':
      if (said.state === null) return [];
      return said.state === 'CLOSE' ? disconnected(said) : aborted(said);
    default:
      return [];
  }
}

const ABORTED_ON_CLOSE: readonly RuleId[] = ['unread-data-reset', 'linger-zero-reset', 'disconnect-reset'];

/**
 * __tcp_close gives this reason when data were unread, and the socket is in CLOSE then. MPTCP's fast-close gives it for every
 * abort, with the socket still in its state: unread data of the MPTCP socket, SO_LINGER 0, connect(AF_UNSPEC).
 */
function abortOnClose(said: KernelSaid): Candidate[] {
  if (said.state === 'CLOSE' && (said.unread ?? 0) > 0)
    return proved(said, 'unread-data-reset', () => unreadText(said));
  const make = maker({ side: said.sideName, moment: said.moment, evidence: said.evidence() });
  const others = (rule: RuleId) =>
    named(
      ABORTED_ON_CLOSE.filter((r) => r !== rule),
      said.sideName,
    );
  if (said.state === 'CLOSE' && said.unread === null)
    return [make('unread-data-reset', 'inferred', () => unreadText(said)), ...others('unread-data-reset')];
  const fast = () =>
    `the RST has reason TCP_ABORT_ON_CLOSE in state ${said.state ?? 'unknown'}, as MPTCP's fast-close sends it`;
  if (said.lingersZero) {
    const because = () => `${fast()}, and SO_LINGER was on with time 0`;
    return [make('linger-zero-reset', 'inferred', because), ...others('linger-zero-reset')];
  }
  const because = () => `${fast()} for unread data, SO_LINGER 0 and connect(AF_UNSPEC)`;
  return [make('unread-data-reset', 'possible', because), ...others('unread-data-reset')];
}

function overLimit(said: KernelSaid): Candidate[] {
  const because = 'the kernel was over its limit of orphans or TCP memory';
  return proved(said, 'memory-pressure-reset', because, ['out-of-memory']);
}

function keepalive(said: KernelSaid): Candidate[] {
  return proved(said, 'keepalive-timeout-reset', 'its keepalive probes were not answered');
}

/** No reason, and in CLOSE before the RST went out (G6): __tcp_close or tcp_disconnect. */
function closedFirst(said: KernelSaid): Candidate[] {
  if (said.near('out-of-memory').length > 0) return overLimit(said);
  const { closing } = said;
  const linger2 = closing?.fields?.linger2;
  const lingers2 = closing?.from === 'FIN_WAIT2' && linger2 !== undefined && linger2 < 0;
  if (said.byClose === null && lingers2) {
    const because = 'TCP_LINGER2 is negative, and it left FIN_WAIT2 with both sides shut down';
    return afterShutdown(said, 'linger2-reset', because);
  }
  if (said.byClose !== true) return disconnected(said);
  if ((said.unread ?? 0) > 0) return proved(said, 'unread-data-reset', () => unreadText(said), ['close']);
  if (lingers2)
    return proved(said, 'linger2-reset', 'TCP_LINGER2 is negative, and it was closed in FIN_WAIT2');
  return disconnected(said);
}

/** No reason, and the RST went out before the socket was closed (G6): a timer, or tcp_abort. */
function stillLive(said: KernelSaid): Candidate[] {
  if (said.near('out-of-memory').length > 0) return overLimit(said);
  if (said.near('abort').length > 0) return aborted(said);
  switch (said.closing?.fields?.error) {
    case ETIMEDOUT:
      return keepalive(said); // retransmission timeouts send no RST
    case ECONNABORTED:
      return aborted(said);
    default:
      return [];
  }
}

/** tcp_disconnect: SO_LINGER 0, a closed listener and connect(AF_UNSPEC) share it. */
function disconnected(said: KernelSaid): Candidate[] {
  if (said.byClose) {
    if (!said.lingersZero) return [];
    return proved(said, 'linger-zero-reset', 'SO_LINGER was on with time 0 when it was closed', ['close']);
  }
  // only the end of its listener forgets a child, however long that call takes
  if (said.f.probes.of('child-forgotten').length > 0) return listenerClosed(said);
  if (said.byClose === null) {
    if (!said.lingersZero) return [];
    const because = 'SO_LINGER was on with time 0, and it had shut down its sending side before';
    return afterShutdown(said, 'linger-zero-reset', because);
  }
  if (said.listenerClosed) return listenerClosed(said);
  const because = 'its own process disconnected it and did not close it: sk_shutdown was not set';
  const { probes } = said.f;
  // without the listener's own event its closing may be what did it
  if (said.side === SERVER && !['state', 'listen-stop'].some((n) => probes.complete(said.event.source, n))) {
    const make = maker({ side: said.sideName, moment: said.moment, evidence: said.evidence() });
    return [
      make('disconnect-reset', 'inferred', because),
      ...named(['listener-closed-reset'], said.sideName),
    ];
  }
  return proved(said, 'disconnect-reset', because, ['disconnect']);
}

/** shutdown(SHUT_RDWR) leaves the socket as close() does: a connect(AF_UNSPEC) that follows looks the same. */
function afterShutdown(said: KernelSaid, rule: RuleId, because: Wording): Candidate[] {
  const make = maker({ side: said.sideName, moment: said.moment, evidence: said.evidence() });
  return [make(rule, 'inferred', because), ...named(['disconnect-reset'], said.sideName)];
}

/** inet_csk_listen_stop. */
function listenerClosed(said: KernelSaid): Candidate[] {
  const stop = said.f.listener.probes.find((e) => e.name === 'listen-stop' && said.isNear(e));
  const held = () =>
    stop ? ` with ${count(stop.values.backlog ?? 0, 'connection')} in its accept queue` : '';
  const because = () =>
    `the listening socket was closed in the same call${held()}, and nobody had accepted it`;
  const [c] = proved(said, 'listener-closed-reset', because, ['child-forgotten']);
  const more = stop
    ? [eventEvidence(said.f.world, stop, () => `the listener was closed: ${heldText(looked(stop))}`)]
    : [];
  return [withEvidence(c!, more)];
}

function looked(stop: { values: Readonly<Record<string, number>> }): { held: number; limit: number } {
  return { held: stop.values.backlog ?? 0, limit: stop.values.limit ?? 0 };
}

/** The live state: SOCK_DESTROY. In FIN_WAIT2 the keepalive timer of an orphan does the same (R-FW2-DEATH). */
function aborted(said: KernelSaid): Candidate[] {
  const [call] = said.near('abort');
  const state = said.state ?? 'none';
  if (call)
    return proved(said, 'socket-destroy-reset', () => `tcp_abort was called on it in ${state}`, ['abort']);
  if (said.closing?.fields?.error === ECONNABORTED) {
    const because = () => `tcp_abort ended it in ${state} (sk_err ${ECONNABORTED})`;
    return proved(said, 'socket-destroy-reset', because);
  }
  if (state === 'FIN_WAIT2') {
    if (!said.f.probes.complete(said.event.source, 'abort')) return [];
    const because = 'the timer of FIN_WAIT2 ran out, and nobody had asked to destroy it';
    return proved(said, 'fin-wait2-expired-reset', because);
  }
  const because = () => `it was still in ${state} when the RST went out, as only tcp_abort does`;
  return proved(said, 'socket-destroy-reset', because);
}

function unreadText(said: KernelSaid): string {
  const bytes = said.unread ?? 0;
  return `${bytes > 0 ? count(bytes, 'byte') : 'how many bytes is not known'}${said.exiting ? ', as the process ended' : ''}`;
}
