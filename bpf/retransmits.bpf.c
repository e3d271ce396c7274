/* A segment is sent again; where the tracepoint has `err`, also one that could not be (G16). */
#include "read.h"

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmit, const struct sock *sk, const struct sk_buff *skb) {
  s32 err = 0;
  if (bpf_core_field_exists(struct trace_event_raw_tcp_retransmit_skb, err)) err = ctx[2];
  SOCK_EVENT(retransmit, sk, FULL) {
    const struct tcp_skb_cb *cb = (const void *)skb->cb;
    event->state = state_of(sk);
    event->err = err;
    event->seq = READ(cb, seq);
    event->end = READ(cb, end_seq);
    event->flags = SMALL(cb, tcp_flags);
    event->count = SMALL(tp, inet_conn.icsk_retransmits);
  }
  return 0;
}

/* A listener sends a SYN-ACK again: several for one request without a child are S-ACCEPTQ-ACK, or the client's ACK is lost. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(synack_retransmit, const struct sock *listener, const struct request_sock *req) {
  const struct sock *request = (const void *)req;
  SOCK_EVENT_OF(synack_retransmit, listener, request, MINI, false) {
    event->sk = (u64)listener;
    event->req = (u64)req;
    event->timeouts = SMALL(req, num_timeout);
    event->retransmits = SMALL(req, num_retrans);
    event->acked = acked_of(req);
    event->backlog = READ(listener, sk_ack_backlog);
    event->limit = READ(listener, sk_max_ack_backlog);
  }
  return 0;
}
