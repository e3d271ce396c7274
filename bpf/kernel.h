/* The kernel's structs as far as they are read here. The offsets are those of the running kernel: CO-RE puts them in at load. */
#pragma once
#include <stdbool.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;

struct ns_common { unsigned int inum; };
struct net { struct ns_common ns; };
typedef struct { struct net *net; } possible_net_t;
struct in6_addr { union { u32 u6_addr32[4]; } in6_u; };

struct sock_common {
  u32 skc_daddr, skc_rcv_saddr;
  u16 skc_dport, skc_num, skc_family;
  volatile u8 skc_state;
  possible_net_t skc_net;
  struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
  atomic64_t skc_cookie;
  unsigned long skc_flags;
};
struct sk_buff_head { u32 qlen; };
struct kernfs_node { u64 id; };
struct cgroup { struct kernfs_node *kn; };
struct sock_cgroup_data { struct cgroup *cgroup; };
struct sock {
  struct sock_common __sk_common;
  struct sk_buff_head sk_receive_queue;
  struct sock_cgroup_data sk_cgrp_data;
  unsigned long sk_lingertime;
  u32 sk_ack_backlog, sk_max_ack_backlog;
  int sk_err, sk_err_soft;
  u16 sk_protocol;
  u8 sk_shutdown;
};
struct inet_sock { struct sock sk; u16 inet_sport; };
struct request_sock_queue { atomic_t qlen, young; };
struct inet_connection_sock {
  struct inet_sock icsk_inet;
  struct request_sock_queue icsk_accept_queue;
  u8 icsk_retransmits, icsk_probes_out;
};
struct tcp_sock {
  struct inet_connection_sock inet_conn;
  u32 rcv_nxt, copied_seq, snd_una, snd_nxt, write_seq;
  int linger2;
};
struct request_sock { u8 num_retrans, num_timeout; };
struct inet_request_sock { u16 acked; };
struct inet_timewait_sock { struct sock_common __tw_common; volatile u8 tw_substate; };

struct net_device { possible_net_t nd_net; };
struct sk_buff {
  struct net_device *dev;
  struct sock *sk;
  char cb[48];
  u16 protocol, network_header;
  unsigned char *head;
};
struct tcp_skb_cb { u32 seq, end_seq; u8 tcp_flags; };
struct task_struct { unsigned int flags; int exit_code, tgid; char comm[16]; };

/* Only asked whether they have the field: the argument of the tracepoint came with it. An enum of that name is what CO-RE takes for one. */
enum sk_rst_reason { SK_RST_REASON_NOT_SPECIFIED };
enum skb_drop_reason { SKB_DROP_REASON_NOT_SPECIFIED };
struct trace_event_raw_tcp_send_reset { enum sk_rst_reason reason; };
struct trace_event_raw_tcp_retransmit_skb { int err; };
struct trace_event_raw_kfree_skb { enum skb_drop_reason reason; void *rx_sk; };

#pragma clang attribute pop
