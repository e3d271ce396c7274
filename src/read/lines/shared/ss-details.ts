/** The tail of a row of ss: process, timer, memory. */
import type { SocketEvent } from '../../../model/table-event.ts';
import { NS_PER_MS, NS_PER_S } from '../../../model/time.ts';

const MINUTE = 60 * NS_PER_S;

/** `users:(("python3",pid=11327,fd=3),…)`, and before iproute2 3.12 `users:(("sshd",1154,3))`. The first is taken. */
export function parseUsers(tail: string): { pid: number; comm: string } | null {
  const match = /\busers:\(\("(.{0,64}?)",(?:pid=)?(\d{1,10}),/.exec(tail);
  return match ? { comm: match[1]!, pid: Number(match[2]) } : null;
}

/** Timer, with -m the packets that the socket dropped, with -i how long the peer is silent. A continued line keeps the timer of the first. */
export function parseDetails(
  tail: string,
  known: SocketEvent['timer'],
): Pick<SocketEvent, 'timer' | 'drops' | 'unheard'> {
  const skmem = /\bskmem:\([^)]{0,200}\bd(\d{1,15})\)/.exec(tail);
  const timer = known ?? parseTimer(tail);
  const heard = ['lastrcv', 'lastack'].map((name) => milliseconds(tail, name)).filter((ns) => ns !== null);
  return {
    timer,
    ...(skmem ? { drops: Number(skmem[1]) } : {}),
    ...(heard.length === 2 ? { unheard: Math.min(...heard) } : {}),
  };
}

/** `lastack:240000`, in ns. ss leaves out what is 0. */
function milliseconds(tail: string, name: string): number | null {
  const match = new RegExp(`\\b${name}:(\\d{1,12})\\b`).exec(tail);
  return match ? Number(match[1]) * NS_PER_MS : null;
}

/** `timer:(keepalive,1min30sec,0)` */
function parseTimer(tail: string): SocketEvent['timer'] {
  const match = /\btimer:\((\w+),([\w.]*),(\d{1,9})\)/.exec(tail);
  if (!match) return null;
  return { name: match[1]!, left: timerLeft(match[2]!), retransmits: Number(match[3]) };
}

/**
 * Time left as ss prints it (print_ms_timer): minutes above one, seconds only below ten minutes, milliseconds only
 * below ten seconds and then as `1.200ms` for 1.2 s.
 */
function timerLeft(text: string): number {
  const match = /^(?:(\d+)min)?(?:(\d+)sec)?(?:(?:(\d+)\.)?(\d+)ms)?$/.exec(text);
  if (!match) return 0;
  const [, minutes, seconds, fractional, ms] = match;
  return (
    Number(minutes ?? 0) * MINUTE +
    (Number(seconds ?? 0) + Number(fractional ?? 0)) * NS_PER_S +
    Number(ms ?? 0) * NS_PER_MS
  );
}
