/* FIN_WAIT2 and TIME_WAIT after the full socket is gone. */
#include "read.h"

/* The full socket hands over to a minisock: substate 5 FIN_WAIT2 (F-ORPHAN-TW) or 6 TIME_WAIT, for so many jiffies. */
ENTRY(time_wait, tcp_time_wait) {
  const struct sock *sk = (void *)first;
  SOCK_EVENT(time_wait, sk, FULL) {
    event->substate = second;
    event->jiffies = third;
  }
}

/* alloc (minisock=0: none to be had, F-TW-OVERFLOW), start (which socket it stands for), kill (its end). */
RETURN(minisock, inet_twsk_alloc) {
  const struct sock *sk = (void *)first;
  SOCK_EVENT(minisock_alloc, sk, FULL) {
    event->minisock = result;
    event->_unused = 0;
  }
}
INLINE void minisock_start(const bool direct, const struct inet_timewait_sock *tw, const struct sock *sk, s32 jiffies) {
  SOCK_EVENT(minisock_start, sk, FULL) {
    event->minisock = (u64)tw;
    event->substate = SMALL(tw, tw_substate);
    event->jiffies = jiffies;
  }
}
ENTRY(minisock, inet_twsk_hashdance_schedule) { minisock_start(direct, (void *)first, (void *)second, fourth); }
ENTRY(minisock, inet_twsk_hashdance) { minisock_start(direct, (void *)first, (void *)second, -1); }
ENTRY(minisock, inet_twsk_kill) {
  const struct sock *sk = (void *)first;
  SOCK_EVENT(minisock_kill, sk, MINI) event->substate = SMALL((const struct inet_timewait_sock *)sk, tw_substate);
}

/* A packet meets it; the verdict: 0 nothing, 1 RST (data to an orphan, R-TW-DATA), 2 ACK, 3 SYN accepted (S-SYN-TW), 4 ACK out of window. */
RETURN(minisock_packet, tcp_timewait_state_process) {
  const struct sock *sk = (void *)first;
  PACKET_EVENT(minisock_packet, sk, (const struct sk_buff *)second) event->verdict = result;
}
