/* What numbers in the records stand for: symbols of code, network namespaces, cgroups. Looked up when a number is first seen, while it still means that. */
#include "recorder.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SEEN (1 << 16)
struct text new_names;
static uint64_t seen[SEEN];
static unsigned seen_count;

/* True the first time. Of more numbers than half the table the rest have no names. */
static bool first_sight(uint64_t number) {
  if (!number) return false;
  for (unsigned at = number * 0x9e3779b97f4a7c15 >> 48;; at = (at + 1) % SEEN) {
    if (seen[at] == number) return false;
    if (seen[at]) continue;
    if (seen_count > SEEN / 2) return false;
    seen_count++;
    seen[at] = number;
    return true;
  }
}

void forget_names(void) {
  memset(seen, 0, sizeof seen);
  seen_count = 0;
}

static void tell(const char *what, const char *number, const char *name) {
  if (!name) return;
  put(&new_names, "%s{\"%s\":\"%s\",\"name\":", new_names.used ? "," : "", what, number);
  put_string(&new_names, name);
  put(&new_names, "}");
}

static bool is_netns(const char *path, uint64_t inode) {
  struct stat file;
  return !stat(path, &file) && file.st_ino == inode;
}

static void tell_netns(uint32_t inode) {
  static const char *const folders[] = {"/run/netns", "/run/docker/netns"};
  char number[24], path[PATH_MAX];
  snprintf(number, sizeof number, "%u", inode);
  if (is_netns("/proc/1/ns/net", inode)) return tell("netns", number, "host");
  for (int i = 0; i < 2; i++) {
    DIR *folder = opendir(folders[i]);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
      snprintf(path, sizeof path, "%s/%s", folders[i], entry->d_name);
      if (entry->d_name[0] == '.' || !is_netns(path, inode)) continue;
      tell("netns", number, entry->d_name);
      break;
    }
    if (folder) closedir(folder);
  }
}

/* kernfs opens a folder by its id alone. */
static void tell_cgroup(uint64_t id) {
  static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
  struct { struct file_handle handle; uint64_t id; } by_id = {{.handle_bytes = 8, .handle_type = 0xfe /* FILEID_KERNFS */}, 0};
  memcpy(by_id.handle.f_handle, &id, 8);
  for (int i = 0; i < 2; i++) {
    int mount = open(mounts[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct statfs fs;
    bool cgroups = mount >= 0 && !fstatfs(mount, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC;
    int fd = !cgroups ? -1 : open_by_handle_at(mount, &by_id.handle, O_RDONLY | O_PATH | O_CLOEXEC);
    if (mount >= 0) close(mount);
    if (fd < 0) continue;
    char link[64], path[PATH_MAX], number[24];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    close(fd);
    size_t prefix = strlen(mounts[i]);
    if (length < (ssize_t)prefix || strncmp(path, mounts[i], prefix)) continue;
    path[length] = 0;
    snprintf(number, sizeof number, "%llu", (unsigned long long)id);
    tell("cgroup", number, path[prefix] ? path + prefix : "/");
    return;
  }
}

void see_names(const struct kind *kind, const char *record) {
  uint64_t value = 0;
  uint32_t netns;
  memcpy(&netns, record + kind->netns, 4);
  if (first_sight(netns | 1ull << 63 >> 1)) tell_netns(netns);
  if (kind->cgroup) {
    memcpy(&value, record + kind->cgroup, 8);
    if (first_sight(value ? value ^ 1ull << 61 : 0)) tell_cgroup(value);
  }
  if (kind->symbol) {
    memcpy(&value, record + kind->symbol, 8);
    char number[24];
    snprintf(number, sizeof number, "%llx", (unsigned long long)value);
    if (first_sight(value)) tell("symbol", number, symbol_at(value));
  }
}
