/* What is attached, what is missing and why, and what the kernel skipped. */
#include "probes.h"

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

/* What the kernel said of one of its programs stands before what follows from that, and that before what this kernel lacks and another has. */
const char *first_refusal(const struct probe *p) {
  EACH(other) if (other->refused && !other->lacking && !strcmp(other->piece, p->piece)) return other->refused;
  EACH(other) if (other->why && !other->lacking && !strcmp(other->piece, p->piece)) return other->why;
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
    put(text, ",\"btf\":%s}", !kernel_btf() ? "false" : "true");
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
  if (!kernel_btf() && !options.piece_count) put(text, "%s{\"piece\":\"drop\",\"why\":\"no BTF: packets cannot be read\"},{\"piece\":\"accept-queue\",\"why\":\"no BTF: sockets cannot be read\"},{\"piece\":\"functions\",\"why\":\"no BTF: sockets cannot be read\"}", text->at[text->used - 1] == '[' ? "" : ",");
  /* since 7.1 kfree_skb has them no longer, and no kernel to try was at hand */
  if (kernel_btf() && btf__find_by_name_kind(kernel_btf(), "btf_trace_qdisc_drop", BTF_KIND_TYPEDEF) > 0) {
    put_comma(text);
    put(text, "{\"piece\":\"qdisc-drop\",\"why\":\"drops of queueing disciplines (qdisc:qdisc_drop) are not recorded\"}");
  }
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
