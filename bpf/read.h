/* Reading sockets and packets, and the forms in which a function is probed. */
#pragma once
#include "say.h"

#define FULL 1 /* a full socket keeps inet_sport when skc_num is cleared already (CLOSE) */
#define MINI 0 /* a request or minisock has skc_num only; all three begin with struct sock_common */

/* tp_btf, fentry and fexit are given pointers whose type the verifier knows, and read through them: a load. A kprobe is given numbers, and asks
   bpf_probe_read_kernel for each field: 30 ns. `direct` says which it is: that of a program with both forms is a parameter, and one that is given a
   pointer that may be NULL or means something else than its type has one of its own that is false. */
enum { direct = true };
#define READ(p, field) (direct ? (p)->field : BPF_CORE_READ(p, field))
/* of whatever width this kernel gives it */
#define SMALL(p, field) (direct ? BPF_CORE_READ_BITFIELD(p, field) : BPF_CORE_READ_BITFIELD_PROBED(p, field))

/* Since 6.2: an address as a pointer of a type, for nothing; what is no such thing reads as zeros. */
extern void *bpf_rdonly_cast(const void *address, u32 type) __ksym __weak;
#define CASTS (bpf_rdonly_cast != 0)
#define CAST(type, p) ((const type *)bpf_rdonly_cast(p, bpf_core_type_id_kernel(type)))

/* A pointer that may be NULL: the verifier lets nobody count on from it. A copy that it knows nothing of is read like any address. */
INLINE const void *unknown(const void *p) {
  const void *copy = 0;
  bpf_probe_read_kernel(&copy, sizeof copy, &p);
  return copy;
}

/* A full socket as what it is. */
INLINE const struct tcp_sock *tcp_of(const bool direct, const struct sock *sk) {
  if (!direct) return (const void *)sk;
  return CASTS ? CAST(struct tcp_sock, sk) : bpf_skc_to_tcp_sock((void *)sk);
}

INLINE u32 netns_of(const bool direct, const struct sock *sk) {
  if (!bpf_core_field_exists(sk->__sk_common.skc_net.net)) return 0;
  const struct net *net = READ(sk, __sk_common.skc_net.net);
  return READ(net, ns.inum);
}
#define state_of(sk) READ(sk, __sk_common.skc_state)
INLINE u32 device_netns(const bool direct, const struct sk_buff *skb) {
  const struct net_device *dev = READ(skb, dev);
  const struct net *net = READ(dev, nd_net.net);
  return READ(net, ns.inum);
}
/* A request that is given as its first part: what is beyond that the verifier does not let through. */
INLINE u32 acked_of(const struct request_sock *req) { return BPF_CORE_READ_BITFIELD_PROBED((const struct inet_request_sock *)req, acked); }
/* Since 5.11 the task has a type too: loads, where the helpers for the same take 60 ns. */
#define TASK_IS_TYPED bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)
INLINE void runs_now(struct head *head) {
  if (!TASK_IS_TYPED) return ask_who_runs(head);
  const struct task_struct *task = bpf_get_current_task_btf();
  head->pid = task->tgid;
  __builtin_memcpy(head->comm, task->comm, sizeof head->comm);
}
#define OF_TASK(field) (TASK_IS_TYPED ? bpf_get_current_task_btf()->field : BPF_CORE_READ((const struct task_struct *)bpf_get_current_task(), field))
INLINE u32 exiting(void) { return OF_TASK(flags) >> 2 & 1; /* PF_EXITING */ }
INLINE s32 exit_code(void) { return OF_TASK(exit_code); }
/* Of the process that made the socket: kernfs id, which is the inode of its folder. */
INLINE u64 cgroup_of(const bool direct, const struct sock *sk) {
  if (!bpf_core_field_exists(sk->sk_cgrp_data.cgroup)) return 0;
  const struct cgroup *cgroup = READ(sk, sk_cgrp_data.cgroup);
  const struct kernfs_node *folder = READ(cgroup, kn);
  return READ(folder, id);
}

struct ports { u16 l, r, family; };
INLINE void put_ends(const bool direct, struct ends *ends, const struct ports *ports, const struct sock *sk) {
  ends->lport = ports->l;
  ends->rport = ports->r;
  if (ports->family == 2) {
    ipv4(&ends->l, READ(sk, __sk_common.skc_rcv_saddr));
    ipv4(&ends->r, READ(sk, __sk_common.skc_daddr));
  } else {
    *(struct in6_addr *)&ends->l = READ(sk, __sk_common.skc_v6_rcv_saddr);
    *(struct in6_addr *)&ends->r = READ(sk, __sk_common.skc_v6_daddr);
  }
}
INLINE bool ends_wanted(const bool direct, struct ports *ports, const struct sock *sk, const struct tcp_sock *tp, bool full, bool any_port) {
  if (full && !tp) return false;
  ports->r = bpf_ntohs(READ(sk, __sk_common.skc_dport));
  ports->l = full ? bpf_ntohs(READ(tp, inet_conn.icsk_inet.inet_sport)) : READ(sk, __sk_common.skc_num);
  if (!any_port && !ports_wanted(ports->l, ports->r)) return false;
  ports->family = READ(sk, __sk_common.skc_family);
  if (ports->family != 2 && !(ports->family == 10 && bpf_core_field_exists(sk->__sk_common.skc_v6_daddr))) return false;
  if (settings.every_host) return true;
  struct ends ends;
  put_ends(direct, &ends, ports, sk);
  return hosts_wanted(&ends.l, &ends.r);
}

/* The TCP headers of a packet whose IP header is at skb->network_header. */
INLINE bool packet_of(const bool direct, struct packet *packet, const struct sk_buff *skb) {
  const unsigned char *ip = READ(skb, head) + READ(skb, network_header);
  union { u8 bytes[40]; u16 halves[20]; u32 words[10]; } h;
  if (bpf_probe_read_kernel(&h, sizeof h, ip)) return false;
  u32 version = h.bytes[0] >> 4, header = 40;
  s32 length;
  if (version == 4 && h.bytes[9] == 6) {
    header = (h.bytes[0] & 15) * 4;
    length = bpf_ntohs(h.halves[1]) - header;
    ipv4(&packet->src, h.words[3]);
    ipv4(&packet->dst, h.words[4]);
  } else if (version == 6 && h.bytes[6] == 6) {
    length = bpf_ntohs(h.halves[2]);
    __builtin_memcpy(&packet->src, h.bytes + 8, 16);
    __builtin_memcpy(&packet->dst, h.bytes + 24, 16);
  } else return false;
  union { u8 bytes[20]; u16 halves[10]; u32 words[5]; } tcp;
  if (bpf_probe_read_kernel(&tcp, sizeof tcp, ip + header)) return false;
  packet->sport = bpf_ntohs(tcp.halves[0]);
  packet->dport = bpf_ntohs(tcp.halves[1]);
  packet->seq = bpf_ntohl(tcp.words[1]);
  packet->ack = bpf_ntohl(tcp.words[2]);
  packet->len = length - (tcp.bytes[12] >> 4) * 4;
  packet->flags = tcp.bytes[13];
  return ports_wanted(packet->sport, packet->dport) && hosts_wanted(&packet->src, &packet->dst);
}

/* SOCK_EVENT(kind, sk, FULL) { event->… } sends `kind` with head, sk and ends when the filters want it, `tp` is the full socket; PACKET_EVENT(kind, sk,
   skb) with the packet. */
#define SOCK_EVENT_OF(name, netns_sk, about, full, any_port)                                                              \
  for (const struct tcp_sock *tp = full ? tcp_of(direct, about) : 0, *once = (const void *)1; once; once = 0)             \
    for (struct ports ports, *wanted = ends_wanted(direct, &ports, about, tp, full, any_port) ? &ports : 0; wanted; wanted = 0) \
      for (struct event_##name *event = BEGIN(name, netns_of(direct, netns_sk));                                          \
           event && (event->sk = (u64)about, put_ends(direct, &event->ends, wanted, about), true); send(event, sizeof *event), event = 0)
#define SOCK_EVENT(name, about, full) SOCK_EVENT_OF(name, about, about, full, false)
#define PACKET_EVENT_OF(name, ns, about, skb)                                                                             \
  for (struct packet packet, *wanted = packet_of(direct, &packet, skb) ? &packet : 0; wanted; wanted = 0)                 \
    for (struct event_##name *event = BEGIN(name, ns); event && (event->sk = (u64)about, event->packet = packet, true); send(event, sizeof *event), event = 0)
#define PACKET_EVENT(name, about, skb) PACKET_EVENT_OF(name, netns_of(direct, about), about, skb)

/* A function is probed by fentry and fexit where the kernel loads them, else by kprobe and kretprobe: each is compiled in both forms, the recorder
   loads one. ENTRY(piece, function) { … } has the parameters as first, second, third, fourth; RETURN also result. */
#define ENTRY(piece, function)                                                                                                       \
  INLINE void piece##__##function##__entry(const bool direct, u64 first, u64 second, u64 third, u64 fourth);                         \
  SEC("fentry/" #function) int piece##__##function##__fentry(u64 *ctx) {                                                             \
    piece##__##function##__entry(true, ctx[0], ctx[1], ctx[2], ctx[3]);                                                              \
    return 0;                                                                                                                        \
  }                                                                                                                                  \
  SEC("kprobe/" #function) int piece##__##function##__kprobe(struct pt_regs *ctx) {                                                  \
    piece##__##function##__entry(false, PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx), PT_REGS_PARM4(ctx));             \
    return 0;                                                                                                                        \
  }                                                                                                                                  \
  INLINE void piece##__##function##__entry(const bool direct, u64 first, u64 second, u64 third, u64 fourth)

#define RETURN(piece, function)                                                                                                      \
  enum { id_##piece##function = __COUNTER__ };                                                                                       \
  INLINE void piece##__##function##__return(const bool direct, u64 first, u64 second, u64 third, u64 result);                        \
  SEC("fexit/" #function) int piece##__##function##__fexit(u64 *ctx) {                                                               \
    u64 result = 0;                                                                                                                  \
    bpf_get_func_ret(ctx, &result);                                                                                                  \
    piece##__##function##__return(true, ctx[0], ctx[1], ctx[2], result);                                                             \
    return 0;                                                                                                                        \
  }                                                                                                                                  \
  SEC("kprobe/" #function) int piece##__##function##__keep(struct pt_regs *ctx) {                                                    \
    keep(id_##piece##function, PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx));                                          \
    return 0;                                                                                                                        \
  }                                                                                                                                  \
  SEC("kretprobe/" #function) int piece##__##function##__kretprobe(struct pt_regs *ctx) {                                            \
    struct call call = {};                                                                                                           \
    if (take(id_##piece##function, &call)) piece##__##function##__return(false, call.first, call.second, call.third, PT_REGS_RC(ctx)); \
    return 0;                                                                                                                        \
  }                                                                                                                                  \
  INLINE void piece##__##function##__return(const bool direct, u64 first, u64 second, u64 third, u64 result)

/* A kretprobe has no arguments: they are kept at entry. Calls of one task, with the interrupts on top of it, are nested: a stack of them. */
struct call { u64 function, first, second, third; };
#define DEPTH 8
struct calls { u64 depth; struct call calls[DEPTH]; };
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, u64);
  __type(value, struct calls);
} kept SEC(".maps");
static const struct calls none;

INLINE void keep(u64 function, u64 first, u64 second, u64 third) {
  u64 task = bpf_get_current_task();
  struct calls *calls = bpf_map_lookup_elem(&kept, &task);
  if (!calls) {
    bpf_map_update_elem(&kept, &task, &none, BPF_NOEXIST);
    calls = bpf_map_lookup_elem(&kept, &task);
    if (!calls) return;
  }
  u64 depth = calls->depth;
  if (depth >= DEPTH) depth = 0; /* returns were missed: what is there has ended */
  calls->calls[depth] = (struct call){function, first, second, third};
  calls->depth = depth + 1;
}
INLINE bool take(u64 function, struct call *call) {
  u64 task = bpf_get_current_task();
  struct calls *calls = bpf_map_lookup_elem(&kept, &task);
  if (!calls) return false;
  for (s64 i = DEPTH - 1; i >= 0; i--) {
    if (i >= (s64)calls->depth || calls->calls[i].function != function) continue;
    *call = calls->calls[i];
    calls->depth = i;
    return true;
  }
  return false;
}
