/* Which function handled each segment, and the socket's state before it did: the functions of the FIN walk. One event a segment, so only on request. */
#include "read.h"

INLINE void walk_socket(const bool direct, enum walked fn, const struct sock *sk, u32 new) {
  SOCK_EVENT(walk__socket, sk, FULL) {
    event->fn = fn;
    event->state = state_of(sk);
    event->new = new;
    event->limit = READ(sk, sk_max_ack_backlog);
  }
}
INLINE void walk_packet(const bool direct, enum walked fn, const struct sock *sk, const struct sk_buff *skb) {
  PACKET_EVENT(walk__packet, sk, skb) {
    event->fn = fn;
    event->state = state_of(sk);
    event->limit = event->state == 6 ? 0 : BPF_CORE_READ(sk, sk_max_ack_backlog);
  }
}
#define WALK_SOCKET(function, new) ENTRY(walk, function) { walk_socket(direct, function, (void *)first, new); }
#define WALK_PACKET(function) ENTRY(walk, function) { walk_packet(direct, function, (void *)first, (void *)second); }
WALK_SOCKET(tcp_close, 0)
WALK_SOCKET(tcp_set_state, second)
WALK_SOCKET(tcp_fin, 0)
WALK_SOCKET(tcp_send_fin, 0)
WALK_PACKET(tcp_v4_do_rcv)
WALK_PACKET(tcp_v6_do_rcv)
WALK_PACKET(tcp_rcv_established)
WALK_PACKET(tcp_rcv_state_process)
WALK_PACKET(tcp_timewait_state_process)
