/* One object of all subjects: they share the ring buffer and the filters. */
#include "state.bpf.c"
#include "resets.bpf.c"
#include "retransmits.bpf.c"
#include "drops.bpf.c"
#include "listener.bpf.c"
#include "close.bpf.c"
#include "minisock.bpf.c"
#include "walk.bpf.c"
