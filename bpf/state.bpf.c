/* Every change of sk_state, with what the socket held at that moment. Unread bytes at X -> CLOSE make a reset (R-UNREAD), SOCK_LINGER with lingertime 0
   another (R-LINGER0); sk_err says why a socket died in silence; a listener's backlog how many children die with it. */
#include "read.h"

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state, const struct sock *sk, int from, int to) {
  if (SMALL(sk, sk_protocol) != 6) return 0;
  SOCK_EVENT(state, sk, FULL) {
    event->cookie = READ(sk, __sk_common.skc_cookie.counter);
    event->flags = READ(sk, __sk_common.skc_flags);
    event->lingertime = READ(sk, sk_lingertime);
    event->cgroup = cgroup_of(direct, sk);
    event->from = from;
    event->to = to;
    event->shutdown = SMALL(sk, sk_shutdown);
    event->exiting = exiting();
    event->rcv = READ(tp, rcv_nxt);
    event->unread = event->rcv - READ(tp, copied_seq);
    event->linger2 = READ(tp, linger2);
    event->backlog = READ(sk, sk_ack_backlog);
    event->limit = READ(sk, sk_max_ack_backlog);
    event->err = READ(sk, sk_err);
    event->soft = READ(sk, sk_err_soft);
    event->una = READ(tp, snd_una);
    event->nxt = READ(tp, snd_nxt);
    event->write = READ(tp, write_seq);
    event->code = exit_code();
    event->retransmits = SMALL(tp, inet_conn.icsk_retransmits);
    event->probes = SMALL(tp, inet_conn.icsk_probes_out);
    event->_unused = 0;
  }
  return 0;
}

/* The end of a full socket's life: its address may now be another's (G11). The remote port is 0 after tcp_disconnect (G7): such a socket passes
   whatever the ports asked for. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroy, const struct sock *sk) {
  SOCK_EVENT_OF(destroy, sk, sk, FULL, READ(sk, __sk_common.skc_dport) == 0) {
    event->cookie = READ(sk, __sk_common.skc_cookie.counter);
    event->_unused = 0;
  }
  return 0;
}

/* A socket gets an error that its owner will see: ETIMEDOUT of a connection given up in silence, ECONNRESET, EPIPE … */
SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(error, const struct sock *sk) {
  if (SMALL(sk, sk_protocol) == 6) SOCK_EVENT(error, sk, FULL) event->error = READ(sk, sk_err);
  return 0;
}
