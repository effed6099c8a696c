// A container's first process, for the guard's tests.
//
//   container [idmapped] ROOT COMMAND [WORD...]
//
// runs the command in user, mount and pid namespaces of its own, with ROOT as its root. Its uid and gid 0 is 100000 to
// the host; idmapped: what belongs to 0 on the disk belongs to 0 inside as well.
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(long result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(2);
}

// 0 is 100000 outside, of both kinds.
static void map(pid_t pid)
{
	const char *files[] = { "uid_map", "gid_map" };

	for (int at = 0; at < 2; at++) {
		char path[64];
		int file;

		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[at]);
		must(file = open(path, O_WRONLY), path);
		must(write(file, "0 100000 65536", 14), path);
		close(file);
	}
}

// The root over itself, with the owners that this process's user namespace makes of those on the disk.
static void mount_idmapped(const char *root, pid_t pid)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP };
	char path[64];
	int tree, space;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	must(space = open(path, O_RDONLY), path);
	attributes.userns_fd = space;
	must(tree = syscall(SYS_open_tree, AT_FDCWD, root, OPEN_TREE_CLONE), "open_tree");
	must(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)), "mount_setattr");
	must(syscall(SYS_move_mount, tree, "", AT_FDCWD, root, MOVE_MOUNT_F_EMPTY_PATH), "move_mount");
}

// The child, once it is mapped: `go` is closed then.
static int inside(const char *root, char **command, int ready, int go)
{
	char byte = 0;

	must(unshare(CLONE_NEWUSER), "user namespace");
	must(write(ready, &byte, 1), "ready");
	must(read(go, &byte, 1), "go");
	must(setgroups(0, NULL), "setgroups");
	must(setgid(0), "setgid");
	must(setuid(0), "setuid");
	must(unshare(CLONE_NEWNS | CLONE_NEWPID), "namespaces");
	must(chroot(root), root);
	must(chdir("/"), "/");
	if (fork() == 0) {
		execv(command[0], command);
		perror(command[0]);
		_exit(2);
	}
	int status = 0;

	must(wait(&status), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

int main(int count, char **words)
{
	int idmapped = count > 1 && !strcmp(words[1], "idmapped");
	char **rest = words + 1 + idmapped;
	int ready[2], go[2], status = 0;
	char byte;
	pid_t child;

	if (count - idmapped < 3)
		return 2;
	must(unshare(CLONE_NEWNS), "mount namespace");
	must(mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	must(pipe(ready), "pipe");
	must(pipe(go), "pipe");
	must(child = fork(), "fork");
	if (child == 0) {
		close(go[1]);
		return inside(rest[0], rest + 1, ready[1], go[0]);
	}
	must(read(ready[0], &byte, 1), "ready");
	map(child);
	if (idmapped)
		mount_idmapped(rest[0], child);
	close(go[1]);
	must(waitpid(child, &status, 0), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
