/* What a listener does with SYNs, third ACKs and its queues. */
#include "read.h"

/* A child waits in the accept queue: its depth over time, without polling. The tracepoint fires for every arrival of data on every socket. */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(accept_queue, const struct sock *sk) {
  if (state_of(sk) != 10 || SMALL(sk, sk_protocol) != 6) return 0;
  SOCK_EVENT(accept_queue, sk, FULL) {
    event->backlog = READ(sk, sk_ack_backlog);
    event->limit = READ(sk, sk_max_ack_backlog);
  }
  return 0;
}

/* A SYN reaches a listener: accept queue and SYN queue as it finds them. Refused SYNs leave no other trace (S-ACCEPTQ-SYN, S-SYNQ-*). */
ENTRY(conn_request, tcp_conn_request) {
  const struct sock *sk = (void *)third;
  const struct tcp_sock *tp = tcp_of(direct, sk);
  if (tp) PACKET_EVENT(conn_request, sk, (const struct sk_buff *)fourth) {
    event->backlog = READ(sk, sk_ack_backlog);
    event->limit = READ(sk, sk_max_ack_backlog);
    event->qlen = READ(tp, inet_conn.icsk_accept_queue.qlen.counter);
    event->young = READ(tp, inet_conn.icsk_accept_queue.young.counter);
  }
}

/* The third ACK (or first data) finds no room: no child is made (S-ACCEPTQ-ACK when backlog > limit; else memory or route). */
INLINE void child_refused(const bool direct, const struct sock *sk, const struct sk_buff *skb, u64 child) {
  if (child) return;
  PACKET_EVENT(child_refused, sk, skb) {
    event->backlog = READ(sk, sk_ack_backlog);
    event->limit = READ(sk, sk_max_ack_backlog);
  }
}
RETURN(child_refused, tcp_v4_syn_recv_sock) { child_refused(direct, (void *)first, (void *)second, result); }
RETURN(child_refused, tcp_v6_syn_recv_sock) { child_refused(direct, (void *)first, (void *)second, result); }

/* An ACK meets a listener and may carry a SYN cookie. result: the listener itself = no cookie at all, 0 = refused (accept queue full, or a bad cookie
   on newer kernels), else the child. The skb may be freed by then: only its headers are read, and a packet that makes no sense is left out. */
INLINE void cookie_check(const bool direct, const struct sock *sk, const struct sk_buff *skb, u64 result) {
  PACKET_EVENT(cookie_check, sk, skb) {
    event->result = result;
    event->backlog = READ(sk, sk_ack_backlog);
    event->limit = READ(sk, sk_max_ack_backlog);
  }
}
RETURN(cookie_check, cookie_v4_check) { cookie_check(direct, (void *)first, (void *)second, result); }
RETURN(cookie_check, cookie_v6_check) { cookie_check(direct, (void *)first, (void *)second, result); }

/* The SYN queue is full: cookies=1 answered with a SYN cookie (S-SYNQ-COOKIE), cookies=0 the SYN is dropped (S-SYNQ-FULL-DROP). */
RETURN(syn_flood, tcp_syn_flood_action) {
  const struct sock *sk = (void *)first;
  SOCK_EVENT(syn_flood, sk, FULL) {
    event->cookies = result & 1;
    event->backlog = READ(sk, sk_ack_backlog);
    event->limit = READ(sk, sk_max_ack_backlog);
  }
}

/* There is no way back to the client: the SYN is refused for want of a route, or by a security module (S-NOROUTE-REPLY, S-LSM). */
INLINE void no_route_reply(const bool direct, const struct sock *listener, const struct sock *request, u64 route) {
  if (route) return;
  SOCK_EVENT(no_route_reply, request, MINI) {
    event->listener = (u64)listener;
    event->_unused = 0;
  }
}
RETURN(no_route_reply, inet_csk_route_req) { no_route_reply(direct, (void *)first, (void *)third, result); }
RETURN(no_route_reply, inet6_csk_route_req) { no_route_reply(direct, (void *)first, (void *)third, result); }

/* A request is removed from the SYN queue: by its timer (from_timer=1: expired, S-REQ-EXPIRED) or because it became a child or was refused. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, u32);
} in_timer SEC(".maps");

INLINE u32 *timer(void) {
  u32 zero = 0;
  return bpf_map_lookup_elem(&in_timer, &zero);
}
ENTRY(request_timer, reqsk_timer_handler) {
  u32 *running = timer();
  if (running) *running = 1;
}
RETURN(request_timer, reqsk_timer_handler) {
  u32 *running = timer();
  if (running) *running = 0;
}
INLINE void request_removed(const bool direct, const struct sock *listener, const struct sock *request) {
  SOCK_EVENT(request_removed, request, MINI) {
    u32 *running = timer();
    event->listener = (u64)listener;
    event->from_timer = running ? *running : 0;
    event->timeouts = SMALL((const struct request_sock *)request, num_timeout);
    event->retransmits = SMALL((const struct request_sock *)request, num_retrans);
    event->acked = acked_of((const void *)request);
    event->backlog = READ(listener, sk_ack_backlog);
    event->limit = READ(listener, sk_max_ack_backlog);
  }
}
ENTRY(request_timer, __inet_csk_reqsk_queue_drop) { request_removed(direct, (void *)first, (void *)second); }
ENTRY(request_timer, inet_csk_reqsk_queue_drop) { request_removed(direct, (void *)first, (void *)second); }

/* A listener stops: every child in its accept queue is reset (R-LISTEN-CLOSE); then each of them. */
ENTRY(listen_stop, inet_csk_listen_stop) {
  const struct sock *sk = (void *)first;
  SOCK_EVENT(listen_stop, sk, FULL) {
    event->backlog = READ(sk, sk_ack_backlog);
    event->limit = READ(sk, sk_max_ack_backlog);
    event->exiting = exiting();
    event->code = exit_code();
  }
}
ENTRY(listen_stop, inet_child_forget) {
  const struct sock *sk = (void *)third;
  SOCK_EVENT(child_forgotten, sk, FULL) {
    event->listener = first;
    event->state = state_of(sk);
  }
}

/* accept() returns a child: from now on the process that called it owns the socket. */
INLINE void accepted(const bool direct, const struct sock *sk) {
  if (sk) SOCK_EVENT(accept, sk, FULL) {
    event->cgroup = cgroup_of(direct, sk);
    event->state = state_of(sk);
  }
}
RETURN(accept, inet_csk_accept) { accepted(false, (void *)result); }
