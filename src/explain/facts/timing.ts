/** Linux's retransmission schedules (include/net/tcp.h, tcp_timer.c; kernel-notes §3). All times in ns. */
import { NS_PER_MS, NS_PER_S } from '../../model/time.ts';

/** TCP_RTO_MIN: no data segment is sent again sooner than this after it was sent. */
export const RTO_MIN = 200 * NS_PER_MS;
/** The retransmission timer ends on a tick of at most 10 ms (HZ=100). */
const TICK = 10 * NS_PER_MS;
/** Before the first SYN, SYN-ACK or request timer can run out (TCP_TIMEOUT_INIT). */
export const SYN_RTO = NS_PER_S;
/**
 * Two measures of one thing differ by less than this; two that differ by more are two things. When tcp_time_wait()
 * takes over, FIN_WAIT2 of the full socket ends in the same softirq: 1 to 40 µs in 149 closings of the lab, and 59 ms
 * in the shortest that a process held.
 */
export const MARGIN = NS_PER_MS;
/**
 * One system call closes socket after socket (inet_csk_listen_stop, exit_files); it may give the CPU away between two
 * (cond_resched), for a slice of the scheduler, at most a tick at HZ=100. The lab had gaps of up to 2 ms among six.
 */
export const SAME_CALL = TICK;
/**
 * Where the same process is seen before and after, it may have waited this long for the CPU inside its call: preempted by
 * others, on a virtual machine by other machines (21 ms inside tcp_send_active_reset on an emulated one).
 */
export const PREEMPTED = 10 * TICK;
/** A program that makes SYNs itself repeats them sooner (500 ms in the lab); the kernel's 2 jiffies after a wrong answer are no timeout. */
export const SHORTEST_RTO = 400 * NS_PER_MS;
/** TCP_TIMEWAIT_LEN, and the longest time a FIN_WAIT2 minisock lives: a longer one stays a full socket. */
export const TIME_WAIT = 60 * NS_PER_S;
/** TCP_DELACK_MAX, plus a tick. */
export const DELAYED_ACK_MAX = 200 * NS_PER_MS + TICK;
export const DELAYED_ACK_MIN = 36 * NS_PER_MS;
/** tcp_syn_retries where no sysctl says otherwise. */
export const SYN_RETRIES = 6;
/** tcp_syn_linear_timeouts, 6.5 and later: so many more, a second apart, come first. */
export const SYN_LINEAR = 4;
/** Unless tcp_synack_retries or a crowded SYN queue says otherwise, a request is given up after 1+2+…+32 s. */
export const REQUEST_LIFE = 63 * NS_PER_S;

/** A request is never given up sooner than one repeated SYN-ACK (1 s) and the wait for its answer (2 s). */
export const SHORTEST_REQUEST = 3 * NS_PER_S;

/**
 * The n-th retransmission of a segment comes RTO × (2^n - 1) after it was sent. Returns n and that RTO when `elapsed`
 * is such a moment for an RTO the kernel can have had: 200 ms plus the round trip plus a tick (tcp_set_rto).
 */
export function retransmissionAt(
  elapsed: number,
  roundTrip: number | null,
): { n: number; rto: number } | null {
  const highest = RTO_MIN + (roundTrip ?? NS_PER_MS) + TICK;
  for (let n = 1; n <= 15; n++) {
    const rto = elapsed / (2 ** n - 1);
    if (rto < RTO_MIN) return null;
    if (rto <= highest) return { n, rto };
  }
  return null;
}

/** tcp_fin_time(): FIN_WAIT2 lasts at least 3.5 retransmission timeouts, and those at least 200 ms each. */
export const SHORTEST_FIN_WAIT2 = 700 * NS_PER_MS;
