/* The programs, and which of them are to be loaded. */
#pragma once
#include "recorder.h"
#include <string.h>

/* A program; `name` is piece__function__form (functions) or the piece (tracepoints), `form` and `target` are its section's. */
struct probe {
  struct bpf_program *program;
  struct bpf_link *link;
  const char *name, *section, *target;
  char piece[32], form[16];
  char *refused, *why; /* why: it is not to be loaded */
  bool lacking;        /* refused because the kernel has no such thing, or nobody asked */
  unsigned found;      /* 0 not asked, 1 no, 2 yes: its function in kallsyms */
};
extern struct probe *probes;
extern unsigned probe_count;
#define EACH(p) for (struct probe *p = probes; p < probes + probe_count; p++)

static inline bool by_trampoline(const struct probe *p) { return p->form[0] == 'f'; }
static inline bool by_kprobe(const struct probe *p) { return p->form[0] == 'k'; }

/* choice.c */
void ask_forms(void);                   /* once: whether functions can be probed here at all */
char *absent(const struct probe *p);    /* once: what the kernel lacks, or NULL */
void check_pieces(void);                /* that there are those asked for; ends it */
bool asked_for(const struct probe *p);  /* by --probe, or it is not used */
void decide(void);                      /* sets `why` of each */
void refuse(struct probe *p, const char *why);
const char *first_refusal(const struct probe *p); /* report.c: of a piece */
bool same_place(const struct probe *a, const struct probe *b);
