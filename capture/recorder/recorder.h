/* tcpautopsy-record: what its parts share. */
#pragma once
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define VERSION "0.1.0"
#define FAILED 125 /* exit status */

/* options.c */
struct options {
  const char *out;
  uint16_t ports[64];
  uint8_t hosts[64][16]; /* IPv4 as ::ffff:a.b.c.d */
  const char *pieces[64]; /* none: all but walk */
  unsigned port_count, host_count, piece_count, duration;
  uint64_t max_bytes, ring_bytes;
  bool walk, netns, segments, dry_run, no_btf, no_fentry, no_kprobe;
};
extern struct options options;
void read_options(int argc, char **argv);

/* text.c: a growing piece of JSON. */
struct text {
  char *at;
  size_t used, room;
};
void put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void put_string(struct text *text, const char *string);
void put_word(struct text *text, const char *name); /* an identifier with - for _ */
void put_comma(struct text *text);                  /* unless it would be the first */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);
void problem(const char *format, ...) __attribute__((format(printf, 1, 2)));
void put_problems(struct text *text);
char *format(const char *format, ...) __attribute__((format(printf, 1, 2))); /* allocated */

/* host.c */
void require_privileges(void);
void find_other_recorder(void);
const struct btf *kernel_btf(void); /* NULL: the host has none */
uint64_t boottime(void);
struct anchor {
  uint64_t event, real, width; /* CLOCK_BOOTTIME, CLOCK_REALTIME, between how far apart readings; ns */
};
struct anchor read_anchor(void);
void put_anchor(struct text *text, struct anchor anchor);
bool is_step(struct anchor before, struct anchor after);
int watch_clock(void); /* a file descriptor for poll(2), or -1 */
void put_host(struct text *text);
uint32_t own_netns(void); /* inode */
void put_reasons(struct text *text);
bool misses_of_perf_counted(void);
void see_tracefs(void);
/* Offsets of a tracepoint's fields; 0 when it has none of that name. -1: there is no such tracepoint. */
int tracepoint_field(const char *group, const char *name, const char *field);

/* symbols.c */
void load_symbols(void);
bool has_symbol(const char *name);
const char *symbol_at(uint64_t address); /* NULL: unknown, or hidden */

/* probes.c */
void attach(void);
void detach(void);
bool by_perf(void); /* some programs are attached through perf */
int map_fd(const char *name);
const struct btf *events_btf(void);
void put_probes(struct text *text);
void put_programs(struct text *text);

/* schema.c */
struct kind {
  const char *name;
  unsigned bytes, netns, symbol, cgroup; /* offsets of these members; 0 none */
};
extern struct kind kinds[];
extern unsigned kind_count;
void put_schema(struct text *text);

/* names.c: what numbers in the records mean, told once. */
void see_names(const struct kind *kind, const char *record);
void forget_names(void); /* a new file has to have them again */
extern struct text new_names;

/* output.c */
void open_output(void);
bool put_record(const void *record, size_t bytes);
bool put_json(const struct text *text);
bool flush_records(void);
bool disk_full(void);
/* Bytes of the file when all that waits is written. */
uint64_t to_be_written(void);
#define LAST_WORDS (1 << 18) /* room for the status at the end */
void close_output(void);
void next_output(void); /* what is written goes under a name with a number */
