// A small daemon for the guard's tests: gives a writer a private copy of what it is about to change.
//
//   parter LEVEL STAGING DIRECTORY... [slow=MS] [late=MS] [deaf[=NAME]] [says=N] [counts]
//                                     answers; a request is served where its inode has names in a DIRECTORY, whose
//                                     private copies are made in STAGING
//   parter mark FILE...               marks files as objects
//   parter fill COUNT                 marks so many inodes that are not there, and tells how long that takes
//   parter empty COUNT                takes those marks off
//
// A slow one takes its time, a deaf one answers nobody, or nobody who asks for that name, and one that says a number
// parts nothing and answers that. What is answered late is heard so long afterwards, and others are answered meanwhile.
// One that counts says in the end how much it was asked. /run/parter is there once it answers.
// LEVEL is a number: 0 immutable, 1 deny first, 2 by signal, 3 by task work. Maps and events are laid out as
// src/sys/guard/bpf/maps.bpf.h says. It is no example of a good daemon: it knows no journal, and reads directories anew.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

struct key { uint64_t number; uint32_t device, generation; };
struct heart { uint64_t beat, life, level, ability; };
struct event {
	uint64_t number, inode, parent_inode, cgroups[5];
	uint32_t device, generation, parent_device, thread, process, attempt;
	uint8_t kind, flags;
	uint16_t reserved;
	char command[16], name[256];
	uint32_t parent_generation;
};
enum { OBJECT = 1, HELD = 2, OWN_DIRECTORY = 3 };
enum { LOOK_AGAIN = 1, DENIED = 2 };
enum { RING = 1 << 19 };

static int marks, answers, hearts, slow, late, deaf, says, counts;
static long asked;
static const char *unheard = "", *ready = "/run/parter";
static volatile sig_atomic_t ended;

static int pinned(const char *name)
{
	char path[100];
	union bpf_attr wanted = {.pathname = (uintptr_t)path};

	snprintf(path, sizeof path, "/sys/fs/bpf/unify/%s", name);
	int map = syscall(SYS_bpf, BPF_OBJ_GET, &wanted, sizeof wanted);
	if (map < 0) {
		perror(path);
		exit(2);
	}
	return map;
}

static int on_map(int what, int map, const void *key, void *value)
{
	union bpf_attr wanted = {.map_fd = map, .key = (uintptr_t)key, .value = (uintptr_t)value};

	return syscall(SYS_bpf, what, &wanted, sizeof wanted);
}

static uint64_t now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void mark_fd(int fd, uint64_t what)
{
	struct stat state;
	struct key key = {0};

	if (fd < 0 || fstat(fd, &state) || ioctl(fd, FS_IOC_GETVERSION, &key.generation))
		perror("mark");
	key.number = state.st_ino;
	key.device = major(state.st_dev) << 20 | minor(state.st_dev);
	if (what)
		on_map(BPF_MAP_UPDATE_ELEM, marks, &key, &what);
	else
		on_map(BPF_MAP_DELETE_ELEM, marks, &key, 0);
}

static void beat(int life, uint64_t level)
{
	uint32_t only = 0;
	struct heart heart;

	on_map(BPF_MAP_LOOKUP_ELEM, hearts, &only, &heart);
	heart.beat = life < 0 ? 0 : now();
	if (life > 0) {
		heart.life = heart.beat;
		heart.level = level;
	}
	on_map(BPF_MAP_UPDATE_ELEM, hearts, &only, &heart);
}

// A copy without a name, with all that a file has.
static int copy_of(const char *from, const char *staging)
{
	char list[4096], value[4096];
	struct stat state;
	int old = open(from, O_RDONLY), copy = open(staging, O_TMPFILE | O_RDWR, 0600);

	if (old < 0 || copy < 0 || fstat(old, &state))
		return -1;
	while (sendfile(copy, old, 0, 1 << 30) > 0)
		;
	if (fchown(copy, state.st_uid, state.st_gid) || fchmod(copy, state.st_mode & 07777))
		return -1;
	ssize_t size = flistxattr(old, list, sizeof list);
	for (char *name = list; size > 0 && name < list + size; name += strlen(name) + 1) {
		ssize_t length = fgetxattr(old, name, value, sizeof value);
		if (length >= 0)
			fsetxattr(copy, name, value, length, 0);
	}
	futimens(copy, (struct timespec[2]){state.st_atim, state.st_mtim});
	close(old);
	return copy;
}

// Names in the directory that lead to the inode lead to the copy then; how many.
static int part(const char *directory, const char *staging, uint64_t inode, int *copy)
{
	char name[600], staged[300], self[40];
	struct stat state;
	struct dirent *entry;
	int parted = 0;
	DIR *all = opendir(directory);

	while (all && (entry = readdir(all))) {
		snprintf(name, sizeof name, "%s/%s", directory, entry->d_name);
		if (entry->d_ino != inode || lstat(name, &state) || !S_ISREG(state.st_mode) || state.st_ino != inode)
			continue;
		if (*copy < 0 && (*copy = copy_of(name, staging)) < 0)
			break;
		mark_fd(*copy, HELD);
		snprintf(self, sizeof self, "/proc/self/fd/%d", *copy);
		snprintf(staged, sizeof staged, "%s/copy.%d", staging, parted);
		if (linkat(AT_FDCWD, self, AT_FDCWD, staged, AT_SYMLINK_FOLLOW))
			perror(staged);
		if (!renameat2(AT_FDCWD, staged, AT_FDCWD, name, RENAME_EXCHANGE))
			parted++;
		unlink(staged);
	}
	if (all)
		closedir(all);
	return parted;
}

// What is answered late, in a ring.
static struct told { struct { uint64_t thread, number; } request; uint64_t answer, due; } told[16384];
static unsigned first_told, last_told;

static void tell(const struct event *event, uint64_t answer)
{
	told[last_told++ % 16384] = (struct told){{event->thread, event->number}, answer, now() + late * 1000000ull};
}

static void tell_what_is_due(void)
{
	for (; first_told != last_told && told[first_told % 16384].due <= now(); first_told++) {
		struct told *one = &told[first_told % 16384];
		on_map(BPF_MAP_UPDATE_ELEM, answers, &one->request, &one->answer);
	}
}

static void serve(const struct event *event, const char *staging, char **directories)
{
	uint64_t answer;
	int parted = 0, copy;

	asked++;
	if (getenv("VERBOSE"))
		printf("asked: %s kind %d flags %d attempt %d cgroups %llu %llu name %s\n", event->command, event->kind, event->flags,
		       event->attempt, (long long)event->cgroups[0], (long long)event->cgroups[4], event->name);
	if (deaf || !strcmp(event->name, unheard))
		return;
	for (int at = 0; directories[at] && !says; at++) {
		copy = -1;
		parted += part(directories[at], staging, event->inode, &copy);
		usleep(slow * 1000);
		if (copy >= 0) {
			mark_fd(copy, 0);
			close(copy);
		}
	}
	answer = says ? says : parted || event->attempt < 2 ? LOOK_AGAIN : DENIED;
	if (event->number)
		tell(event, answer);
}

static void end(int signal) { ended = 1; }

static void answer_all(uint64_t level, const char *staging, char **directories)
{
	int ring = pinned("requests-3");
	volatile uint64_t *consumer = mmap(0, 4096, 3, MAP_SHARED, ring, 0);
	volatile uint64_t *producer = mmap(0, 4096 + 2 * RING, 1, MAP_SHARED, ring, 4096);
	const char *data = (const char *)producer + 4096;

	signal(SIGTERM, end);
	mark_fd(open(staging, O_RDONLY | O_DIRECTORY), OWN_DIRECTORY);
	beat(1, level);
	close(creat(ready, 0600));
	while (!ended) {
		beat(0, level);
		while (*consumer < __atomic_load_n(producer, __ATOMIC_ACQUIRE)) {
			uint32_t *head = (uint32_t *)(data + (*consumer & (RING - 1)));
			uint32_t length = __atomic_load_n(head, __ATOMIC_ACQUIRE);

			if (length & 1u << 31)
				continue; // not written yet
			if (!(length & 1u << 30))
				serve((struct event *)(head + 2), staging, directories);
			tell_what_is_due();
			__atomic_store_n(consumer, *consumer + ((length & 0x3fffffff) + 8 + 7) / 8 * 8, __ATOMIC_RELEASE);
			beat(0, level);
		}
		tell_what_is_due();
		poll(&(struct pollfd){ring, POLLIN, 0}, 1, late ? 10 : 100);
	}
	beat(-1, level);
	if (counts)
		printf("%ld\n", asked);
}

static void fill(long count, int what)
{
	uint64_t start = now(), object = OBJECT;

	for (long at = 0; at < count; at++) {
		struct key key = {1000000000 + at, 7, 1};
		if (on_map(what, marks, &key, what == BPF_MAP_UPDATE_ELEM ? &object : 0))
			return perror("fill");
	}
	printf("%ld marks in %llu ms\n", count, (unsigned long long)(now() - start) / 1000000);
}

int main(int count, char **words)
{
	char *directories[16] = {0};
	int named = 0;

	if (count < 3)
		return 2;
	setvbuf(stdout, 0, _IOLBF, 0);
	marks = pinned("marks");
	if (!strcmp(words[1], "mark")) {
		for (int at = 2; at < count; at++)
			mark_fd(open(words[at], O_RDONLY), OBJECT);
		return 0;
	}
	if (!strcmp(words[1], "fill") || !strcmp(words[1], "empty")) {
		fill(atol(words[2]), *words[1] == 'f' ? BPF_MAP_UPDATE_ELEM : BPF_MAP_DELETE_ELEM);
		return 0;
	}
	for (int at = 3; at < count; at++) {
		if (!strncmp(words[at], "slow=", 5))
			slow = atoi(words[at] + 5);
		else if (!strcmp(words[at], "deaf"))
			deaf = 1;
		else if (!strcmp(words[at], "counts"))
			counts = 1;
		else if (!strncmp(words[at], "deaf=", 5))
			unheard = words[at] + 5;
		else if (!strncmp(words[at], "late=", 5))
			late = atoi(words[at] + 5);
		else if (!strncmp(words[at], "says=", 5))
			says = atoi(words[at] + 5);
		else if (named < 15)
			directories[named++] = words[at];
	}
	answers = pinned("answers-3");
	hearts = pinned("heart-3");
	answer_all(atoi(words[1]), words[2], directories);
	return 0;
}
