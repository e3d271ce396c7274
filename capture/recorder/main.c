/* Records what the kernel says of this host's TCP connections into one file, events.bin (docs/bundle.md). Nothing is pinned: whatever ends this
   process, the kernel takes the programs away with it. */
#include "recorder.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND 1000000000ull
#define LOOK_MS 200 /* the ring buffer wakes its reader only when a quarter of it is filled */

static volatile sig_atomic_t stopped_by, rotate;
static const char *how, *by;
static uint64_t *sent, *lost, *taken; /* by kind: that came through the ring buffer, that did not fit, that are written */
static uint64_t seen_until; /* no event before it waits in the ring buffer */

static void stop(int signal) { stopped_by = signal; }
static void on_rotate(int signal) { rotate = signal; }
static void end(const char *why_how, const char *why_by) {
  if (!how) how = why_how, by = why_by;
}

static void next_segment(void);

static int take(void *unused, void *data, size_t bytes) {
  (void)unused;
  uint16_t kind;
  memcpy(&kind, (char *)data + 8, sizeof kind);
  if (kind >= kind_count) return 0;
  sent[kind]++;
  if (disk_full()) return 0;
  /* one look into the ring buffer may bring more than there is room for */
  if (to_be_written() + bytes + LAST_WORDS > options.max_bytes) {
    if (!options.segments) return end("complete", "max-size"), 0;
    next_segment();
  }
  see_names(&kinds[kind], data);
  if (put_record(data, kinds[kind].bytes)) taken[kind]++;
  return 0;
}

static uint64_t count_lost(void) {
  int fd = map_fd("lost"), cpus = libbpf_num_possible_cpus();
  uint64_t values[cpus], total = 0;
  for (uint32_t kind = 0; kind < kind_count; kind++) {
    lost[kind] = 0;
    if (bpf_map_lookup_elem(fd, &kind, values)) continue;
    for (int i = 0; i < cpus; i++) lost[kind] += values[i];
    total += lost[kind];
  }
  return total;
}

static void put_counts(struct text *text) {
  uint64_t all_lost = count_lost(), emitted = all_lost, written = 0;
  for (uint32_t kind = 0; kind < kind_count; kind++) emitted += sent[kind], written += taken[kind];
  put(text, "\"emitted\":%llu,\"lost\":%llu,\"written\":%llu,\"by_kind\":[", (unsigned long long)emitted, (unsigned long long)all_lost, (unsigned long long)written);
  for (uint32_t kind = 0; kind < kind_count; kind++)
    put(text, "%s[%llu,%llu,%llu]", kind ? "," : "", (unsigned long long)(sent[kind] + lost[kind]), (unsigned long long)lost[kind], (unsigned long long)taken[kind]);
  put(text, "]");
}

/* A sign of life: clocks, counts, problems. `before`: what the clocks showed last before CLOCK_REALTIME was set. The last one has `ended`. */
static void put_status(const char *when, const struct anchor *before) {
  struct text text = {0};
  struct anchor anchor = read_anchor();
  flush_records();
  /* from a start on all is in this file, until a tick or an end all is written */
  uint64_t t = strcmp(when, "start") ? seen_until : boottime();
  put(&text, "{\"status\":\"%s\",\"t\":\"%llu\",\"anchor\":", when, (unsigned long long)t);
  put_anchor(&text, anchor);
  if (before) put(&text, ",\"before\":"), put_anchor(&text, *before);
  put(&text, ",");
  put_counts(&text);
  put(&text, ",");
  put_programs(&text);
  put(&text, ",\"problems\":");
  put_problems(&text);
  if (how) put(&text, ",\"ended\":{\"how\":\"%s\",\"by\":\"%s\"}", how, by);
  put(&text, "}");
  put_json(&text);
  free(text.at);
}

static void put_head(void) {
  struct text text = {0};
  put(&text, "{\"format\":\"tcpautopsy-events/1\",\"recorder\":\"" VERSION "\",");
  put_host(&text);
  put(&text, ",\"clock\":\"CLOCK_BOOTTIME\",\"buffer_bytes\":%llu,\"options\":{\"ports\":[", (unsigned long long)options.ring_bytes);
  for (unsigned i = 0; i < options.port_count; i++) put(&text, "%s%u", i ? "," : "", options.ports[i]);
  put(&text, "],\"hosts\":[");
  for (unsigned i = 0; i < options.host_count; i++) {
    put(&text, "%s\"", i ? "," : "");
    for (unsigned k = 0; k < 16; k += 2) put(&text, "%s%02x%02x", k ? ":" : "", options.hosts[i][k], options.hosts[i][k + 1]);
    put(&text, "\"");
  }
  put(&text, "],\"netns\":%s,\"walk\":%s},\"misses_of_tracepoints_counted\":%s,", options.netns ? "true" : "false", options.walk ? "true" : "false", !by_perf() || misses_of_perf_counted() ? "true" : "false");
  put_probes(&text);
  put(&text, ",");
  put_reasons(&text);
  put(&text, ",");
  put_schema(&text);
  put(&text, "}");
  if (options.dry_run) exit(printf("%s\n", text.at) < 0);
  put_json(&text);
  free(text.at);
}

/* A file by itself, like any other: what came until now is in the one that is closed, counts go on. */
static void next_segment(void) {
  put_status("end", NULL);
  next_output();
  forget_names();
  put_head();
  put_status("start", NULL);
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  require_privileges();
  struct sigaction on_signal = {.sa_handler = stop};
  sigaction(SIGINT, &on_signal, NULL);
  sigaction(SIGTERM, &on_signal, NULL);
  sigaction(SIGHUP, &on_signal, NULL);
  if (options.segments) sigaction(SIGUSR2, &(struct sigaction){.sa_handler = on_rotate}, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  find_other_recorder();
  if (!options.dry_run) open_output();
  attach();
  sent = calloc(kind_count, sizeof *sent);
  lost = calloc(kind_count, sizeof *lost);
  taken = calloc(kind_count, sizeof *taken);
  put_head();
  seen_until = boottime();
  put_status("start", NULL);
  struct ring_buffer *ring = ring_buffer__new(map_fd("tcpautopsy"), take, NULL, NULL);
  if (!ring) fail("the ring buffer cannot be read: %s", strerror(errno));

  uint64_t started = boottime(), last_flush = started, last_status = started, last = started;
  struct anchor clocks = read_anchor();
  /* a negative one is passed over */
  struct pollfd woken[] = {{.fd = ring_buffer__epoll_fd(ring), .events = POLLIN}, {.fd = watch_clock(), .events = POLLIN}};
  fprintf(stderr, "ready\n");
  while (!how) {
    poll(woken, 2, LOOK_MS);
    struct anchor now_clocks = read_anchor();
    uint64_t looked = boottime(), set;
    if (ring_buffer__consume(ring) < 0) end("failed", "ring-buffer");
    seen_until = looked;
    if (woken[1].revents && read(woken[1].fd, &set, sizeof set) >= 0) woken[1].fd = -1; /* it never expires */
    if (is_step(clocks, now_clocks)) put_status("tick", &clocks);
    clocks = now_clocks;
    uint64_t now = boottime();
    if (now - last > 5 * SECOND) problem("the recorder did not run for %.1f s (stopped, or the host slept or was overloaded)", (now - last) / 1e9);
    last = now;
    if (now - last_flush > SECOND) last_flush = now, flush_records();
    if (now - last_status > 10 * SECOND) last_status = now, put_status("tick", NULL);
    if (rotate) rotate = 0, next_segment();
    if (stopped_by) end("interrupted", stopped_by == SIGINT ? "SIGINT" : stopped_by == SIGHUP ? "SIGHUP" : "SIGTERM");
    if (options.duration && now - started >= options.duration * SECOND) end("complete", "duration");
    if (disk_full()) end("failed", "disk-full");
    if (to_be_written() + LAST_WORDS > options.max_bytes && !options.segments) end("complete", "max-size");
  }
  detach();
  seen_until = boottime();
  ring_buffer__consume(ring);
  put_status("end", NULL);
  close_output();
  uint64_t total = count_lost();
  if (total) say("%llu events were lost: the buffer was full (--buffer)", (unsigned long long)total);
  return strcmp(how, "failed") ? 0 : FAILED;
}
