/**
 * Whether a SYN or SYN-ACK is Linux's, by what tcp_options_write and tcp_select_initial_window (net/ipv4/tcp_output.c) make
 * of it. Devices rewrite the MSS, answer for their host (SYN proxies) and clear options: what then fits neither way is
 * unknown rather than wrong.
 */
import {
  OPT_DAMAGED,
  ORDER_BITS,
  ORDER_MSS,
  ORDER_NOP,
  ORDER_OTHER,
  ORDER_SACK_PERMITTED,
  ORDER_TIMESTAMP,
  ORDER_WSCALE,
  type Packet,
} from '../model/packet.ts';
import { LINUX, NOT_LINUX, UNKNOWN_STACK } from '../model/stack.ts';

/** What Linux writes: a timestamp is aligned by SACK permitted or two NOPs, the scale by one, and nothing follows but cookies and MPTCP. */
const OF_LINUX = new Set(
  [
    [ORDER_MSS, ORDER_SACK_PERMITTED, ORDER_TIMESTAMP, ORDER_NOP, ORDER_WSCALE],
    // tcp_window_scaling=0
    [ORDER_MSS, ORDER_SACK_PERMITTED, ORDER_TIMESTAMP],
    // tcp_sack=0
    [ORDER_MSS, ORDER_NOP, ORDER_NOP, ORDER_TIMESTAMP, ORDER_NOP, ORDER_WSCALE],
    // tcp_timestamps=0, or the client has none
    [ORDER_MSS, ORDER_NOP, ORDER_NOP, ORDER_SACK_PERMITTED, ORDER_NOP, ORDER_WSCALE],
  ].map((kinds) => kinds.reduce((order, kind, i) => order | (kind << (i * ORDER_BITS)), 0)),
);

/** ip_default_ttl. Above the other come devices, and tools that make packets themselves on any system. */
const TTL = 64;
const TTL_OF_WINDOWS = 128;
/** Initial windows of Linux on an MSS of 1460, which a device may have clamped since: 4, 10, 20 and 44 or 45 segments. */
const WINDOWS = new Set([5840, 5792, 14600, 14480, 29200, 28960, 64240, 65160, 65535]);
const TIMESTAMP_LENGTH = 12;

/** LINUX, NOT_LINUX or UNKNOWN_STACK. */
export function stackOf({ options, optionOrder, ttl, window, mss }: Packet): number {
  if (!inOrder(optionOrder)) return NOT_LINUX;
  // a snap length may have cut them
  if (options & OPT_DAMAGED || !OF_LINUX.has(withoutCookies(optionOrder)))
    return ttl > TTL && ttl <= TTL_OF_WINDOWS ? NOT_LINUX : UNKNOWN_STACK;
  const fits = WINDOWS.has(window) || window % mss === 0 || window % (mss - TIMESTAMP_LENGTH) === 0;
  return ttl <= TTL && window > 0 && fits ? LINUX : UNKNOWN_STACK;
}

/** Linux writes MSS, SACK permitted, timestamp and scale in this order; Windows and the BSDs the scale before the others. */
function inOrder(order: number): boolean {
  let last = 0;
  for (let rest = order; rest !== 0; rest >>>= ORDER_BITS) {
    const kind = rest & ((1 << ORDER_BITS) - 1);
    if (kind === ORDER_NOP || kind === ORDER_OTHER) continue;
    if (kind < last) return false;
    last = kind;
  }
  return true;
}

/** Without Fast Open, MPTCP and their padding at the end. */
function withoutCookies(order: number): number {
  let kept = 0;
  for (let i = 0, rest = order; rest !== 0; rest >>>= ORDER_BITS, i += ORDER_BITS) {
    const kind = rest & ((1 << ORDER_BITS) - 1);
    if (kind === ORDER_OTHER) return kept;
    kept |= kind << i;
  }
  return kept;
}
