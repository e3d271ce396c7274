/* How a socket comes to its end by its owner's or the kernel's will. */
#include "read.h"

/* The application's close() (or the exit of its process): who, in which state, with how many bytes unread, SO_LINGER and TCP_LINGER2. */
ENTRY(close, tcp_close) {
  const struct sock *sk = (void *)first;
  SOCK_EVENT(close, sk, FULL) {
    event->flags = READ(sk, __sk_common.skc_flags);
    event->lingertime = READ(sk, sk_lingertime);
    event->cgroup = cgroup_of(direct, sk);
    event->state = state_of(sk);
    event->unread = READ(tp, rcv_nxt) - READ(tp, copied_seq);
    event->queued = READ(sk, sk_receive_queue.qlen);
    event->shutdown = SMALL(sk, sk_shutdown);
    event->linger2 = READ(tp, linger2);
    event->una = READ(tp, snd_una);
    event->nxt = READ(tp, snd_nxt);
    event->write = READ(tp, write_seq);
    event->backlog = READ(sk, sk_ack_backlog);
    event->exiting = exiting();
    event->code = exit_code();
  }
}

/* From close() with SO_LINGER 0, from a listener that is closed (for its children), or from connect(AF_UNSPEC). */
ENTRY(disconnect, tcp_disconnect) {
  const struct sock *sk = (void *)first;
  SOCK_EVENT(disconnect, sk, FULL) {
    event->flags = READ(sk, __sk_common.skc_flags);
    event->lingertime = READ(sk, sk_lingertime);
    event->state = state_of(sk);
    event->shutdown = SMALL(sk, sk_shutdown);
  }
}

/* SOCK_DESTROY (ss -K), a BPF program, the end of a network namespace. A request or minisock dies without a RST. */
ENTRY(abort, tcp_abort) {
  const struct sock *sk = (void *)first;
  u32 state = state_of(sk);
  SOCK_EVENT(abort, sk, (state != 6 && state != 12)) {
    event->state = state;
    event->error = second;
  }
}

/* Too many orphans or too much TCP memory: the kernel resets an orphan (R-OOM-CLOSE, R-OOM-TIMER). */
RETURN(out_of_memory, tcp_check_oom) {
  const struct sock *sk = (void *)first;
  if (result & 1) SOCK_EVENT(out_of_memory, sk, FULL) event->state = state_of(sk);
}

/* A SYN or a RST that does not fit met a socket that lives (S-STALE-ESTAB, RFC 5961). */
ENTRY(challenge_ack, tcp_send_challenge_ack) {
  const struct sock *sk = (void *)first;
  SOCK_EVENT(challenge_ack, sk, FULL) event->state = state_of(sk);
}
