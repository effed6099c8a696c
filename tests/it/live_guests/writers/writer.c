/* A guest's program that writes all the time, and knows what the kernel accepted.
 *
 *   usage: writer KIND FILES VERSIONS PAUSE LOG
 *
 * Its files are w/0, w/1 ... beneath the working directory. What it knows is in LOG, which is mapped, so that nothing
 * of it is lost when it is killed: numbers of 64 bits, first those of `enum`, then the version of every file.
 * Before and after every write it reads its file: what was accepted must be there, and what was removed must not. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { STOP, STOPPED, ACCEPTED, REFUSED, LOST, RESURRECTED, ODD, ODD_ERRNO, ODD_LINE, FILES = 16 };
enum { BODY = 9000, LINE = 9, MOST = BODY + 64 * LINE, ABSENT = -1 };

static volatile int64_t *shared;
static int versions, pause_us;
static const char *kind;
static char want[MOST], have[MOST + 1];

static int is(const char *name) { return strcmp(kind, name) == 0; }
static int by_length(void) { return is("append") || is("truncate"); }
static int by_metadata(void) { return is("chmod") || is("setxattr") || is("utimes") || is("link"); }

static void odd(int line) {
  shared[ODD]++;
  shared[ODD_ERRNO] = errno;
  shared[ODD_LINE] = line;
}

/* EPERM: the file is shared and protected. That is an answer; anything else is not. */
static int refused(int line) {
  if (errno == EPERM) shared[REFUSED]++;
  else odd(line);
  return 0;
}
#define TRY(call) do { if ((call) < 0) return refused(__LINE__); } while (0)

static size_t body(int file, int version, char *out) {
  char line[64];
  int length = sprintf(line, "file %d version %d\n", file, by_length() || by_metadata() ? 0 : version);
  for (int i = 0; i < BODY; i++) out[i] = line[i % length];
  size_t size = BODY;
  if (by_length())
    for (int i = 0; i < version; i++, size += LINE) memcpy(out + size, "appended\n", LINE);
  return size;
}

static struct timespec fixed(int version) {
  return (struct timespec){1700000000 + (is("utimes") ? version : 0), 123456789};
}

static int set_time(int fd, int version) {
  struct timespec times[2] = {{0, UTIME_OMIT}, fixed(version)};
  return futimens(fd, times);
}

/* Is the file what was accepted last? */
static int holds(int file, const char *name, int version) {
  int fd = open(name, O_RDONLY | O_CLOEXEC);
  if (version == ABSENT) {
    if (fd >= 0) close(fd);
    return fd < 0 && errno == ENOENT;
  }
  if (fd < 0) return 0;
  size_t size = body(file, version, want);
  struct stat st;
  char value[16] = "";
  ssize_t got = pread(fd, have, sizeof have, 0);
  int good = fstat(fd, &st) == 0 && got == (ssize_t)size && memcmp(want, have, size) == 0;
  struct timespec time = fixed(version);
  good = good && st.st_mtim.tv_sec == time.tv_sec && st.st_mtim.tv_nsec == time.tv_nsec;
  if (is("chmod")) good = good && (st.st_mode & 07777) == (mode_t)(0644 | (version & 1) << 6 | (version & 2) << 3);
  if (is("setxattr")) good = good && fgetxattr(fd, "user.v", value, 7) > 0 && atoi(value) == version;
  close(fd);
  return good;
}

static void check(int file, const char *name) {
  int version = shared[FILES + file];
  if (holds(file, name, version)) return;
  shared[version == ABSENT ? RESURRECTED : LOST]++;
}

static void nap(int us) {
  if (us > 0) usleep(rand() % us);
}

static int accepted(int file, int version) {
  shared[FILES + file] = version;
  shared[ACCEPTED]++;
  return 1;
}

/* Writes all of a version through an open file, which gets its time again. */
static int fill(int fd, int file, int version) {
  char text[MOST];
  size_t size = body(file, version, text);
  if (pwrite(fd, text, size, 0) != (ssize_t)size) return -1;
  return set_time(fd, version);
}

static int in_place(int file, const char *name, int version, int wait) {
  int fd = open(name, O_WRONLY | O_CLOEXEC);
  TRY(fd);
  nap(wait);
  if (fill(fd, file, version) == 0) accepted(file, version);
  else refused(__LINE__);
  nap(wait / 4);
  return close(fd);
}

static int mapped(int file, const char *name, int version) {
  char text[MOST];
  size_t size = body(file, version, text);
  int fd = open(name, O_RDWR | O_CLOEXEC);
  TRY(fd);
  char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (map == MAP_FAILED) return refused(__LINE__);
  nap(20000);
  memcpy(map, text, size);
  int stored = msync(map, size, MS_SYNC);
  struct timespec times[2] = {{0, UTIME_OMIT}, fixed(version)};
  if (stored == 0 && utimensat(AT_FDCWD, name, times, 0) == 0) accepted(file, version);
  else odd(__LINE__);
  return munmap(map, size);
}

static int make(int file, const char *name, int version) {
  int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0 && errno == EEXIST) {
    shared[RESURRECTED]++;
    return -1;
  }
  TRY(fd);
  if (fill(fd, file, version) < 0) odd(__LINE__);
  if (is("rename") && fsync(fd) < 0) odd(__LINE__);
  close(fd);
  return 1;
}

/* As package managers do: a new file, complete and durable, over the old one. */
static int over(int file, const char *name, int version) {
  char new[64];
  snprintf(new, sizeof new, "%s.new", name);
  if (unlink(new) < 0 && errno != ENOENT) return refused(__LINE__);
  if (make(file, new, version) != 1) return 0;
  TRY(rename(new, name));
  return accepted(file, version);
}

static int removed(int file, const char *name) {
  TRY(unlink(name));
  return accepted(file, ABSENT);
}

static int lengthen(int file, const char *name, int from, int to) {
  int fd = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
  TRY(fd);
  int done = 0;
  for (; from < to && done >= 0; from++) done = write(fd, "appended\n", LINE) == LINE ? 0 : -1;
  if (done == 0 && set_time(fd, 0) == 0) accepted(file, to);
  else refused(__LINE__);
  return close(fd);
}

static int shorten(int file, const char *name, int to) {
  TRY(truncate(name, BODY + to * LINE));
  struct timespec times[2] = {{0, UTIME_OMIT}, fixed(0)};
  if (utimensat(AT_FDCWD, name, times, 0) < 0) odd(__LINE__);
  return accepted(file, to);
}

static int linked(int file, const char *name, int version) {
  char other[64];
  struct stat a, b;
  snprintf(other, sizeof other, "%s.l", name);
  if (version == 0) {
    TRY(link(name, other));
    return accepted(file, 1);
  }
  int one = 0;
  for (int tries = 0; tries < 5 && !one; tries++)
    one = stat(name, &a) == 0 && stat(other, &b) == 0 && a.st_ino == b.st_ino;
  if (!one) shared[LOST]++;
  TRY(unlink(other));
  if (access(other, F_OK) == 0) shared[RESURRECTED]++;
  return accepted(file, 0);
}

static int change(int file, const char *name, int version) {
  char value[16];
  snprintf(value, sizeof value, "%d", version);
  struct timespec times[2] = {{0, UTIME_OMIT}, fixed(version)};
  if (is("chmod")) TRY(chmod(name, 0644 | (version & 1) << 6 | (version & 2) << 3));
  else if (is("setxattr")) TRY(setxattr(name, "user.v", value, strlen(value), 0));
  else TRY(utimensat(AT_FDCWD, name, times, 0));
  return accepted(file, version);
}

static int write_once(int file, const char *name) {
  int now = shared[FILES + file];
  int next = (now + 1) % versions;
  if (is("append")) return next ? lengthen(file, name, now, next) : shorten(file, name, 0);
  if (is("truncate")) return now ? shorten(file, name, now - 1) : lengthen(file, name, 0, versions - 1);
  if (is("rewrite")) return in_place(file, name, next, 0);
  if (is("wait")) return in_place(file, name, next, 20000);
  if (is("mmap")) return mapped(file, name, next);
  if (is("rename")) return over(file, name, next);
  if (is("link")) return linked(file, name, now);
  if (is("unlink") && now != ABSENT) return removed(file, name);
  if (is("recreate") && removed(file, name) != 1) return 0;
  if (is("unlink") || is("recreate")) return make(file, name, next) == 1 && accepted(file, next);
  return change(file, name, next);
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  kind = argv[1];
  int files = atoi(argv[2]);
  versions = atoi(argv[3]);
  pause_us = atoi(argv[4]);
  int log = open(argv[5], O_RDWR | O_CLOEXEC);
  shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, log, 0);
  if (shared == MAP_FAILED) return 1;
  umask(0);
  srand(getpid());
  while (!shared[STOP]) {
    char name[32];
    int file = rand() % files;
    snprintf(name, sizeof name, "w/%d", file);
    check(file, name);
    write_once(file, name);
    check(file, name);
    nap(pause_us);
  }
  shared[STOPPED] = 1;
  return 0;
}
