/**
 * Whether a socket without a process can have stayed in FIN_WAIT2 itself. tcp_rcv_state_process() hands it to a timewait socket
 * at once, unless tcp_fin_time() is above TCP_TIMEWAIT_LEN: then its keepalive timer does so, after what is above 60 s.
 */
import type { ProbeEvent } from '../../model/event.ts';
import { NS_PER_S } from '../../model/time.ts';
import type { Facts } from '../facts/facts.ts';
import type { LifeFacts } from '../facts/life.ts';
import { TIME_WAIT } from '../facts/timing.ts';

/** What is above 60 s is whole seconds; a slow machine under trace took up to 28 ms for the hand-over (6.1 in an emulator). ns. */
export const SHORTEST_TIMER = 500_000_000;
/** The slowest tick there is (HZ=100), and the fastest. */
const [SLOWEST, FASTEST] = [100, 1000];

/** FIN_WAIT2 ended when that timer ran out, and not because a machine was slow. `call`: tcp_time_wait as a probe saw it. */
export function byKeepaliveTimer(f: Facts, life: LifeFacts, call?: ProbeEvent): boolean {
  const stayed = life.finWait2 ?? 0;
  if (stayed < SHORTEST_TIMER || !outlives60s(f, life)) return false;
  // tcp_keepalive_timer() gives the timewait socket as long as it waited itself; at once it gets all of tcp_fin_time()
  const given = Number(call?.values.jiffies ?? 0) * (NS_PER_S / FASTEST);
  return given <= stayed;
}

/** tcp_fin_time(): TCP_LINGER2, else tcp_fin_timeout, and never less than 3.5 × the retransmission timeout, which was waited for before. */
export function outlives60s(f: Facts, life: LifeFacts): boolean {
  const linger2 = life.find('FIN_WAIT2', 'CLOSE')?.fields?.linger2;
  if (linger2 === undefined || (life.finWait1 ?? TIME_WAIT) >= TIME_WAIT / 3.5) return true;
  if (linger2 !== 0) return linger2 / SLOWEST > TIME_WAIT / NS_PER_S;
  return (f.sysctl(life.side, 'net.ipv4.tcp_fin_timeout') ?? Infinity) > TIME_WAIT / NS_PER_S;
}
