/** What one socket's state events say, read once. Kernel-notes G4, G5, G6, G12 are the ground of it. */
import type { SideIndex, SocketLife, Transition } from '../../model/connection.ts';
import type { TcpState } from '../../model/tcp.ts';

/** States from which an orderly close never goes straight to CLOSE. */
const LIVE: readonly TcpState[] = ['ESTABLISHED', 'SYN_RECV', 'CLOSE_WAIT', 'FIN_WAIT1'];

/** States from which an orderly close does, with no error set. */
const CLOSING: readonly TcpState[] = ['FIN_WAIT2', 'LAST_ACK', 'CLOSING'];

export class LifeFacts {
  readonly life: SocketLife;
  readonly side: SideIndex;

  constructor(life: SocketLife, side: SideIndex) {
    this.life = life;
    this.side = side;
  }

  find(from: TcpState, to: TcpState): Transition | null {
    return this.life.transitions.find((t) => t.from === from && t.to === to) ?? null;
  }

  index(t: Transition): number {
    // by its line: the steps may have been made anew
    return this.life.transitions.findIndex(({ line }) => line === t.line);
  }

  /** True when the socket is known to have been in this state. */
  was(state: TcpState): boolean {
    return this.life.transitions.some((t) => t.from === state || t.to === state);
  }

  /** This side sent its FIN before it had the peer's. */
  get closedFirst(): boolean {
    return this.was('FIN_WAIT1') || this.was('FIN_WAIT2');
  }

  /** The peer's FIN came first. */
  get closedSecond(): boolean {
    return this.was('CLOSE_WAIT') || this.was('LAST_ACK');
  }

  /** Time in FIN_WAIT2 on the full socket, ns. X→X lines (G5) cut the stay in two and both count. */
  get finWait2(): number | null {
    const end = this.find('FIN_WAIT2', 'CLOSE');
    return end?.duration == null ? null : end.duration + (this.find('FIN_WAIT2', 'FIN_WAIT2')?.duration ?? 0);
  }

  /** Time from the FIN to its acknowledgment, ns. */
  get finWait1(): number | null {
    const end = this.find('FIN_WAIT1', 'FIN_WAIT2') ?? this.find('FIN_WAIT1', 'CLOSE');
    return end?.duration == null ? null : end.duration + (this.find('FIN_WAIT1', 'FIN_WAIT1')?.duration ?? 0);
  }

  /** Time in CLOSE_WAIT, ns; null while unknown. */
  get closeWait(): number | null {
    const end = this.find('CLOSE_WAIT', 'LAST_ACK') ?? this.find('CLOSE_WAIT', 'CLOSE');
    return end?.duration ?? null;
  }

  /** The step that took a connection to CLOSE otherwise than in order: from a live state, or with an error (sk_err). */
  get abort(): Transition | null {
    const isAbort = ({ from, to, fields }: Transition) =>
      to === 'CLOSE' && (LIVE.includes(from) || (CLOSING.includes(from) && fields?.error !== undefined));
    return this.life.transitions.find(isAbort) ?? null;
  }

  /** True when the step ran in the owner's own process: its system call, as far as pid can tell (G12). */
  byOwner(t: Transition): boolean {
    return this.life.owner !== null && t.pid === this.life.owner.pid;
  }

  /** `ESTABLISHED → FIN_WAIT1 → CLOSE`. */
  get path(): string {
    const [first] = this.life.transitions;
    if (!first) return '';
    return [first.from, ...this.life.transitions.map((t) => t.to)].join(' → ');
  }
}
