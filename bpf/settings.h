/* What the recorder sets before it loads the programs. */
#pragma once
#include <linux/types.h>

struct settings {
  __u32 quarter; /* of the ring buffer, a power of two: so often the reader is woken; it looks by itself now and then */
  __u32 netns;   /* inode; 0: of all */
  __u8 every_port, every_host;
  __u8 ports[65536 / 8];
};

/* Without BTF: where the fields of a tracepoint lie in its record, from tracefs; 0: it has none of that name. */
#define FIELDS(EACH) \
  EACH(skaddr) EACH(skbaddr) EACH(req) EACH(sport) EACH(dport) EACH(saddr_v6) EACH(daddr_v6) EACH(protocol) EACH(oldstate) EACH(newstate) EACH(state) \
  EACH(reason) EACH(err) EACH(error) EACH(sock_cookie)
#define FIELD_OF(name) __u16 name;
struct fields { FIELDS(FIELD_OF) };
#undef FIELD_OF
