/**
 * A reset as the kernel tells it: by tcp_send_reset, or (before 6.10, where that tracepoint is silent without a full
 * socket) by the functions that send one; with what was said on the same socket in the same call.
 */
import { SERVER, type SideIndex, type Transition } from '../../model/connection.ts';
import type { PacketHeader, ProbeEvent, ResetSentEvent } from '../../model/event.ts';
import { ACK, flagNames, parseState, SYN, seqDiff, type TcpState } from '../../model/tcp.ts';
import { type Citation, eventEvidence, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { LifeFacts } from '../facts/life.ts';
import { ONE_CALL, type Timed } from '../facts/probes.ts';
import type { Moment } from '../rule.ts';
import { count, span } from '../words.ts';
import { SIDE_NAMES } from './common.ts';

/** TCP_FIN received: rcv_nxt - copied_seq counts it as one. */
const FIN_RECEIVED: readonly (TcpState | undefined)[] = ['CLOSE_WAIT', 'LAST_ACK', 'CLOSING', 'TIME_WAIT'];

const SHUTDOWN_MASK = 3;
/** shutdown(SHUT_WR) sent a FIN: only in these states can both bits be set on a socket that is still held. */
const AFTER_SHUTDOWN: readonly (TcpState | undefined)[] = ['FIN_WAIT1', 'FIN_WAIT2', 'CLOSING', 'LAST_ACK'];

/** Reasons that only one kind of socket gives (kernel-notes §2.0). */
const MET_BY_REASON: Record<string, TcpState | 'none'> = {
  NO_SOCKET: 'none',
  TCP_TIMEWAIT_SOCKET: 'TIME_WAIT',
  INVALID_SYN: 'LISTEN',
};

export class KernelSaid {
  readonly f: Facts;
  readonly side: SideIndex;
  /** sk_rst_reason by its name; null when this kernel, or this probe, gives none. */
  readonly reason: string | null;
  readonly state: TcpState | null;
  readonly answers: PacketHeader | null;
  readonly socket: string | null;
  readonly event: ResetSentEvent | ProbeEvent;

  constructor(f: Facts, event: ResetSentEvent | ProbeEvent) {
    this.f = f;
    this.event = event;
    this.socket = event.socket;
    this.side = f.probes.sideOf(event);
    const reason = event.kind === 'reset-sent' ? event.reason : null;
    this.reason = reason === 'NOT_SPECIFIED' ? null : reason;
    this.answers = event.kind === 'reset-sent' ? event.answers : event.packet;
    this.state = event.kind === 'reset-sent' ? event.state : stateOf(event.values.state);
  }

  /** The socket that the answered packet met; null when nothing tells (a tool that prints no state, and no reason). */
  get met(): TcpState | 'none' | null {
    if (this.state !== null) return this.state;
    // in a bundle state 0 stands for no socket
    if (this.f.world.source(this.event.source).format === 'bundle-events') return 'none';
    return MET_BY_REASON[this.reason ?? ''] ?? null;
  }

  get moment(): Moment {
    return this.f.atEvent(this.event);
  }

  get sideName(): 'client' | 'server' {
    return SIDE_NAMES[this.side]!;
  }

  /** Of these probes, what was said on this socket in the same call. */
  near(...names: string[]): ProbeEvent[] {
    return this.socket === null ? [] : this.f.probes.near(names, this.event, this.socket);
  }

  /** The same about the packet that the reset answers. */
  about(...names: string[]): ProbeEvent[] {
    const { answers } = this;
    if (!answers) return [];
    return this.f.probes
      .near(names, this.event)
      .filter((e) => e.packet?.seq === answers.seq && e.packet.flags === answers.flags);
  }

  /** State events of the socket. */
  get life(): LifeFacts | null {
    const life = this.f.life(this.side);
    return life && life.life.socket === this.socket ? life : null;
  }

  /** The step to CLOSE that belongs to this reset. */
  get closing(): Transition | null {
    const life = this.life;
    const last = life?.life.transitions.findLast((t) => t.to === 'CLOSE');
    return life && last && this.isNear({ ...last, source: life.life.source }) ? last : null;
  }

  /** close() as its probe saw it. */
  get closeCall(): ProbeEvent | null {
    return this.near('close')[0] ?? null;
  }

  /** Bytes unread at the close, without a received FIN; null when nothing was read. */
  get unread(): number | null {
    const call = this.closeCall;
    const { closing } = this;
    const [bytes, state] = call
      ? [call.values.unread, stateOf(call.values.state)]
      : [closing?.fields?.unread, closing?.from];
    return bytes === undefined ? null : bytes - (FIN_RECEIVED.includes(state ?? undefined) ? 1 : 0);
  }

  /**
   * close() set both bits of sk_shutdown before the socket went to CLOSE; tcp_disconnect, and with it a closed
   * listener, does not. null when nothing was read, or when shutdown(SHUT_RDWR) may have set them before.
   */
  get byClose(): boolean | null {
    if (this.closeCall) return true;
    const shutdown = this.closing?.fields?.shutdown;
    if (shutdown === undefined) return null;
    if (shutdown !== SHUTDOWN_MASK) return false;
    return AFTER_SHUTDOWN.includes(this.closing?.from) ? null : true;
  }

  /** SO_LINGER with time 0 at the close; null when nothing was read. */
  get lingersZero(): boolean | null {
    const fields = this.closing?.fields;
    if (fields?.linger === undefined) return null;
    return fields.linger && fields.lingerTime === 0;
  }

  /** The process was ending. */
  get exiting(): boolean {
    return this.closeCall?.values.exiting === 1 || this.closing?.fields?.exiting === true;
  }

  get hasSyn(): boolean {
    return this.answers !== null && (this.answers.flags & SYN) !== 0;
  }

  get isSyn(): boolean {
    return this.answers !== null && (this.answers.flags & ACK) === 0;
  }

  /** `17 bytes`, `a FIN|ACK`. */
  get offender(): string {
    const { answers } = this;
    if (!answers) return 'a packet';
    return answers.payload > 0 ? count(answers.payload, 'byte') : `a ${flagNames(answers.flags)}`;
  }

  /** The listening socket was closed in the same call, before its children one after the other. */
  get listenerClosed(): boolean {
    return this.side === SERVER && this.f.listener.closedWith(this.f) !== null;
  }

  /** The side's socket went on afterwards, as one in SYN_SENT does that refuses an answer: it ended nothing. */
  get wentOn(): boolean {
    const life = this.f.life(this.side)?.life;
    return (life?.transitions ?? []).some((t) => {
      const at = { ...t, source: life!.source };
      const later = this.f.probes.apart(at, this.event);
      if (later === null || later <= ONE_CALL) return false;
      // what answers a packet is over when it is sent; a socket's own reset is followed by its closing
      return this.answers !== null || t.to !== 'CLOSE' || !this.isNear(at);
    });
  }

  isNear(at: Timed): boolean {
    return this.f.probes.oneCall(at, this.event);
  }

  evidence(): Citation[] {
    const { f, life, closing } = this;
    const own = eventEvidence(f.world, this.event, () => this.#fact());
    return life && closing ? [own, transitionEvidence(f, life, closing)] : [own];
  }

  #fact(): string {
    const { reason, state, answers, closing, event } = this;
    const why = reason === null ? 'this kernel names no reason' : `reason ${reason}`;
    const where = state === null ? 'without a socket' : `in state ${state}`;
    const what = answers
      ? `, in answer to ${flagNames(answers.flags)} (${count(answers.payload, 'byte')})`
      : '';
    const delay = closing?.time != null && event.time !== null ? Math.abs(event.time - closing.time) : 0;
    return `the kernel of ${this.f.name(this.side)} sent a RST: ${why}, ${where}${what}${delay > 0 ? `, ${span(delay)} after its close` : ''}`;
  }
}

function stateOf(value: number | undefined): TcpState | null {
  return value === undefined || value === 0 ? null : parseState(String(value));
}

/** Every reset that a kernel says it sent, in the order of time; one that two probes tell of is told once. */
export function saidResets(f: Facts): KernelSaid[] {
  const sent = f.case.kernel.filter((e): e is ResetSentEvent => e.kind === 'reset-sent');
  const functions = [...f.probes.of('reset-active'), ...f.probes.of('reset-answer')];
  const alone = functions.filter((e) => !sent.some((s) => isSame(f, e, s)));
  return [...sent, ...alone]
    .sort((a, b) => a.source - b.source || (a.time ?? 0) - (b.time ?? 0))
    .map((e) => new KernelSaid(f, e));
}

function isSame(f: Facts, e: ProbeEvent, sent: ResetSentEvent): boolean {
  if (!f.probes.oneCall(e, sent) || f.probes.sideOf(e) !== f.probes.sideOf(sent)) return false;
  return e.packet === null ? sent.answers === null : sent.answers?.seq === e.packet.seq;
}

/** The one that ended the connection: what the wire shows to have done so, else the first. */
export function decisiveSaid(f: Facts): KernelSaid | null {
  const said = saidResets(f);
  if (!f.wire) return said[0] ?? null;
  const reset = f.wire.decisiveReset;
  // no RST in the capture ended it: one that never left may have ended its own side (kernel-wire-contradiction)
  if (!reset) return said.find((s) => s.closing !== null) ?? null;
  const own = said.filter((s) => s.side === reset.side);
  const numbers = own.filter(({ answers }) =>
    reset.packet.flags & ACK
      ? answers === null || !(answers.flags & ACK)
      : answers !== null && seqDiff(answers.ack, reset.packet.seq) === 0,
  );
  const at = f.atPacket(f.wire, reset.packet);
  const distance = (s: KernelSaid) => Math.abs(f.world.between(s.moment, at) ?? Number.POSITIVE_INFINITY);
  return (numbers.length > 0 ? numbers : own).sort((a, b) => distance(a) - distance(b))[0] ?? null;
}
