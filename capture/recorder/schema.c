/* The schema of the records, from the BTF of the programs: members of nested structs as if they were the record's own. */
#include "recorder.h"
#include "../../bpf/kinds.h"
#include <string.h>

#define NAME(name) #name,
static const char *const kind_names[] = {KINDS(NAME)};
struct kind kinds[KIND_COUNT];
unsigned kind_count = KIND_COUNT;

static const struct btf_type *resolve(const struct btf *btf, uint32_t id, const char **name) {
  const struct btf_type *type = btf__type_by_id(btf, id);
  *name = "";
  while (btf_is_typedef(type) || btf_is_mod(type)) {
    /* of a chain of typedefs the outermost says how it is shown */
    if (!**name && btf_is_typedef(type)) *name = btf__name_by_offset(btf, type->name_off);
    type = btf__type_by_id(btf, type->type);
  }
  return type;
}

static void put_member(struct text *text, const struct btf *btf, struct kind *kind, const char *name, uint32_t id, unsigned at) {
  const char *shown;
  const struct btf_type *type = resolve(btf, id, &shown);
  bool is_address = !strcmp(shown, "address");
  if (btf_is_composite(type) && !is_address) {
    for (int i = 0; i < btf_vlen(type); i++) {
      const struct btf_member *member = btf_members(type) + i;
      put_member(text, btf, kind, btf__name_by_offset(btf, member->name_off), member->type, at + member->offset / 8);
    }
    return;
  }
  if (name[0] == '_') return;
  if (!strcmp(shown, "symbol")) kind->symbol = at;
  if (!strcmp(name, "cgroup")) kind->cgroup = at;
  if (!strcmp(name, "ns")) kind->netns = at;
  const char *form = is_address ? "address"
    : btf_is_array(type)        ? "text"
    : btf_is_enum(type)         ? "enum"
    : !strcmp(shown, "symbol")  ? "symbol"
    : !strcmp(shown, "pointer") || !strncmp(shown, "hex", 3) ? "hex"
    : btf_int_encoding(type) & BTF_INT_SIGNED ? "signed" : "unsigned";
  put_comma(text);
  put(text, "{\"name\":\"%s\",\"at\":%u,\"bytes\":%d,\"form\":\"%s\"", name, at, (int)btf__resolve_size(btf, id), form);
  for (int i = 0; btf_is_enum(type) && i < btf_vlen(type); i++)
    put(text, "%s\"%s\"%s", i ? "," : ",\"names\":[", btf__name_by_offset(btf, btf_enum(type)[i].name_off), i + 1 == btf_vlen(type) ? "]" : "");
  put(text, "}");
}

/* [{"kind": "state", "bytes": 168, "fields": [{"name", "at", "bytes", "form"}, …]}, …]: the number of a kind is its place. */
void put_schema(struct text *text) {
  const struct btf *btf = events_btf();
  put(text, "\"kinds\":[");
  for (unsigned i = 0; i < kind_count; i++) {
    char name[64];
    snprintf(name, sizeof name, "event_%s", kind_names[i]);
    int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
    if (id < 0) fail("no %s in the programs' BTF", name);
    kinds[i].name = kind_names[i];
    kinds[i].bytes = btf__resolve_size(btf, id);
    put_comma(text);
    put(text, "{\"kind\":");
    put_word(text, kind_names[i]);
    put(text, ",\"bytes\":%u,\"fields\":[", kinds[i].bytes);
    put_member(text, btf, &kinds[i], "", id, 0);
    put(text, "]}");
  }
  put(text, "]");
}
