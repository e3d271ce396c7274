/* A TCP packet is freed as dropped: where, and since the tracepoint has it why. Not every such event is a loss (kernel-notes 6.2), and SYNs that
   tcp_conn_request refuses never come here. Queueing disciplines' drops come here with their own reasons. */
#include "read.h"

SEC("tp_btf/kfree_skb")
int BPF_PROG(drop, const struct sk_buff *skb, const void *location) {
  u16 protocol = bpf_ntohs(READ(skb, protocol));
  if (protocol != 0x0800 && protocol != 0x86dd) return 0;
  s32 reason = -1;
  if (bpf_core_field_exists(struct trace_event_raw_kfree_skb, reason)) reason = ctx[2];
  const struct sock *sk = bpf_core_field_exists(struct trace_event_raw_kfree_skb, rx_sk) ? (const void *)ctx[3] : READ(skb, sk);
  const bool cast = CASTS;
  sk = cast ? CAST(struct sock, sk) : unknown(sk);
  PACKET_EVENT_OF(drop, netns_of(cast, sk), sk, skb) {
    event->at = (u64)location;
    event->reason = reason;
    event->state = cast ? sk->__sk_common.skc_state : BPF_CORE_READ(sk, __sk_common.skc_state);
    event->devns = device_netns(direct, skb);
  }
  return 0;
}
