#include "recorder.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct options options = {.duration = 600, .max_bytes = 1ull << 30, .ring_bytes = 4 << 20};

static const char usage[] =
  "usage: tcpautopsy-record -o FILE [options]\n\n"
  "  -o FILE          the events of this host's TCP connections; must not be there yet\n"
  "  --port N         only connections with this port at either end; repeatable\n"
  "  --host ADDR      only connections with this IPv4 or IPv6 address at either end; repeatable\n"
  "  --probe PIECE    only this piece: conn-request, reset-sent, minisock ... (docs/bundle.md); repeatable\n"
  "  --walk           also one event for each segment and the function that handles it\n"
  "  --netns          only this network namespace: that of the recorder\n"
  "  --duration S     stop after so many seconds (default: 600; 0: when told to)\n"
  "  --max-size SIZE  stop before the file is larger: 500M, 2G ... (default: 1G)\n"
  "  --segments       SIGUSR2, or --max-size, begins a new FILE; the full one is called NAME.000001.bin ...\n"
  "  --buffer SIZE    between kernel and recorder (default: 4M)\n"
  "  --without WHAT   btf, fentry or kprobe: as if this host had none; repeatable\n"
  "  --dry-run        attach, say what is attached and what is missing, and end\n\n"
  "Needs root, or CAP_BPF with CAP_PERFMON. `ready` is printed on stderr when everything is attached; SIGINT or SIGTERM ends it.\n";

static void wrong(const char *what, const char *value) {
  if (value) say("%s '%s'", what, value);
  else say("%s", what);
  fputs("Try: tcpautopsy-record --help\n", stderr);
  exit(1);
}

static uint64_t number(const char *what, const char *text, uint64_t low, uint64_t high) {
  char *end;
  errno = 0;
  unsigned long long n = strtoull(text, &end, 10);
  if (errno || *end || text[0] < '0' || text[0] > '9' || n < low || n > high) wrong(what, text);
  return n;
}

static uint64_t size(const char *what, const char *text, uint64_t low) {
  size_t length = strlen(text);
  const char *unit = length ? strchr("kKmMgG", text[length - 1]) : NULL;
  char digits[24] = "";
  if (length < sizeof digits) memcpy(digits, text, length - (unit ? 1 : 0));
  unsigned shift = unit ? 10 * ((unit - "kKmMgG") / 2 + 1) : 0;
  uint64_t bytes = number(what, digits, 1, UINT64_MAX >> shift) << shift;
  if (bytes < low) wrong(what, text);
  return bytes;
}

static void address(const char *text) {
  uint8_t *to = options.hosts[options.host_count];
  struct in_addr four;
  if (inet_pton(AF_INET, text, &four) == 1) {
    memset(to + 10, 0xff, 2);
    memcpy(to + 12, &four, 4);
  } else if (inet_pton(AF_INET6, text, to) != 1) wrong("--host wants an IPv4 or IPv6 address, not", text);
  options.host_count++;
}

void read_options(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    const char *option = argv[i];
    if (!strcmp(option, "--walk")) options.walk = true;
    else if (!strcmp(option, "--netns")) options.netns = true;
    else if (!strcmp(option, "--segments")) options.segments = true;
    else if (!strcmp(option, "--dry-run")) options.dry_run = true;
    else if (!strcmp(option, "--version")) exit(puts(VERSION) < 0);
    else if (!strcmp(option, "-h") || !strcmp(option, "--help")) exit(fputs(usage, stdout) < 0);
    else {
      const char *value = argv[i + 1];
      if (!value) wrong("unknown, or without its value:", option);
      i++;
      if (!strcmp(option, "-o")) options.out = value;
      else if (!strcmp(option, "--port")) {
        if (options.port_count == 64) wrong("--port: too many, from", value);
        options.ports[options.port_count++] = number("--port wants a number from 1 to 65535, not", value, 1, 65535);
      } else if (!strcmp(option, "--host")) {
        if (options.host_count == 64) wrong("--host: too many, from", value);
        address(value);
      } else if (!strcmp(option, "--probe")) {
        if (options.piece_count == 64) wrong("--probe: too many, from", value);
        options.pieces[options.piece_count++] = value;
      } else if (!strcmp(option, "--duration")) options.duration = number("--duration wants seconds, not", value, 0, 31536000);
      else if (!strcmp(option, "--max-size")) options.max_bytes = size("--max-size wants 1M or more, not", value, 1 << 20);
      else if (!strcmp(option, "--buffer")) options.ring_bytes = size("--buffer wants 64K to 1G, not", value, 1 << 16);
      else if (!strcmp(option, "--without")) {
        if (!strcmp(value, "btf")) options.no_btf = true;
        else if (!strcmp(value, "fentry")) options.no_fentry = true;
        else if (!strcmp(value, "kprobe")) options.no_kprobe = true;
        else wrong("--without wants btf, fentry or kprobe, not", value);
      } else wrong("what is", option);
    }
  }
  if (!options.out && !options.dry_run) wrong("-o FILE is missing", NULL);
  const char *end = options.out ? strrchr(options.out, '.') : NULL;
  if (options.segments && (!end || strcmp(end, ".bin"))) wrong("--segments wants a FILE that ends in .bin, not", options.out);
  /* the kernel wants a power of two */
  while (options.ring_bytes & (options.ring_bytes - 1)) options.ring_bytes &= options.ring_bytes - 1;
  if (options.ring_bytes > 1 << 30) options.ring_bytes = 1 << 30;
}
