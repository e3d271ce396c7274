/* What is asked of the host: privileges, BTF, clocks, tracefs, names of reasons. */
#include "recorder.h"
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define CAP_SYS_ADMIN 21
#define CAP_PERFMON 38
#define CAP_BPF 39

static bool line_of(const char *path, const char *start, char *line, size_t room) {
  FILE *file = fopen(path, "re");
  bool found = false;
  while (file && !found && fgets(line, room, file)) found = !strncmp(line, start, strlen(start));
  if (file) fclose(file);
  line[found ? strcspn(line, "\n") : 0] = 0;
  return found;
}

void require_privileges(void) {
  char line[256];
  unsigned long long caps = line_of("/proc/self/status", "CapEff:", line, sizeof line) ? strtoull(line + 7, NULL, 16) : ~0ull;
  bool admin = caps >> CAP_SYS_ADMIN & 1, bpf = caps >> CAP_BPF & 1, perfmon = caps >> CAP_PERFMON & 1;
  if (admin || (bpf && perfmon)) return;
  const char *lacks = bpf ? "CAP_PERFMON" : perfmon ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
  if (geteuid()) fail("not root: run it with sudo, or give it CAP_BPF and CAP_PERFMON (user %u lacks %s)", geteuid(), lacks);
  fail("root without %s (a container?): BPF programs cannot be loaded", lacks);
}

static bool is_recorder(uint32_t map) {
  int fd = bpf_map_get_fd_by_id(map);
  struct bpf_map_info info = {0};
  uint32_t size = sizeof info;
  bool yes = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size) && !strcmp(info.name, "tcpautopsy");
  if (fd >= 0) close(fd);
  return yes;
}

/* By its ring buffer: it may run in another container, whose processes are not seen here. That of one that has just ended goes away by itself. */
void find_other_recorder(void) {
  for (uint32_t id = 0; !bpf_map_get_next_id(id, &id);) {
    if (!is_recorder(id)) continue;
    usleep(500000);
    if (is_recorder(id)) problem("another recorder is running on this host (map %u): both record, and the host pays twice", id);
  }
}

const struct btf *kernel_btf(void) {
  static struct btf *btf;
  static bool tried;
  if (!tried && !options.no_btf) btf = btf__load_vmlinux_btf();
  tried = true;
  return btf;
}

static uint64_t clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}
uint64_t boottime(void) { return clock_ns(CLOCK_BOOTTIME); }

/* CLOCK_REALTIME between two readings of CLOCK_BOOTTIME; the tightest of five. */
struct anchor read_anchor(void) {
  struct anchor best = {.width = UINT64_MAX};
  for (int i = 0; i < 5; i++) {
    uint64_t from = boottime(), real = clock_ns(CLOCK_REALTIME), width = boottime() - from;
    if (width < best.width) best = (struct anchor){from + width / 2, real, width};
  }
  return best;
}

void put_anchor(struct text *text, struct anchor anchor) {
  put(text, "{\"event_ns\":\"%llu\",\"realtime_ns\":\"%llu\",\"uncertainty_ns\":%llu}", (unsigned long long)anchor.event, (unsigned long long)anchor.real,
      (unsigned long long)(anchor.width + 1) / 2);
}

#define STEP 1000000 /* ns; the reader takes less for none */
bool is_step(struct anchor before, struct anchor after) {
  int64_t moved = (int64_t)(after.real - after.event) - (int64_t)(before.real - before.event);
  return llabs(moved) > STEP + (int64_t)(before.width + after.width);
}

/* Becomes readable when CLOCK_REALTIME is set (timerfd_create(2)): not when it is slewed, for CLOCK_BOOTTIME is slewed alike. -1: this kernel has none. */
int watch_clock(void) {
  const struct itimerspec never = {.it_value.tv_sec = 1ll << 33}; /* after the latest time a kernel can be set to */
  int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd >= 0 && timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL)) close(fd), fd = -1;
  return fd;
}

uint32_t own_netns(void) {
  struct stat netns;
  return stat("/proc/self/ns/net", &netns) ? 0 : netns.st_ino;
}

void put_host(struct text *text) {
  struct utsname uts;
  char boot[64];
  uname(&uts);
  line_of("/proc/sys/kernel/random/boot_id", "", boot, sizeof boot);
  put(text, "\"host\":");
  put_string(text, uts.nodename);
  put(text, ",\"boot_id\":");
  put_string(text, boot);
  put(text, ",\"kernel\":{\"release\":");
  put_string(text, uts.release);
  put(text, ",\"version\":");
  put_string(text, uts.version);
  put(text, ",\"arch\":");
  put_string(text, uts.machine);
  put(text, "},\"netns\":%u", own_netns());
}

/* Number -> name as this kernel has them: they move between releases (G15). */
static void put_enum(struct text *text, const char *key, const char *name, const char *prefix) {
  const struct btf *btf = kernel_btf();
  int id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_ENUM) : -1;
  put(text, "\"%s\":{\"source\":\"%s\",\"names\":{", key, id > 0 ? "btf" : "none");
  const struct btf_type *type = id > 0 ? btf__type_by_id(btf, id) : NULL;
  for (int i = 0; type && i < btf_vlen(type); i++) {
    const char *value = btf__name_by_offset(btf, btf_enum(type)[i].name_off);
    if (!strncmp(value, prefix, strlen(prefix))) value += strlen(prefix);
    put_comma(text);
    put(text, "\"%d\":", btf_enum(type)[i].val);
    put_string(text, value);
  }
  put(text, "}}");
}
void put_reasons(struct text *text) {
  put(text, "\"reasons\":{");
  put_enum(text, "drop", "skb_drop_reason", "SKB_DROP_REASON_");
  put(text, ",");
  put_enum(text, "reset", "sk_rst_reason", "SK_RST_REASON_");
  put(text, "}");
}

static bool has_member(const struct btf *btf, int id, const char *name) {
  const struct btf_type *type = btf__type_by_id(btf, id);
  if (!type || !btf_is_composite(type)) return false;
  for (int i = 0; i < btf_vlen(type); i++) {
    const struct btf_member *member = btf_members(type) + i;
    if (!strcmp(btf__name_by_offset(btf, member->name_off), name) || has_member(btf, member->type, name)) return true;
  }
  return false;
}
/* Those of perf (tracepoint, kprobe) came with bpf_link_info's `missed`; those of fentry and tp_btf are older. */
bool misses_of_perf_counted(void) {
  const struct btf *btf = kernel_btf();
  int id = btf ? btf__find_by_name_kind(btf, "bpf_link_info", BTF_KIND_STRUCT) : -1;
  return id > 0 && has_member(btf, id, "missed");
}

/* Mounted for this process alone where it is missing (ip netns exec, containers). */
void see_tracefs(void) {
  if (!access("/sys/kernel/tracing/events", R_OK) || !access("/sys/kernel/debug/tracing/events", R_OK)) return;
  if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || (mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL) && mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL)))
    fail("no BTF, and tracefs cannot be mounted: %s", strerror(errno));
}

int tracepoint_field(const char *group, const char *name, const char *field) {
  static const char *const roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
  FILE *file = NULL;
  for (int i = 0; i < 2 && !file; i++) {
    char path[256];
    snprintf(path, sizeof path, "%s/events/%s/%s/format", roots[i], group, name);
    file = fopen(path, "re");
  }
  if (!file) return -1;
  int offset = 0;
  char line[4096], end[64];
  snprintf(end, sizeof end, "%s", field);
  while (!offset && fgets(line, sizeof line, file)) {
    char *semicolon = strchr(line, ';'), *at = strstr(line, "offset:");
    if (!strstr(line, "field:") || !semicolon || !at) continue;
    *semicolon = 0;
    char *bracket = strchr(line, '[');
    if (bracket) *bracket = 0;
    size_t length = strlen(line), width = strlen(end);
    if (length > width && !strcmp(line + length - width, end) && strchr(" *", line[length - width - 1])) offset = atoi(at + 7);
  }
  fclose(file);
  return offset;
}
