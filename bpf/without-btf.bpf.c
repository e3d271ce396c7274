/* For kernels without BTF: what the tracepoints tell by themselves. Where their fields lie is read from tracefs and set before loading; 0: it has none. */
#include "say.h"

INLINE void runs_now(struct head *head) { ask_who_runs(head); }

const volatile struct fields inet_sock_set_state, tcp_send_reset, tcp_receive_reset, tcp_retransmit_skb, tcp_retransmit_synack, tcp_destroy_sock, inet_sk_error_report;

#define FIELD(type, at)                                     \
  ({                                                        \
    type value = 0;                                         \
    bpf_probe_read_kernel(&value, sizeof value, ctx + (at)); \
    value;                                                  \
  })

INLINE bool ends_at(struct ends *ends, void *ctx, u16 sport, u16 dport, u16 saddr, u16 daddr) {
  ends->lport = FIELD(u16, sport);
  ends->rport = FIELD(u16, dport);
  bpf_probe_read_kernel(&ends->l, 16, ctx + saddr);
  bpf_probe_read_kernel(&ends->r, 16, ctx + daddr);
  return ports_wanted(ends->lport, ends->rport) && hosts_wanted(&ends->l, &ends->r);
}
#define EVENT(name, at)                                                                                                    \
  for (struct ends ends, *once = &ends; once && ends_at(once, ctx, at.sport, at.dport, at.saddr_v6, at.daddr_v6); once = 0) \
    for (struct event_##name *event = BEGIN(name, 0); event && (event->ends = ends, true); send(event, sizeof *event), event = 0)

SEC("tracepoint/sock/inet_sock_set_state") int state__plain(void *ctx) {
  if (FIELD(u16, inet_sock_set_state.protocol) == 6) EVENT(state__plain, inet_sock_set_state) {
    event->sk = FIELD(u64, inet_sock_set_state.skaddr);
    event->from = FIELD(u32, inet_sock_set_state.oldstate);
    event->to = FIELD(u32, inet_sock_set_state.newstate);
  }
  return 0;
}

SEC("tracepoint/tcp/tcp_send_reset") int reset_sent__plain(void *ctx) {
  struct ends ends = {};
  if (tcp_send_reset.sport && !ends_at(&ends, ctx, tcp_send_reset.sport, tcp_send_reset.dport, tcp_send_reset.saddr_v6, tcp_send_reset.daddr_v6)) return 0;
  struct event_reset_sent__plain *event = BEGIN(reset_sent__plain, 0);
  if (!event) return 0;
  event->ends = ends;
  event->sk = FIELD(u64, tcp_send_reset.skaddr);
  event->skb = FIELD(u64, tcp_send_reset.skbaddr);
  event->state = FIELD(u32, tcp_send_reset.state);
  event->reason = tcp_send_reset.reason ? FIELD(s32, tcp_send_reset.reason) : -1;
  send(event, sizeof *event);
  return 0;
}

SEC("tracepoint/tcp/tcp_receive_reset") int reset_received__plain(void *ctx) {
  EVENT(reset_received__plain, tcp_receive_reset) {
    event->sk = FIELD(u64, tcp_receive_reset.skaddr);
    event->cookie = FIELD(u64, tcp_receive_reset.sock_cookie);
    event->_unused = 0;
  }
  return 0;
}

SEC("tracepoint/tcp/tcp_retransmit_skb") int retransmit__plain(void *ctx) {
  EVENT(retransmit__plain, tcp_retransmit_skb) {
    event->sk = FIELD(u64, tcp_retransmit_skb.skaddr);
    event->state = FIELD(u32, tcp_retransmit_skb.state);
    event->err = tcp_retransmit_skb.err ? FIELD(s32, tcp_retransmit_skb.err) : 0;
  }
  return 0;
}

SEC("tracepoint/tcp/tcp_retransmit_synack") int synack_retransmit__plain(void *ctx) {
  EVENT(synack_retransmit__plain, tcp_retransmit_synack) {
    event->sk = FIELD(u64, tcp_retransmit_synack.skaddr);
    event->req = FIELD(u64, tcp_retransmit_synack.req);
    event->_unused = 0;
  }
  return 0;
}

/* Its remote port is 0 after tcp_disconnect (G7): such a socket passes whatever the ports asked for. */
SEC("tracepoint/tcp/tcp_destroy_sock") int destroy__plain(void *ctx) {
  struct ends ends;
  if (!ends_at(&ends, ctx, tcp_destroy_sock.sport, tcp_destroy_sock.dport, tcp_destroy_sock.saddr_v6, tcp_destroy_sock.daddr_v6) && ends.rport) return 0;
  struct event_destroy__plain *event = BEGIN(destroy__plain, 0);
  if (!event) return 0;
  event->ends = ends;
  event->sk = FIELD(u64, tcp_destroy_sock.skaddr);
  event->cookie = FIELD(u64, tcp_destroy_sock.sock_cookie);
  event->_unused = 0;
  send(event, sizeof *event);
  return 0;
}

SEC("tracepoint/sock/inet_sk_error_report") int error__plain(void *ctx) {
  if (FIELD(u16, inet_sk_error_report.protocol) == 6) EVENT(error__plain, inet_sk_error_report) event->error = FIELD(s32, inet_sk_error_report.error);
  return 0;
}
