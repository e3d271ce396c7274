/** Linux's retransmission schedules (include/net/tcp.h, tcp_timer.c; kernel-notes §3). All times in ns. */
import { NS_PER_MS, NS_PER_S } from '../../model/time.ts';

/** TCP_RTO_MIN: no data segment is sent again sooner than this after it was sent. */
export const RTO_MIN = 200 * NS_PER_MS;
/** The retransmission timer ends on a tick of at most 10 ms (HZ=100). */
const TICK = 10 * NS_PER_MS;
/** Before the first SYN, SYN-ACK or request timer can run out (TCP_TIMEOUT_INIT). */
export const SYN_RTO = NS_PER_S;
/** TCP_TIMEWAIT_LEN, and the longest time a FIN_WAIT2 minisock lives: a longer one stays a full socket. */
export const TIME_WAIT = 60 * NS_PER_S;
/** TCP_DELACK_MAX, plus a tick. */
export const DELAYED_ACK_MAX = 200 * NS_PER_MS + TICK;
export const DELAYED_ACK_MIN = 36 * NS_PER_MS;
/** tcp_syn_retries where no sysctl says otherwise. */
export const SYN_RETRIES = 6;
/** Unless tcp_synack_retries or a crowded SYN queue says otherwise, a request is given up after 1+2+…+32 s. */
export const REQUEST_LIFE = 63 * NS_PER_S;

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
