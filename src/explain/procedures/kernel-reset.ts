/**
 * What the kernel itself says of a reset it sent: kernel-notes §2.0, the key (reason, state, socket) → cause, and on
 * kernels without reasons the struct fields at the moment of the close (§9). Nothing is concluded from a reason that
 * several causes share.
 */
import { sameEndpoint } from '../../model/address.ts';
import { CLIENT, SERVER, type SideIndex, type Transition } from '../../model/connection.ts';
import type { ResetSentEvent } from '../../model/event.ts';
import { ACK, flagNames } from '../../model/tcp.ts';
import { eventEvidence, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { LifeFacts } from '../facts/life.ts';
import { count, span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { type Make, maker, named, SIDE_NAMES } from './common.ts';

/** A close, its RST and the destruction of the socket lie within one system call or one softirq. ns. */
const ONE_CALL = 1_000_000;

/** The cause in the kernel's own words; empty when no capture recorded the reset, or the reason decides nothing. */
export function kernelReset(f: Facts): Candidate[] {
  const sent = f.case.kernel.filter((e): e is ResetSentEvent => e.kind === 'reset-sent');
  const reset = sent[0];
  if (!reset) return [];
  const side: SideIndex = sameEndpoint(reset.local, f.case.client) ? CLIENT : SERVER;
  const own = new KernelReset(f, reset, side);
  return own.candidates();
}

class KernelReset {
  readonly #f: Facts;
  readonly #reset: ResetSentEvent;
  readonly #side: SideIndex;
  readonly #make: Make;

  constructor(f: Facts, reset: ResetSentEvent, side: SideIndex) {
    this.#f = f;
    this.#reset = reset;
    this.#side = side;
    const moment = { source: reset.source, at: f.world.context.timeline.at(reset.source, reset.time) };
    const close = this.#close;
    const evidence = [eventEvidence(f.world, reset, this.#fact())];
    const life = this.#life;
    if (life && close) evidence.push(transitionEvidence(f, life, close));
    this.#make = maker({ side: SIDE_NAMES[side], moment, evidence });
  }

  candidates(): Candidate[] {
    const { reason, state } = this.#reset;
    switch (reason) {
      case null:
      case 'NOT_SPECIFIED':
        return this.#byFields();
      case 'TCP_ABORT_ON_CLOSE':
        return this.#proved('unread-data-reset', this.#unread());
      case 'TCP_ABORT_ON_LINGER':
        return this.#proved('linger2-reset', 'TCP_LINGER2 is negative, and it was closed in FIN_WAIT2');
      case 'TCP_ABORT_ON_MEMORY':
        return this.#proved(
          'memory-pressure-reset',
          'the kernel was over its limit of orphans or TCP memory',
        );
      case 'TCP_KEEPALIVE_TIMEOUT':
        return this.#proved('keepalive-timeout-reset', 'its keepalive probes were not answered');
      case 'TCP_ABORT_ON_DATA':
        return this.#abortOnData();
      case 'TCP_TIMEWAIT_SOCKET':
        return this.#proved('time-wait-data-reset', `${this.#offender()} reached its FIN_WAIT2 minisock`);
      case 'NO_SOCKET':
        return this.#isSyn() ? this.#proved('connection-refused', 'no socket listens there (NO_SOCKET)') : [];
      case 'INVALID_SYN':
        return state === 'LISTEN' && !this.#isSyn()
          ? this.#proved(
              'abort-on-overflow-reset',
              'its accept queue was full, and tcp_abort_on_overflow is 1',
            )
          : [];
      case 'TCP_INVALID_ACK_SEQUENCE':
      case 'TCP_RFC7323_PAWS':
        return state === 'SYN_SENT'
          ? this.#proved('bad-syn-ack-reset', `${this.#offender()} did not fit the SYN it had sent`)
          : [];
      case 'TCP_STATE':
      case 'TCP_DISCONNECT_WITH_DATA':
        return this.#tcpState();
      default:
        return [];
    }
  }

  /** TCP_STATE: SO_LINGER 0, a closed listener, connect(AF_UNSPEC) and SOCK_DESTROY share it; G6 tells them apart. */
  #tcpState(): Candidate[] {
    const { state } = this.#reset;
    if (state === null) return [];
    if (state === 'FIN_WAIT2') return []; // SOCK_DESTROY, or the end of an orphan under the keepalive timer
    if (state !== 'CLOSE') {
      return this.#proved(
        'socket-destroy-reset',
        `it was still in ${state} when the RST went out, as only tcp_abort does`,
      );
    }
    const fields = this.#close?.fields;
    if (fields?.linger && fields.lingerTime === 0) {
      return this.#proved('linger-zero-reset', 'SO_LINGER was on with time 0 when it was closed');
    }
    if (this.#listenerClosed()) {
      return this.#proved(
        'listener-closed-reset',
        'the listening socket was closed in the same call, and nobody had accepted it',
      );
    }
    if (!fields) return [];
    const destroyed = this.#f.case.kernel.some(
      (e) =>
        e.kind === 'probe' &&
        e.name === 'destroy' &&
        e.socket === this.#reset.socket &&
        this.#near(e.source, e.time),
    );
    if (destroyed) return [];
    const because =
      'its own process disconnected it, and kept the descriptor: SO_LINGER was not 0, no listener was closed';
    return [
      this.#make('disconnect-reset', 'inferred', because),
      ...named(['linger-zero-reset'], SIDE_NAMES[this.#side]),
    ];
  }

  /** tcp_rcv_state_process after RCV_SHUTDOWN: data came, or TCP_LINGER2 < 0 met the ACK of the FIN. */
  #abortOnData(): Candidate[] {
    const { answers } = this.#reset;
    if (answers && answers.payload > 0) {
      return this.#proved(
        'data-after-close-reset',
        `${count(answers.payload, 'byte')} came after it had closed`,
      );
    }
    const linger2 = this.#close?.fields?.linger2;
    if (linger2 !== undefined && linger2 < 0) {
      return this.#proved(
        'linger2-reset',
        'TCP_LINGER2 is negative: the ACK of its FIN was answered with a RST',
      );
    }
    return [];
  }

  /** Kernels that name no reason: the fields at the step to CLOSE say as much (§9). */
  #byFields(): Candidate[] {
    const fields = this.#close?.fields;
    if (!fields || this.#reset.state !== 'CLOSE' || this.#reset.answers) return [];
    if (this.#unreadBytes() > 0) return this.#proved('unread-data-reset', this.#unread());
    if (fields.linger && fields.lingerTime === 0) {
      return this.#proved('linger-zero-reset', 'SO_LINGER was on with time 0 when it was closed');
    }
    return this.#listenerClosed()
      ? [this.#make('listener-closed-reset', 'inferred', 'the listening socket was closed in the same call')]
      : [];
  }

  #proved(rule: string, because: string): Candidate[] {
    return [this.#make(rule, 'proved', because)];
  }

  get #life(): LifeFacts | null {
    const life = this.#f.life(this.#side);
    return life && life.life.socket === this.#reset.socket ? life : null;
  }

  /** The step to CLOSE that belongs to this reset. */
  get #close(): Transition | null {
    const life = this.#life;
    const last = life?.life.transitions.findLast((t) => t.to === 'CLOSE');
    return life && last && this.#near(life.life.source, last.time) ? last : null;
  }

  /** Bytes unread at the close; a received FIN counts as one in rcv_nxt - copied_seq. */
  #unreadBytes(): number {
    const close = this.#close;
    const unread = close?.fields?.unread ?? 0;
    const fin =
      close && (close.from === 'CLOSE_WAIT' || close.from === 'LAST_ACK' || close.from === 'CLOSING');
    return unread - (fin ? 1 : 0);
  }

  #unread(): string {
    const bytes = this.#unreadBytes();
    const amount =
      bytes > 0
        ? `${count(bytes, 'byte')} that it had received ${bytes === 1 ? 'was' : 'were'}`
        : 'data were';
    return `${amount} still unread when it was closed${this.#close?.fields?.exiting ? ' by the end of its process' : ''}`;
  }

  #isSyn(): boolean {
    const { answers } = this.#reset;
    return answers !== null && (answers.flags & ACK) === 0;
  }

  #offender(): string {
    const { answers } = this.#reset;
    if (!answers) return 'a packet';
    return answers.payload > 0 ? count(answers.payload, 'byte') : `a ${flagNames(answers.flags)}`;
  }

  #listenerClosed(): boolean {
    const { source, pid } = this.#reset;
    if (this.#side !== SERVER) return false;
    return (this.#f.case.listener?.lives ?? []).some((life) => {
      const close = life.transitions.at(-1)!;
      return (
        life.source === source && close.to === 'CLOSE' && close.pid === pid && this.#near(source, close.time)
      );
    });
  }

  #near(source: number, time: number | null): boolean {
    const { timeline } = this.#f.world.context;
    const a = timeline.at(source, time as never);
    const b = timeline.at(this.#reset.source, this.#reset.time);
    return (
      a !== null &&
      b !== null &&
      timeline.comparable(source, this.#reset.source) &&
      Math.abs(a - b) <= ONE_CALL
    );
  }

  #fact(): string {
    const { reason, state, answers } = this.#reset;
    const why = reason === null ? 'this kernel names no reason' : `reason ${reason}`;
    const where = state === null ? 'without a socket' : `in state ${state}`;
    const what = answers
      ? `, in answer to ${flagNames(answers.flags)} (${count(answers.payload, 'byte')})`
      : '';
    const close = this.#close;
    const delay =
      close?.time != null && this.#reset.time !== null ? Math.abs(this.#reset.time - close.time) : 0;
    return `the kernel of ${this.#f.name(this.#side)} sent a RST: ${why}, ${where}${what}${delay > 0 ? `, ${span(delay)} after its close` : ''}`;
  }
}
