/* Which programs are loaded and attached: each in the first form that this kernel takes. What it refuses is left out, with what it said. */
#include "recorder.h"
#include "../../bpf/settings.h"
#include "recorder.skel.h"
#include "without-btf.skel.h"
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A program; `name` is piece__function__form (functions) or the piece (tracepoints), `form` and `target` are its section's. */
struct probe {
  struct bpf_program *program;
  struct bpf_link *link;
  const char *name, *section, *target;
  char piece[32], form[16];
  char *refused, *why; /* why: it is not to be loaded */
  unsigned found;      /* 0 not asked, 1 no, 2 yes: its function in kallsyms */
};
static struct probe *probes;
static unsigned probe_count;
static struct bpf_object *opened;
static struct recorder_bpf *with_btf;
static struct without_btf_bpf *without;
#define EACH(p) for (struct probe *p = probes; p < probes + probe_count; p++)

static char *fentry_refused, *kprobe_refused;
static char culprit[64], said[256], map_error[128];

/* Of what libbpf says: which program was refused, and the verifier's last word. */
static int listen(enum libbpf_print_level level, const char *format, va_list list) {
  if (level == LIBBPF_DEBUG) return 0;
  struct text text = {0};
  char buffer[1 << 16];
  (void)text;
  vsnprintf(buffer, sizeof buffer, format, list);
  char *log = strstr(buffer, "-- BEGIN PROG LOAD LOG --");
  if (log) {
    char *end = strstr(log, "processed ");
    if (!end) end = log + strlen(log);
    while (end > log && strchr("\n ", end[-1])) end--;
    char *line = end;
    while (line > log && line[-1] != '\n') line--;
    snprintf(said, sizeof said, "%.*s", (int)(end - line), line);
  } else if (strstr(buffer, "failed to load") || strstr(buffer, "failed to find kernel BTF type ID")) {
    sscanf(buffer, "libbpf: prog '%63[^']'", culprit);
  } else if (strstr(buffer, "map '") && strstr(buffer, "failed to create")) {
    snprintf(map_error, sizeof map_error, "%.*s", (int)strcspn(buffer + 8, "\n"), buffer + 8);
  }
  return 0;
}

static const char *refused_by(int error) {
  static char text[320];
  snprintf(text, sizeof text, "%s%s%s", strerror(error), *said ? ": " : "", said);
  *said = 0;
  return text;
}

/* Whether the kernel takes fentry programs at all. */
static void try_fentry(void) {
  const struct bpf_insn nothing[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K}, {.code = BPF_JMP | BPF_EXIT}};
  int id = btf__find_by_name_kind(kernel_btf(), "tcp_close", BTF_KIND_FUNC);
  LIBBPF_OPTS(bpf_prog_load_opts, load, .expected_attach_type = BPF_TRACE_FENTRY, .attach_btf_id = id > 0 ? id : 0);
  int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "trial", "GPL", nothing, 2, &load);
  int link = fd < 0 ? -1 : bpf_raw_tracepoint_open(NULL, fd);
  if (link < 0) fentry_refused = format("fentry: %s", strerror(errno));
  if (link >= 0) close(link);
  if (fd >= 0) close(fd);
}

static bool is_return(const struct probe *p) {
  const char *end = strrchr(p->name, '_');
  if (!end++) return false;
  return !strcmp(end, "fexit") || !strcmp(end, "keep") || !strcmp(end, "kretprobe");
}
static bool same_place(const struct probe *a, const struct probe *b) {
  return !strcmp(a->piece, b->piece) && !strcmp(a->target, b->target) && is_return(a) == is_return(b);
}
static bool by_trampoline(const struct probe *p) { return p->form[0] == 'f'; }
static bool by_kprobe(const struct probe *p) { return p->form[0] == 'k'; }
static bool probed(const char *piece, const char *target) {
  EACH(p) if (!p->why && !strcmp(p->piece, piece) && !strcmp(p->target, target)) return true;
  return false;
}
static bool kernel_has(const char *name, int kind) { return btf__find_by_name_kind(kernel_btf(), name, kind) > 0; }

/* Asked of each program once. */
static char *absent(const struct probe *p) {
  char name[128];
  if (!strcmp(p->piece, "walk") && !options.walk) return "not asked for (--walk)";
  snprintf(name, sizeof name, "btf_trace_%s", p->target);
  if (!strcmp(p->form, "tp_btf") && !kernel_has(name, BTF_KIND_TYPEDEF)) return format("this kernel has no tracepoint %s", p->target);
  if (by_trampoline(p) && !kernel_has(p->target, BTF_KIND_FUNC)) return format("this kernel has no function %s", p->target);
  return NULL;
}

static char *why_not(struct probe *p) {
  if (p->refused) return p->refused;
  if (by_trampoline(p)) return fentry_refused;
  if (!by_kprobe(p)) return NULL;
  EACH(other) if (by_trampoline(other) && !other->why && same_place(p, other)) return "fentry does it";
  if (kprobe_refused) return kprobe_refused;
  if (!p->found) p->found = 1 + has_symbol(p->target);
  return p->found > 1 ? NULL : format("this kernel has no function %s", p->target);
}

static void decide(void) {
  EACH(p) p->why = NULL;
  EACH(p) if (!by_kprobe(p)) p->why = why_not(p);
  EACH(p) if (by_kprobe(p)) p->why = why_not(p);
  /* the outer function calls the inner one */
  if (probed("request_timer", "__inet_csk_reqsk_queue_drop")) EACH(p) if (!strcmp(p->target, "inet_csk_reqsk_queue_drop")) p->why = "__inet_csk_reqsk_queue_drop does it";
  /* of no use without each other */
  unsigned timer = 0, removals = 0;
  EACH(p) if (!p->why && !strcmp(p->piece, "request_timer")) {
    if (strcmp(p->target, "reqsk_timer_handler")) removals++;
    else timer |= 1 << is_return(p);
  }
  if (timer == 3 && removals) return;
  EACH(p) if (!p->why && !strcmp(p->piece, "request_timer")) p->why = timer == 3 ? "(__)inet_csk_reqsk_queue_drop cannot be probed" : "reqsk_timer_handler cannot be probed: whether the timer removed a request would not be known";
}

static void refuse(struct probe *p, const char *why) {
  char *kept = format("%s: %s", p->form, why);
  EACH(other) if (same_place(p, other) && by_kprobe(p) == by_kprobe(other)) other->refused = kept;
}

static void list_programs(void) {
  struct bpf_program *program = NULL;
  unsigned i = 0;
  bool first = !probes;
  if (first) {
    while ((program = bpf_object__next_program(opened, program))) probe_count++;
    probes = calloc(probe_count, sizeof *probes);
  }
  while ((program = bpf_object__next_program(opened, program))) {
    struct probe *p = &probes[i++];
    p->program = program;
    p->link = NULL;
    p->name = bpf_program__name(program);
    p->section = bpf_program__section_name(program);
    p->target = strrchr(p->section, '/') + 1;
    snprintf(p->form, sizeof p->form, "%.*s", (int)strcspn(p->section, "/"), p->section);
    const char *end = strstr(p->name, "__");
    snprintf(p->piece, sizeof p->piece, "%.*s", end ? (int)(end - p->name) : (int)strlen(p->name), p->name);
    if (first && kernel_btf()) p->refused = absent(p);
  }
}

static void place_fields(const char *group, const char *name, uint16_t *at) {
#define NAME(name) #name,
  static const char *const fields[] = {FIELDS(NAME)};
  if (tracepoint_field(group, name, "skaddr") < 0 && tracepoint_field(group, name, "error") < 0) {
    EACH(p) if (!strcmp(p->target, name)) p->refused = format("this kernel has no tracepoint %s:%s", group, name);
    return;
  }
  for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++) at[i] = tracepoint_field(group, name, fields[i]);
}

static void set(struct settings *to) {
  to->wake_at = options.ring_bytes / 4;
  to->every_port = !options.port_count;
  to->every_host = !options.host_count;
  for (unsigned i = 0; i < options.port_count; i++) to->ports[options.ports[i] / 8] |= 1 << options.ports[i] % 8;
}

static void open_object(void) {
  if (kernel_btf()) {
    if (!(with_btf = recorder_bpf__open())) fail("the programs cannot be read: %s", strerror(errno));
    set(&with_btf->rodata->settings);
    opened = with_btf->obj;
  } else {
    if (!(without = without_btf_bpf__open())) fail("the programs cannot be read: %s", strerror(errno));
    set(&without->rodata->settings);
    opened = without->obj;
  }
  list_programs();
  if (without) {
#define PLACE(group, name) place_fields(#group, #name, (uint16_t *)&without->rodata->name)
    PLACE(sock, inet_sock_set_state);
    PLACE(tcp, tcp_send_reset);
    PLACE(tcp, tcp_receive_reset);
    PLACE(tcp, tcp_retransmit_skb);
    PLACE(tcp, tcp_retransmit_synack);
    PLACE(tcp, tcp_destroy_sock);
    PLACE(sock, inet_sk_error_report);
  }
  bpf_map__set_max_entries(bpf_object__find_map_by_name(opened, "tcpautopsy"), options.ring_bytes);
  bpf_map__set_max_entries(bpf_object__find_map_by_name(opened, "hosts"), options.host_count + 1);
}

static void close_object(void) {
  recorder_bpf__destroy(with_btf);
  without_btf_bpf__destroy(without);
  with_btf = NULL;
  without = NULL;
}

void detach(void) {
  EACH(p) {
    bpf_link__destroy(p->link);
    p->link = NULL;
  }
}

/* False: something was refused, and the rest is to be tried again without it. */
static bool load_and_attach(void) {
  *culprit = *said = *map_error = 0;
  decide();
  EACH(p) bpf_program__set_autoload(p->program, !p->why);
  int error = -bpf_object__load(opened);
  if (error && *map_error && options.ring_bytes > 1 << 18) {
    options.ring_bytes /= 2; /* not that much locked memory is allowed here */
    return false;
  }
  if (error) {
    struct probe *found = NULL;
    EACH(p) if (!strcmp(p->name, culprit)) found = p;
    if (!found || found->refused) fail("the programs cannot be loaded: %s%s", *map_error ? map_error : "", refused_by(error));
    refuse(found, refused_by(error));
    return false;
  }
  for (unsigned i = 0; i < options.host_count; i++) {
    uint8_t yes = 1;
    if (bpf_map_update_elem(map_fd("hosts"), options.hosts[i], &yes, BPF_ANY)) fail("--host: %s", strerror(errno));
  }
  bool all = true;
  EACH(p) if (!p->why && !(p->link = bpf_program__attach(p->program))) {
    refuse(p, refused_by(errno));
    all = false;
    if (by_kprobe(p) || by_trampoline(p)) break;
  }
  if (!all) detach();
  return all;
}

void attach(void) {
  libbpf_set_print(listen);
  if (kernel_btf()) {
    load_symbols();
    if (options.no_fentry) fentry_refused = "fentry: not asked for (--without fentry)";
    else try_fentry();
    if (options.no_kprobe) kprobe_refused = "kprobe: not asked for (--without kprobe)";
    else if (access("/sys/bus/event_source/devices/kprobe/type", F_OK)) kprobe_refused = "kprobe: this kernel has none";
    if (fentry_refused && kprobe_refused) fentry_refused = kprobe_refused = format("%s; %s", fentry_refused, kprobe_refused);
  } else see_tracefs();
  for (unsigned tries = 0;; tries++) {
    open_object();
    if (load_and_attach()) break;
    close_object();
    if (tries > 2 * probe_count) fail("the programs cannot be loaded");
  }
  bool any = false;
  EACH(p) any |= !!p->link;
  if (!any) fail("nothing could be attached: %s", probe_count ? probes[0].why : "");
}

int map_fd(const char *name) { return bpf_object__find_map_fd_by_name(opened, name); }
const struct btf *events_btf(void) { return bpf_object__btf(opened); }

bool by_perf(void) {
  EACH(p) if (p->link && (by_kprobe(p) || !strcmp(p->form, "tracepoint"))) return true;
  return false;
}

static bool first_of_piece(const struct probe *p) {
  for (const struct probe *before = probes; before < p; before++)
    if (!strcmp(before->piece, p->piece)) return false;
  return true;
}
static bool any_of_piece(const struct probe *p) {
  EACH(other) if (other->link && !strcmp(other->piece, p->piece)) return true;
  return false;
}

static bool place_attached(const struct probe *p) {
  EACH(other) if (other->link && same_place(p, other)) return true;
  return false;
}

/* What the kernel said of it stands before what follows from that. */
static const char *first_refusal(const struct probe *p) {
  EACH(other) if (other->refused && !strcmp(other->piece, p->piece)) return other->refused;
  return p->why ? p->why : "not attached";
}

/* The shape of a manifest's `probes`; `left_out`: what is not attached of pieces that are there in part. */
void put_probes(struct text *text) {
  put(text, "\"probes\":{\"attached\":[");
  EACH(p) {
    if (!p->link) continue;
    put_comma(text);
    put(text, "{\"probe\":\"%s:%s\",\"piece\":", p->form, p->target);
    put_word(text, p->piece);
    put(text, ",\"btf\":%s}", without ? "false" : "true");
  }
  put(text, "],\"missing\":[");
  EACH(p) {
    if (!first_of_piece(p) || any_of_piece(p)) continue;
    put_comma(text);
    put(text, "{\"piece\":");
    put_word(text, p->piece);
    put(text, ",\"why\":");
    put_string(text, first_refusal(p));
    put(text, "}");
  }
  if (without) put(text, "%s{\"piece\":\"drop\",\"why\":\"no BTF: packets cannot be read\"},{\"piece\":\"accept-queue\",\"why\":\"no BTF: sockets cannot be read\"},{\"piece\":\"functions\",\"why\":\"no BTF: sockets cannot be read\"}", text->at[text->used - 1] == '[' ? "" : ",");
  put(text, "],\"left_out\":[");
  EACH(p) {
    if (p->link || !p->why || !any_of_piece(p) || place_attached(p)) continue;
    put_comma(text);
    put(text, "{\"probe\":\"%s:%s\",\"piece\":", p->form, p->target);
    put_word(text, p->piece);
    put(text, ",\"why\":");
    put_string(text, p->why);
    put(text, "}");
  }
  put(text, "]}");
}

/* Runs that the kernel skipped because the program, or another one of perf, was running on that CPU. */
void put_programs(struct text *text) {
  unsigned long long total = 0;
  unsigned programs = 0;
  put(text, "\"recursion_misses\":{\"by_program\":{");
  EACH(p) {
    struct bpf_prog_info info = {0};
    uint32_t size = sizeof info;
    if (p->why || bpf_obj_get_info_by_fd(bpf_program__fd(p->program), &info, &size)) continue;
    programs++;
    total += info.recursion_misses;
    if (!info.recursion_misses) continue;
    put_comma(text);
    put(text, "\"%s\":%llu", p->name, (unsigned long long)info.recursion_misses);
  }
  put(text, "},\"programs\":%u,\"total\":%llu}", programs, total);
}
