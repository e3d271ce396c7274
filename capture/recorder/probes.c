/* Which programs are loaded and attached: each in the first form that this kernel takes. What it refuses is left out, with what it said. */
#include "probes.h"
#include "../../bpf/settings.h"
#include "recorder.skel.h"
#include "without-btf.skel.h"
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct probe *probes;
unsigned probe_count;
static struct bpf_object *opened;
static struct recorder_bpf *with_btf;
static struct without_btf_bpf *without;
static char culprit[64], said[256], map_error[128];

/* Of what libbpf says: which program was refused, and the verifier's last word. */
static int listen(enum libbpf_print_level level, const char *format, va_list list) {
  if (level == LIBBPF_DEBUG) return 0;
  char buffer[1 << 16];
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
    if (first) p->lacking = !!(p->refused = absent(p));
  }
  if (first) check_pieces();
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
  to->quarter = options.ring_bytes / 4;
  to->netns = options.netns ? own_netns() : 0;
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
    ask_forms();
  } else see_tracefs();
  for (unsigned tries = 0;; tries++) {
    open_object();
    if (load_and_attach()) break;
    close_object();
    if (tries > 2 * probe_count) fail("the programs cannot be loaded");
  }
  bool any = false;
  EACH(p) any |= !!p->link;
  if (any) return;
  EACH(p) if (asked_for(p)) fail("nothing could be attached: %s", first_refusal(p));
  fail("nothing could be attached");
}

int map_fd(const char *name) { return bpf_object__find_map_fd_by_name(opened, name); }
const struct btf *events_btf(void) { return bpf_object__btf(opened); }

