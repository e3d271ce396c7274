/* The records, one struct a kind: their names and members are the kinds and keys of docs/bundle.md, and the schema in the head of events.bin is made from
   the BTF of this file. What stands after `__` tells two layouts of one kind apart. Members that begin with `_` fill up. */
#pragma once

/* How a member is shown: these in hexadecimal, */
typedef u64 pointer;
typedef u64 hex64;
typedef u32 hex32;
/* an address of code by its symbol, */
typedef u64 symbol;
/* and 16 bytes as an address, IPv4 as ::ffff:a.b.c.d. */
typedef struct { u32 words[4]; } address;

/* Of whoever was running: tgid and comm. `ns` 0: of no socket. */
struct head {
  u64 t; /* CLOCK_BOOTTIME, ns */
  u16 kind, bytes;
  u32 cpu, pid, ns;
  char comm[16];
};
struct ends {
  address l, r;
  u16 lport, rport;
};
struct packet {
  address src, dst;
  u16 sport, dport;
  u32 seq, ack;
  s32 len;
  hex32 flags;
};

struct event_state {
  struct head head;
  pointer sk;
  u64 cookie;
  hex64 flags;
  u64 lingertime, cgroup;
  struct ends ends;
  u8 from, to, shutdown, exiting;
  u32 unread;
  s32 linger2;
  u32 backlog, limit;
  s32 err, soft;
  u32 una, nxt, write, rcv;
  s32 code;
  u8 retransmits, probes;
  u16 _unused;
};

struct event_reset_sent__answer { struct head head; pointer sk; struct packet packet; u32 state; s32 reason; u32 devns; };
struct event_reset_sent__active { struct head head; pointer sk; struct ends ends; u32 state; s32 reason; };
struct event_reset_received { struct head head; pointer sk; u64 cookie; struct ends ends; u32 state; };
struct event_retransmit { struct head head; pointer sk; struct ends ends; u32 state; s32 err; u32 seq, end; hex32 flags; u32 count; };
struct event_synack_retransmit {
  struct head head;
  pointer sk, req;
  struct ends ends;
  u32 timeouts, retransmits, acked, backlog, limit;
};
struct event_destroy { struct head head; pointer sk; u64 cookie; struct ends ends; u32 _unused; };
struct event_error { struct head head; pointer sk; struct ends ends; s32 error; };
struct event_drop { struct head head; pointer sk; symbol at; struct packet packet; s32 reason; u32 state, devns; };
struct event_accept_queue { struct head head; pointer sk; struct ends ends; u32 backlog, limit; };

struct event_conn_request { struct head head; pointer sk; struct packet packet; u32 backlog, limit; s32 qlen, young; };
struct event_child_refused { struct head head; pointer sk; struct packet packet; u32 backlog, limit; };
struct event_cookie_check { struct head head; pointer sk, result; struct packet packet; u32 backlog, limit; };
struct event_syn_flood { struct head head; pointer sk; struct ends ends; u32 cookies, backlog, limit; };
struct event_no_route_reply { struct head head; pointer sk, listener; struct ends ends; u32 _unused; };
struct event_request_removed {
  struct head head;
  pointer sk, listener;
  struct ends ends;
  u32 from_timer, timeouts, retransmits, acked, backlog, limit;
};
struct event_listen_stop { struct head head; pointer sk; struct ends ends; u32 backlog, limit, exiting; s32 code; };
struct event_child_forgotten { struct head head; pointer sk, listener; struct ends ends; u32 state; };
struct event_accept { struct head head; pointer sk; u64 cgroup; struct ends ends; u32 state; };

struct event_close {
  struct head head;
  pointer sk;
  hex64 flags;
  u64 lingertime, cgroup;
  struct ends ends;
  u32 state, unread, queued, shutdown;
  s32 linger2;
  u32 una, nxt, write, backlog, exiting;
  s32 code;
};
struct event_disconnect { struct head head; pointer sk; hex64 flags; u64 lingertime; struct ends ends; u32 state, shutdown; };
struct event_abort { struct head head; pointer sk; struct ends ends; u32 state; s32 error; };
struct event_out_of_memory { struct head head; pointer sk; struct ends ends; u32 state; };
struct event_challenge_ack { struct head head; pointer sk; struct ends ends; u32 state; };
struct event_reset_active { struct head head; pointer sk; struct ends ends; u32 state, nxt, rcv; };
struct event_reset_answer { struct head head; pointer sk; struct packet packet; u32 state, devns; };

struct event_time_wait { struct head head; pointer sk; struct ends ends; u32 substate; s32 jiffies; };
struct event_minisock_alloc { struct head head; pointer sk, minisock; struct ends ends; u32 _unused; };
struct event_minisock_start { struct head head; pointer sk, minisock; struct ends ends; u32 substate; s32 jiffies; };
struct event_minisock_kill { struct head head; pointer sk; struct ends ends; u32 substate; };
struct event_minisock_packet { struct head head; pointer sk; struct packet packet; s32 verdict; };

enum walked {
  tcp_close, tcp_set_state, tcp_fin, tcp_send_fin, tcp_v4_do_rcv, tcp_v6_do_rcv, tcp_rcv_established, tcp_rcv_state_process, tcp_timewait_state_process
};
struct event_walk__socket { struct head head; pointer sk; struct ends ends; enum walked fn; u32 state, new, limit; };
struct event_walk__packet { struct head head; pointer sk; struct packet packet; enum walked fn; u32 state, limit; };

/* Without BTF: what the tracepoints tell by themselves. */
struct event_state__plain { struct head head; pointer sk; struct ends ends; u32 from, to; };
struct event_reset_sent__plain { struct head head; pointer sk, skb; struct ends ends; u32 state; s32 reason; };
struct event_reset_received__plain { struct head head; pointer sk; u64 cookie; struct ends ends; u32 _unused; };
struct event_retransmit__plain { struct head head; pointer sk; struct ends ends; u32 state; s32 err; };
struct event_synack_retransmit__plain { struct head head; pointer sk, req; struct ends ends; u32 _unused; };
struct event_destroy__plain { struct head head; pointer sk; u64 cookie; struct ends ends; u32 _unused; };
struct event_error__plain { struct head head; struct ends ends; s32 error; };
