/* What both objects share: the ring buffer, the filters, and how an event is sent. */
#pragma once
#include "kernel.h"
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "events.h"
#include "kinds.h"
#include "settings.h"

#define INLINE static __always_inline

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Types of variables inside functions do not reach the BTF; those of globals do. */
#define IN_BTF(name) const struct event_##name *btf_##name;
KINDS(IN_BTF)

/* Its name is how a second recorder finds the first. */
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4 << 20); } tcpautopsy SEC(".maps");

/* By kind: not sent because the ring buffer was full. What was sent the reader counts. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, KIND_COUNT);
  __type(key, u32);
  __type(value, u64);
} lost SEC(".maps");

const volatile struct settings settings;
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, address);
  __type(value, u8);
} hosts SEC(".maps");

INLINE bool port_listed(u16 port) {
  u64 byte = port >> 3;
  /* older verifiers forget that a port has 16 bits, and the compiler does not */
  asm volatile("" : "+r"(byte));
  return settings.ports[byte & 8191] >> (port & 7) & 1;
}
INLINE bool ports_wanted(u16 one, u16 other) { return settings.every_port || port_listed(one) || port_listed(other); }

/* An address of zeros passes: a listener has no peer, and the kernel fills tuples in late or clears them early. */
INLINE bool unspecified(const address *a) { return !(a->words[0] | a->words[1] | a->words[3]) && (!a->words[2] || a->words[2] == bpf_htonl(0xffff)); }
INLINE bool hosts_wanted(const address *one, const address *other) {
  return settings.every_host || unspecified(one) || unspecified(other) || bpf_map_lookup_elem(&hosts, one) || bpf_map_lookup_elem(&hosts, other);
}

INLINE void ipv4(address *to, u32 from) {
  to->words[0] = to->words[1] = 0;
  to->words[2] = bpf_htonl(0xffff);
  to->words[3] = from;
}

/* Who runs: pid and comm. */
INLINE void runs_now(struct head *head);
INLINE void ask_who_runs(struct head *head) {
  head->pid = bpf_get_current_pid_tgid() >> 32;
  bpf_get_current_comm(head->comm, sizeof head->comm);
}

INLINE void *begin(u32 kind, u64 bytes, u32 ns) {
  /* a packet that met no socket has none */
  if (settings.netns && ns && ns != settings.netns) return 0;
  struct head *head = bpf_ringbuf_reserve(&tcpautopsy, bytes, 0);
  if (!head) {
    u64 *count = bpf_map_lookup_elem(&lost, &kind);
    /* an interrupt may come in between */
    if (count) __sync_fetch_and_add(count, 1);
    return head;
  }
  head->t = bpf_ktime_get_boot_ns();
  head->kind = kind;
  head->bytes = bytes;
  head->cpu = bpf_get_smp_processor_id();
  head->ns = ns;
  runs_now(head);
  return head;
}
#define BEGIN(name, ns) ((struct event_##name *)begin(KIND_##name, sizeof(struct event_##name), ns))

/* The record that reaches into the next quarter of the buffer wakes the reader: to ask how much waits takes 40 ns a record. */
INLINE void send(void *event, u32 bytes) {
  u32 place;
  /* a 32-bit move makes a number of a pointer; the compiler would calculate with the pointer */
  asm("%0 = %1" : "=w"(place) : "w"((u32)(u64)event));
  bpf_ringbuf_submit(event, ((place + bytes) & (settings.quarter - 1)) < bytes + 8 /* its header */ ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}
