// Every way of changing a file, and of using it otherwise, as root: `ways PLAIN GUARDED [LEVEL]` tries each on a file of
// its own in two directories, whose files are called 0, 1, 2 … and have the attribute user.a. PLAIN is not guarded.
//
// LEVEL says what is expected of the guard, as src/sys/guard/bpf/maps.bpf.h numbers them: 0, or none, that every change is
// denied; 1, that it is denied once, and its name led to a private copy then; 2 and 3, that it succeeds at once, unless
// it comes by a descriptor or from io_uring, or may seem to, or at 2 from who handles SIGCONT and locks the inode, which
// is as at 1.
//
// A line a way: what it is, how it ended in PLAIN, how in GUARDED, and with a level what that amounts to: transparent,
// broken (denied once), denied. Ends with 1 if a way is WRONG: not what is expected, or another use is denied.
// `ways` alone says how many files it needs; `ways free FILE...` takes off the immutable flag, which a way sets.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "rings.h"

static const char acl[] = "\2\0\0\0\1\0\6\0\377\377\377\377\2\0\4\0\4\0\0\0\4\0\4\0\377\377\377\377"
			  "\x10\0\4\0\377\377\377\377\x20\0\4\0\377\377\377\377";

static int reader(const char *path) { return open(path, O_RDONLY); }

static int written(int fd)
{
	if (fd < 0)
		return -1;
	return write(fd, "X", 1) == 1 ? 0 : -1;
}

static int again(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, flags);
}

static int ring_open(const char *path, int flags) { return written(ring(opening(path, flags))); }

static int sleeping(const char *fifo) { return open(fifo, O_RDWR) < 0 || usleep(200000) ? -1 : 0; }
static int opening_fifo(const char *fifo) { return open(fifo, O_WRONLY); }

// The call of a 32-bit program: int 0x80 takes numbers and pointers of 32 bits.
static int call32(int number, int fd, unsigned command, void *argument)
{
#ifdef __x86_64__
	long result;

	__asm__ volatile("int $0x80" : "=a"(result)
			 : "a"(number), "b"((long)fd), "c"((long)command), "d"((long)(uintptr_t)argument)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = result < 0 ? -(int)result : 0;
	return result < 0 ? -1 : 0;
#else
	errno = ENOSYS;
	return -1;
#endif
}

// Memory that has an address of 32 bits.
static int *low(int value)
{
	int *place = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	*place = value;
	return place;
}

static int in_child(int flags, int (*way)(const char *), const char *path)
{
	int status, child = fork();

	if (!child) {
		if (unshare(flags))
			_exit(ENOSYS);
		_exit(way(path) ? errno : 0);
	}
	waitpid(child, &status, 0);
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

static int flags_of(const char *path)
{
	int flags = 0;

	ioctl(reader(path), FS_IOC_GETFLAGS, &flags);
	return flags;
}

static void nothing(int signal) {}

#define WAY(name, ...) static int name(const char *p) { __VA_ARGS__ }
#define SETX(call, name, value) call(p, name, value, sizeof(value) - 1, 0)

WAY(open_write, return written(open(p, O_WRONLY));)
WAY(open_both, return written(open(p, O_RDWR));)
WAY(open_append, return written(open(p, O_WRONLY | O_APPEND));)
WAY(open_cut, return written(open(p, O_WRONLY | O_TRUNC));)
WAY(open_read_cut, return open(p, O_RDONLY | O_TRUNC) < 0 ? -1 : 0;)
WAY(open_create, return written(open(p, O_CREAT | O_TRUNC | O_WRONLY, 0644));)
WAY(open_nonblock, return written(open(p, O_WRONLY | O_NONBLOCK));)
WAY(open_direct, int fd = open(p, O_WRONLY | O_DIRECT); return fd < 0 ? -1 : 0;)
WAY(open_link, char l[300]; snprintf(l, 300, "%s.link", p); unlink(l); if (symlink(p, l)) return -1; return written(open(l, O_WRONLY));)
WAY(open_two, struct open_how how = {.flags = O_WRONLY}; return written(syscall(SYS_openat2, AT_FDCWD, p, &how, sizeof how));)
WAY(open_path_again, return written(again(open(p, O_PATH), O_WRONLY));)
WAY(open_reader_again, return written(again(reader(p), O_RDWR));)
WAY(open_handle,
    struct { struct file_handle head; char rest[128]; } handle = {.head.handle_bytes = 128};
    int mount;
    if (name_to_handle_at(AT_FDCWD, p, &handle.head, &mount, 0)) return -1;
    return written(open_by_handle_at(reader(p), &handle.head, O_WRONLY));)
WAY(open_user_ns, return in_child(CLONE_NEWUSER, open_write, p);)
WAY(open_mount_ns, return in_child(CLONE_NEWNS | CLONE_NEWPID, open_write, p);)
WAY(open_32, return call32(5, (int)(uintptr_t)strcpy((char *)low(0), p), O_WRONLY, 0);)
WAY(ring_plain, return ring_open(p, 0);)
WAY(ring_async, return ring_open(p, IOSQE_ASYNC);)
WAY(ring_two, struct open_how how = {.flags = O_RDWR}; return written(ring((struct io_uring_sqe){
	.opcode = IORING_OP_OPENAT2, .fd = AT_FDCWD, .addr = (uintptr_t)p, .len = sizeof how, .off = (uintptr_t)&how}));)
WAY(ring_after_sleep, return written(ring_at_end(p, sleeping));)
WAY(ring_after_open, return written(ring_at_end(p, opening_fifo));)
WAY(open_beside_ring, struct rings ring; return make_ring(&ring) ? -1 : written(open(p, O_WRONLY));)
WAY(nonblock_beside_ring, struct rings ring; return make_ring(&ring) ? -1 : written(open(p, O_WRONLY | O_NONBLOCK));)
WAY(ring_xattr, return ring((struct io_uring_sqe){.opcode = IORING_OP_SETXATTR, .addr = (uintptr_t)"user.r",
	.addr2 = (uintptr_t)"1", .len = 1, .addr3 = (uintptr_t)p}) < 0 ? -1 : 0;)
WAY(ring_fxattr, return ring((struct io_uring_sqe){.opcode = IORING_OP_FSETXATTR, .fd = reader(p),
	.addr = (uintptr_t)"user.r", .addr2 = (uintptr_t)"1", .len = 1}) < 0 ? -1 : 0;)
WAY(map_store, int fd = open(p, O_RDWR); if (fd < 0) return -1; char *m = mmap(0, 4096, 3, MAP_SHARED, fd, 0);
    if (m == MAP_FAILED) return -1; *m = 'X'; return 0;)
WAY(punch, int fd = open(p, O_RDWR); return fd < 0 ? -1 : fallocate(fd, 3, 0, 4096);)
WAY(cut_path, return truncate(p, 1);)
WAY(longer_path, return truncate(p, 100000);)
WAY(mode_path, return chmod(p, 0600);)
WAY(mode_handler, signal(SIGCONT, nothing); return chmod(p, 0600);)
WAY(open_handler, signal(SIGCONT, nothing); return written(open(p, O_WRONLY));)
WAY(open_blocked, sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, 0); return written(open(p, O_WRONLY));)
WAY(mode_fd, return fchmod(reader(p), 0600);)
WAY(mode_two, return syscall(452, AT_FDCWD, p, 0600, AT_SYMLINK_NOFOLLOW);)
WAY(owner_path, return chown(p, 7, 7);)
WAY(owner_link, return lchown(p, 7, 7);)
WAY(owner_fd, return fchown(reader(p), 7, 7);)
WAY(times_path, return utimensat(AT_FDCWD, p, 0, 0);)
WAY(times_link, return utimensat(AT_FDCWD, p, 0, AT_SYMLINK_NOFOLLOW);)
WAY(times_fd, return futimens(reader(p), 0);)
WAY(xattr_user, return SETX(setxattr, "user.b", "1");)
WAY(xattr_trusted, return SETX(lsetxattr, "trusted.b", "1");)
WAY(xattr_security, return SETX(setxattr, "security.b", "1");)
WAY(xattr_fd, return fsetxattr(reader(p), "user.b", "1", 1, 0);)
WAY(xattr_gone, return removexattr(p, "user.a");)
WAY(xattr_gone_fd, return fremovexattr(reader(p), "user.a");)
WAY(capability, return SETX(setxattr, "security.capability", "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0");)
WAY(acl_set, return SETX(setxattr, "system.posix_acl_access", acl);)
WAY(acl_gone, return removexattr(p, "system.posix_acl_access");)
WAY(flags, int f = flags_of(p) ^ 0x40; return ioctl(reader(p), FS_IOC_SETFLAGS, &f);)
WAY(flags_immutable, int f = flags_of(p) | 0x10; return ioctl(reader(p), FS_IOC_SETFLAGS, &f);)
WAY(flags_32, return call32(54, reader(p), 0x40046602, low(flags_of(p) ^ 0x40));)
WAY(generation, int g = 7; return ioctl(reader(p), FS_IOC_SETVERSION, &g);)
WAY(generation_ext4, int g = 7; return ioctl(reader(p), 0x40086604, &g);)
WAY(generation_32, return call32(54, reader(p), 0x40046604, low(7));)
WAY(project, struct fsxattr x = {0}; int fd = reader(p); if (ioctl(fd, FS_IOC_FSGETXATTR, &x)) return -1; x.fsx_xflags ^= 0x80;
    return ioctl(fd, FS_IOC_FSSETXATTR, &x);)
WAY(attributes, struct { uint64_t flags; uint32_t r[4]; } x = {0}; if (syscall(468, AT_FDCWD, p, &x, sizeof x, 0)) return -1;
    x.flags ^= 0x80; return syscall(469, AT_FDCWD, p, &x, sizeof x, 0);)
WAY(migrate, return ioctl(reader(p), _IO('f', 9));)
WAY(verity, char a[128] = {1, 0, 0, 0, 1, 0, 0, 0, 0, 16}; return ioctl(reader(p), 0x40806685, a);)

WAY(read_it, char b[64]; return read(reader(p), b, 64) > 0 ? 0 : -1;)
WAY(map_private, char *m = mmap(0, 4096, 3, MAP_PRIVATE, reader(p), 0); if (m == MAP_FAILED) return -1; *m = 'X'; return 0;)
WAY(map_shared, return mmap(0, 4096, 1, MAP_SHARED, reader(p), 0) == MAP_FAILED ? -1 : 0;)
WAY(lock_it, return flock(reader(p), LOCK_EX | LOCK_NB);)
WAY(tell_flags, int f; return ioctl(reader(p), FS_IOC_GETFLAGS, &f);)
WAY(tell_extents, char m[32 + 56] = {0}; *(uint64_t *)(m + 8) = ~0ull; *(uint32_t *)(m + 24) = 1; return ioctl(reader(p), 0xc020660b, m);)
WAY(tell_xattr, char b[64]; return getxattr(p, "user.a", b, 64) < 0 ? -1 : 0;)
WAY(tell_terminal, isatty(reader(p)); return errno == ENOTTY ? 0 : -1;)
WAY(name_more, char l[300]; snprintf(l, 300, "%s.more", p); return link(p, l);)
WAY(name_moved, char l[300]; snprintf(l, 300, "%s.moved", p); return rename(p, l);)
WAY(name_swapped, char l[300]; snprintf(l, 300, "%s.other", p); close(open(l, O_CREAT | O_WRONLY, 0644));
    return renameat2(AT_FDCWD, p, AT_FDCWD, l, RENAME_EXCHANGE);)
WAY(name_replaced, char l[300]; snprintf(l, 300, "%s.new", p); close(open(l, O_CREAT | O_WRONLY, 0644)); return rename(l, p);)
WAY(name_gone, return unlink(p);)

static const struct { const char *name; int (*way)(const char *); int changes; } ways[] = {
#define CHANGES(what, way) {what, way, 1}
#define USES(what, way) {what, way, 0}
// By a descriptor, or from io_uring.
#define LATER(what, way) {what, way, 2}
// Where it is by signal.
#define LATER_BY_SIGNAL(what, way) {what, way, 3}
	CHANGES("open O_WRONLY", open_write), CHANGES("open O_RDWR", open_both), CHANGES("open O_APPEND", open_append),
	CHANGES("open O_WRONLY|O_TRUNC", open_cut), CHANGES("open O_RDONLY|O_TRUNC", open_read_cut),
	CHANGES("open O_CREAT|O_TRUNC", open_create), CHANGES("open O_NONBLOCK", open_nonblock), CHANGES("open O_DIRECT", open_direct),
	CHANGES("open through a link", open_link), CHANGES("openat2", open_two),
	LATER("reopen an O_PATH descriptor", open_path_again), LATER("reopen a reader", open_reader_again),
	LATER("open_by_handle_at", open_handle), CHANGES("open in a user namespace", open_user_ns),
	CHANGES("open in other namespaces", open_mount_ns),
	CHANGES("open, 32 bits", open_32),
	LATER("io_uring openat", ring_plain), LATER("io_uring openat, in a worker", ring_async),
	LATER("io_uring openat, after a sleep", ring_after_sleep), LATER("io_uring openat, after an open", ring_after_open),
	CHANGES("open beside io_uring", open_beside_ring), LATER("open O_NONBLOCK beside io_uring", nonblock_beside_ring),
	LATER("io_uring openat2", ring_two), LATER("io_uring setxattr", ring_xattr), LATER("io_uring fsetxattr", ring_fxattr),
	CHANGES("shared mapping", map_store), CHANGES("fallocate", punch), CHANGES("truncate", cut_path),
	CHANGES("truncate to more", longer_path), CHANGES("chmod", mode_path), LATER_BY_SIGNAL("chmod, SIGCONT is handled", mode_handler),
	CHANGES("open, SIGCONT is handled", open_handler), CHANGES("open, all signals are blocked", open_blocked),
	LATER("fchmod of a reader", mode_fd),
	CHANGES("fchmodat2", mode_two), CHANGES("chown", owner_path), CHANGES("lchown", owner_link),
	LATER("fchown of a reader", owner_fd), CHANGES("utimensat", times_path), CHANGES("utimensat of a link", times_link),
	LATER("futimens of a reader", times_fd), CHANGES("setxattr user", xattr_user), CHANGES("lsetxattr trusted", xattr_trusted),
	CHANGES("setxattr security", xattr_security), LATER("fsetxattr of a reader", xattr_fd),
	CHANGES("removexattr", xattr_gone), LATER("fremovexattr of a reader", xattr_gone_fd), CHANGES("capability", capability),
	CHANGES("set an ACL", acl_set), CHANGES("remove an ACL", acl_gone), LATER("FS_IOC_SETFLAGS", flags),
	LATER("immutable flag", flags_immutable), LATER("FS_IOC_SETFLAGS, 32 bits", flags_32),
	LATER("FS_IOC_SETVERSION", generation), LATER("EXT4_IOC_SETVERSION", generation_ext4),
	LATER("EXT4_IOC_SETVERSION, 32 bits", generation_32), LATER("FS_IOC_FSSETXATTR", project),
	CHANGES("file_setattr", attributes), LATER("EXT4_IOC_MIGRATE", migrate), LATER("FS_IOC_ENABLE_VERITY", verity),
	USES("read", read_it), USES("private mapping", map_private), USES("shared mapping to read", map_shared), USES("flock", lock_it),
	USES("FS_IOC_GETFLAGS", tell_flags), USES("FS_IOC_FIEMAP", tell_extents), USES("getxattr", tell_xattr),
	USES("isatty", tell_terminal), USES("link", name_more), USES("rename", name_moved), USES("exchange", name_swapped),
	USES("rename over it", name_replaced), USES("unlink", name_gone),
};
enum { WAYS = sizeof ways / sizeof *ways };

// How a way ended: in a child, so that no descriptor is left.
static int tried(const char *directory, int at)
{
	char path[256];
	int status, child;

	snprintf(path, sizeof path, "%s/%d", directory, at);
	fflush(stdout);
	child = fork();
	if (!child) {
		errno = 0;
		if (!ways[at].way(path))
			_exit(0);
		// What no program should ever see.
		if (errno > 254) {
			printf(" -%d", errno);
			fflush(stdout);
		}
		_exit(errno && errno < 255 ? errno : 255);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static const char *said(int end) { return end ? strerrorname_np(end) ? strerrorname_np(end) : "?" : "ok"; }

static uint64_t inode(const char *directory, int at)
{
	char path[256];
	struct stat state = {0};

	snprintf(path, sizeof path, "%s/%d", directory, at);
	return stat(path, &state) ? 0 : state.st_ino;
}

// Denied once: and when its name leads elsewhere, which takes a moment?
static int tried_again(const char *directory, int at)
{
	int end = EPERM;

	for (int waited = 0; waited < 150 && end == EPERM; waited++) {
		usleep(20000);
		end = tried(directory, at);
	}
	return end;
}

static int judged(const char *directory, int at, int level, int plain)
{
	uint64_t shared = inode(directory, at);
	int first = tried(directory, at), last = first;
	int once = (ways[at].changes == 1 && level > 1) || (ways[at].changes == 3 && level > 2);

	printf(" %-8s", said(first));
	if (!ways[at].changes)
		return plain || first;
	if (!level)
		return plain == EPERM || (plain == 0 && first != EPERM);
	if (first == EPERM)
		last = tried_again(directory, at);
	printf(" %-12s", last == EPERM ? "denied" : first == EPERM ? "broken" : "transparent");
	return last != plain || (once ? first != plain : plain == 0 && first != EPERM) ||
	       (plain == 0 && inode(directory, at) == shared);
}

int main(int count, char **words)
{
	int bad = 0, none = 0, level = count > 3 ? *words[3] - '0' : 0;

	if (count >= 3 && !strcmp(words[1], "free")) {
		for (int at = 2; at < count; at++)
			ioctl(reader(words[at]), FS_IOC_SETFLAGS, &none);
		return 0;
	}
	if (count < 3) {
		printf("%d\n", WAYS);
		return 0;
	}
	for (int at = 0; at < WAYS; at++) {
		int plain = tried(words[1], at), is_bad;

		printf("%-32s %-8s", ways[at].name, said(plain));
		is_bad = judged(words[2], at, level, plain);
		bad += is_bad;
		printf("%s\n", is_bad ? " WRONG" : "");
	}
	printf("%d ways, %d wrong\n", WAYS, bad);
	return bad != 0;
}
