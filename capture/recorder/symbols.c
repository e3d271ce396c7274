/* Symbols of the kernel's code, kept small: 12 bytes and the name for each. */
#include "recorder.h"
#include <stdlib.h>
#include <string.h>

#define LONGEST (1 << 16)

static struct symbol { uint64_t address; uint32_t name; } *symbols;
static size_t count;
static struct text names;
static bool hidden = true;

static int by_address(const void *a, const void *b) {
  const struct symbol *one = a, *other = b;
  return one->address < other->address ? -1 : one->address > other->address;
}

void load_symbols(void) {
  FILE *file = fopen("/proc/kallsyms", "re");
  char line[1024], name[768], type;
  unsigned long long address;
  size_t room = 0;
  put(&names, "%c", '.');
  while (file && fgets(line, sizeof line, file)) {
    if (sscanf(line, "%llx %c %767s", &address, &type, name) != 3 || !strchr("tTwW", type)) continue;
    if (count == room && !(symbols = realloc(symbols, (room = room ? room * 2 : 1 << 16) * sizeof *symbols))) abort();
    symbols[count++] = (struct symbol){address, names.used};
    put(&names, "%s%c", name, 0);
    if (address) hidden = false;
  }
  if (file) fclose(file);
  qsort(symbols, count, sizeof *symbols, by_address);
  if (hidden) problem("kernel symbols are hidden here (kernel.kptr_restrict, CAP_SYSLOG): where a packet was dropped has no name");
}

bool has_symbol(const char *name) {
  for (size_t i = 0; i < count; i++)
    if (!strcmp(names.at + symbols[i].name, name)) return true;
  return false;
}

const char *symbol_at(uint64_t address) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (symbols[middle].address <= address) low = middle + 1;
    else high = middle;
  }
  /* no function is that long: of a module that was loaded since */
  if (hidden || !low || address - symbols[low - 1].address > LONGEST) return NULL;
  return names.at + symbols[low - 1].name;
}
