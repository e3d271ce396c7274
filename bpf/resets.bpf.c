/* Resets: sent, received, and (functions) before they are sent. */
#include "read.h"

/* The kernel sends a RST, and since it has the field why. With a packet that provoked it its headers are told: the tuple of the tracepoint is that of
   the socket, which is useless when the socket is a listener (G13). Without one (active reset) the socket's ends. */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(reset_sent, const void *socket, const void *packet) {
  const bool direct = false;
  const struct sock *sk = unknown(socket);
  const struct sk_buff *skb = unknown(packet);
  s32 reason = -1;
  if (bpf_core_field_exists(struct trace_event_raw_tcp_send_reset, reason)) reason = ctx[2];
  if (skb) {
    PACKET_EVENT(reset_sent__answer, sk, skb) {
      event->state = state_of(sk);
      event->reason = reason;
      event->devns = device_netns(direct, skb);
    }
  } else {
    SOCK_EVENT(reset_sent__active, sk, FULL) {
      event->state = state_of(sk);
      event->reason = reason;
    }
  }
  return 0;
}

/* A full socket takes a RST, or the kernel resets itself because data came after the read side was closed (G2). Other RSTs do not pass here (G3). */
SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(reset_received, const struct sock *sk) {
  SOCK_EVENT(reset_received, sk, FULL) {
    event->cookie = READ(sk, __sk_common.skc_cookie.counter);
    event->state = state_of(sk);
  }
  return 0;
}

/* A RST that answers no packet: from close(), disconnect, a timer, SOCK_DESTROY. Before it is sent, unlike the tracepoint. */
ENTRY(reset_active, tcp_send_active_reset) {
  const struct sock *sk = (void *)first;
  SOCK_EVENT(reset_active, sk, FULL) {
    event->state = state_of(sk);
    event->nxt = READ(tp, snd_nxt);
    event->rcv = READ(tp, rcv_nxt);
  }
}

/* A RST in answer to a packet, with the socket it met: sk=0 none (R-NOSOCK), state 6 a minisock (R-TW-DATA), 10 a listener. Older kernels'
   tcp_send_reset does not tell of the first two. */
INLINE void reset_answer(const bool direct, const struct sock *sk, const struct sk_buff *skb) {
  PACKET_EVENT(reset_answer, sk, skb) {
    event->state = state_of(sk);
    event->devns = device_netns(direct, skb);
  }
}
ENTRY(reset_answer, tcp_v4_send_reset) { reset_answer(direct, (void *)first, (void *)second); }
ENTRY(reset_answer, tcp_v6_send_reset) { reset_answer(direct, (void *)first, (void *)second); }
