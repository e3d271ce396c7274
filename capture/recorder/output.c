/* events.bin: 16 bytes of signature, then blocks. Each is whole or it does not count. Numbers are in the byte order of the host that wrote them. */
#include "recorder.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define JSON 1    /* head, names, status, end */
#define RECORDS 2 /* one after the other */
struct block {
  char mark[4];
  uint32_t what;
  uint64_t length; /* of what follows, without the zeros that fill up to 8 */
  uint64_t number; /* from 0 */
  uint32_t sum;    /* CRC-32 of what follows */
  uint32_t head_sum;
};

#define BLOCK (256 << 10)
#define RESERVE (128 << 10) /* allocated beyond the end: the last word fits on a disk that is full */
static int fd = -1;
static char records[BLOCK];
static size_t used;
static uint64_t number, reserved;
static bool full;
static uint64_t written;

static bool put_bytes(const void *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t n = pwrite(fd, (const char *)bytes + done, length - done, written + done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      if (!full) problem("%s: %s", options.out, n < 0 ? strerror(errno) : "nothing was written");
      full = true;
      return false;
    }
    done += n;
  }
  written += length;
  return true;
}

static bool put_block(uint32_t what, const char *bytes, size_t length) {
  static const char zeros[8];
  uint64_t start = written;
  struct block block = {"TAB1", what, length, number, crc32(0, (const void *)bytes, length), 0};
  block.head_sum = crc32(0, (const void *)&block, offsetof(struct block, head_sum));
  /* asked for in time, so that a status can still be written */
  if (start + length + sizeof block + RESERVE / 2 > reserved) {
    if (!fallocate(fd, FALLOC_FL_KEEP_SIZE, start, length + RESERVE)) reserved = start + length + RESERVE;
    else if (errno == ENOSPC || errno == EDQUOT) {
      if (!full) problem("%s: %s", options.out, strerror(errno));
      full = true;
      if (what != JSON) return false;
    } else reserved = UINT64_MAX; /* a file system that cannot */
  }
  if (put_bytes(&block, sizeof block) && put_bytes(bytes, length) && put_bytes(zeros, -length & 7)) return number++, true;
  written = start;
  if (ftruncate(fd, start)) say("%s: %s", options.out, strerror(errno));
  return false;
}

void open_output(void) {
  fd = open(options.out, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST) {
    int there = open(options.out, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (there >= 0 && flock(there, LOCK_SH | LOCK_NB)) fail("%s is being written by another recorder", options.out);
    fail("%s is there already", options.out);
  }
  if (fd < 0) fail("cannot write to %s: %s", options.out, strerror(errno));
  flock(fd, LOCK_EX | LOCK_NB);
  const struct { char name[14]; uint16_t order; } signature = {"TCPAUTOPSY\r\n\x1a\n", 0x0102};
  if (!put_bytes(&signature, sizeof signature)) fail("nothing can be recorded");
}

bool flush_records(void) {
  if (new_names.used) {
    struct text names = {0};
    put(&names, "{\"names\":[%s]}", new_names.at);
    new_names.used = 0;
    put_block(JSON, names.at, names.used);
    free(names.at);
  }
  size_t length = used;
  used = 0;
  return !length || put_block(RECORDS, records, length);
}

uint64_t to_be_written(void) { return written + used + new_names.used; }

bool put_record(const void *record, size_t bytes) {
  if (used + bytes > sizeof records && !flush_records()) return false;
  memcpy(records + used, record, bytes);
  used += bytes;
  return true;
}

bool put_json(const struct text *text) {
  flush_records();
  return put_block(JSON, text->at, text->used);
}

bool disk_full(void) { return full; }

void close_output(void) {
  if (fd < 0) return;
  if (ftruncate(fd, written)) say("%s: %s", options.out, strerror(errno));
  close(fd);
}

void next_output(void) {
  static unsigned segment;
  close_output();
  char *name = format("%.*s.%06u.bin", (int)(strlen(options.out) - strlen(".bin")), options.out, ++segment);
  if (rename(options.out, name)) fail("%s: %s", name, strerror(errno));
  free(name);
  written = number = reserved = 0;
  open_output();
}
