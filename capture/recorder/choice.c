/* Which form of a probe this kernel takes: asked of its BTF, its symbols and by trial. */
#include "probes.h"
#include <errno.h>
#include <stdlib.h>
#include <linux/bpf.h>
#include <unistd.h>

static char *fentry_refused, *kprobe_refused;

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

void ask_forms(void) {
  if (options.no_fentry) fentry_refused = "fentry: not asked for (--without fentry)";
  else try_fentry();
  if (options.no_kprobe) kprobe_refused = "kprobe: not asked for (--without kprobe)";
  else if (access("/sys/bus/event_source/devices/kprobe/type", F_OK)) kprobe_refused = "kprobe: this kernel has none";
  if (fentry_refused && kprobe_refused) fentry_refused = kprobe_refused = format("%s; %s", fentry_refused, kprobe_refused);
}

static bool is_return(const struct probe *p) {
  const char *end = strrchr(p->name, '_');
  if (!end++) return false;
  return !strcmp(end, "fexit") || !strcmp(end, "keep") || !strcmp(end, "kretprobe");
}
bool same_place(const struct probe *a, const struct probe *b) {
  return !strcmp(a->piece, b->piece) && !strcmp(a->target, b->target) && is_return(a) == is_return(b);
}
static bool probed(const char *piece, const char *target) {
  EACH(p) if (!p->why && !strcmp(p->piece, piece) && !strcmp(p->target, target)) return true;
  return false;
}
static bool kernel_has(const char *name, int kind) { return btf__find_by_name_kind(kernel_btf(), name, kind) > 0; }

/* Names of the command line have - for _. */
static bool is_called(const struct probe *p, const char *piece) {
  size_t i = 0;
  while (p->piece[i] && (p->piece[i] == '_' ? '-' : p->piece[i]) == piece[i]) i++;
  return !p->piece[i] && !piece[i];
}
void check_pieces(void) {
  for (unsigned i = 0; i < options.piece_count; i++) {
    bool known = false;
    EACH(p) known |= is_called(p, options.pieces[i]);
    if (known) continue;
    say("--probe: there is no piece '%s'", options.pieces[i]);
    exit(1);
  }
}
bool asked_for(const struct probe *p) {
  for (unsigned i = 0; i < options.piece_count; i++)
    if (is_called(p, options.pieces[i])) return true;
  return !options.piece_count;
}

/* Asked of each program once. */
char *absent(const struct probe *p) {
  char name[128];
  if (!asked_for(p)) return "not asked for (--probe)";
  if (!strcmp(p->piece, "walk") && !options.walk && !options.piece_count) return "not asked for (--walk)";
  if (!kernel_btf()) return NULL;
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

void decide(void) {
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

void refuse(struct probe *p, const char *why) {
  char *kept = format("%s: %s", p->form, why);
  EACH(other) if (same_place(p, other) && by_kprobe(p) == by_kprobe(other)) other->refused = kept;
}
