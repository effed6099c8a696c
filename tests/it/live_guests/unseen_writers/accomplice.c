/* accomplice DIRECTORY WHAT COUNT FILE...: tries without pause to change each FILE in turn, of which it holds a file
   handle and nothing else: no name, no descriptor, no working directory. A descriptor exists for the moment of one try.

   WHAT is `truncate` (O_RDONLY|O_TRUNC, which breaks no lease, and the time put back), `mode` (04777) or `write` (an
   open for writing, which waits for a lease). DIRECTORY is any directory of the same file system. How often it did
   what it wanted with each is kept in the file COUNT, a number of eight bytes for each. It goes on until it is
   killed. */
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
  int files = argc - 4, left = files, mount_id;
  if (files < 1) return 2;
  int directory = open(argv[1], O_RDONLY | O_DIRECTORY), log = open(argv[3], O_RDWR | O_CREAT, 0600);
  if (directory < 0 || log < 0) return 3;
  struct file_handle **handles = calloc(files, sizeof *handles);
  struct stat *before = calloc(files, sizeof *before);
  long *wins = calloc(files, sizeof *wins);
  for (int i = 0; i < files; i++) {
    handles[i] = malloc(sizeof *handles[i] + MAX_HANDLE_SZ);
    handles[i]->handle_bytes = MAX_HANDLE_SZ;
    if (stat(argv[4 + i], &before[i])) return 3;
    if (name_to_handle_at(AT_FDCWD, argv[4 + i], handles[i], &mount_id, 0)) return 4;
  }
  if (chdir("/")) return 5;
  int truncates = !strcmp(argv[2], "truncate"), writes = !strcmp(argv[2], "write");
  int flags = writes ? O_WRONLY : O_RDONLY | O_NONBLOCK | (truncates ? O_TRUNC : 0);
  while (left) {
    for (int i = 0; i < files; i++) {
      if (!handles[i]) continue;
      struct timespec times[2] = {{0, UTIME_OMIT}, before[i].st_mtim};
      int fd = open_by_handle_at(directory, handles[i], flags);
      if (fd < 0 && errno == ESTALE) handles[i] = NULL, left--;
      if (fd < 0) continue;
      if (changed(fd, argv[2], times)) wins[i]++;
      pwrite(log, &wins[i], sizeof wins[i], i * sizeof wins[i]);
      close(fd);
    }
  }
  pause();
}
