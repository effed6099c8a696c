/* accomplice DIRECTORY FILE WHAT COUNT: tries without pause to change FILE, of which it holds a file handle and nothing
   else: no name, no descriptor, no working directory. A descriptor exists for the moment of one try.

   WHAT is `truncate` (O_RDONLY|O_TRUNC, which breaks no lease, and the time put back), `mode` (04777) or `write` (an
   open for writing, which waits for a lease). DIRECTORY is any directory of the same file system. How often it did
   what it wanted is kept in the file COUNT. It goes on until it is killed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int changed(int fd, const char *what, const struct timespec times[2]) {
  if (!strcmp(what, "mode")) return fchmod(fd, 04777) == 0;
  if (!strcmp(what, "truncate")) return futimens(fd, times), 1;
  return pwrite(fd, "EVIL", 4, 0) == 4;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  struct file_handle *handle = malloc(sizeof *handle + MAX_HANDLE_SZ);
  struct stat before;
  int mount_id, directory = open(argv[1], O_RDONLY | O_DIRECTORY), log = open(argv[4], O_RDWR | O_CREAT, 0600);
  handle->handle_bytes = MAX_HANDLE_SZ;
  if (directory < 0 || log < 0 || stat(argv[2], &before)) return 3;
  if (name_to_handle_at(AT_FDCWD, argv[2], handle, &mount_id, 0)) return 4;
  if (chdir("/")) return 5;
  struct timespec times[2] = {{0, UTIME_OMIT}, before.st_mtim};
  int truncates = !strcmp(argv[3], "truncate"), writes = !strcmp(argv[3], "write");
  int flags = writes ? O_WRONLY : O_RDONLY | O_NONBLOCK | (truncates ? O_TRUNC : 0);
  for (long wins = 0;;) {
    int fd = open_by_handle_at(directory, handle, flags);
    if (fd < 0 && errno == ESTALE) pause();
    if (fd < 0) continue;
    if (changed(fd, argv[3], times)) wins++;
    pwrite(log, &wins, sizeof wins, 0);
    close(fd);
  }
}
