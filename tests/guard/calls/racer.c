// Changes files again and again while other things happen to them, for races.sh.
//
//   racer append WORD COUNT FILE...        appends the lines "WORD 1" to "WORD COUNT" to each file
//   racer pair WORD COUNT DIR OTHER NAME... the same to DIR/NAME; each line is at once read by OTHER/NAME, which is one
//                                          more name of the file
//   racer pwrite WORD COUNT SLOT FILE...   opens for reading and writing, and writes "WORD N" into the slot of that
//                                          number, which are of 16 bytes each; reads it again by the same descriptor
//   racer chmod COUNT FILE...              sets modes; the last one is 0640
//   racer replace WORD COUNT FILE...       renames a new file over each name; prints the number of each one's last inode
//   racer swing DIRECTORY OTHER            renames it to and fro until SIGTERM comes; then it has its first name
//   racer first COMMAND...                 runs it at SCHED_FIFO 20
//   racer link FILE COUNT                  gives FILE the further names FILE.001 to FILE.COUNT
//   racer held DAEMON NAME LAST            appends to NAME; once one of the two names of the file leads to its copy and
//                                          the other does not, stops the process DAEMON for a while, appends by the
//                                          one and reads by the other
//   racer late DAEMON NAME LAST            the same, and renames a new file over the other instead of that; prints its
//                                          number and name
//
// The last two look at SCHED_FIFO 30, so that the daemon cannot move all names between two looks.
//
// Whoever is denied, or finds no name, tries again, ten thousand times. Says how often, and ends with 1 where something
// else is wrong or nothing helps.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOT = 16, MOST = 10000 };
static long denied, missed;
static volatile sig_atomic_t ended;

static void give_up(const char *what, const char *file)
{
	fprintf(stderr, "%s %s: %s, denied %ld, missed %ld\n", what, file, strerror(errno), denied, missed);
	exit(1);
}

// Was it one of those that end by themselves?
static int again(int tries)
{
	if (tries > MOST || (errno != EPERM && errno != ENOENT))
		return 0;
	*(errno == EPERM ? &denied : &missed) += 1;
	usleep(errno == EPERM ? 20000 : 200);
	return 1;
}

static int opened(const char *file, int flags)
{
	int fd, tries = 0;

	while ((fd = open(file, flags)) < 0)
		if (!again(tries++))
			give_up("open", file);
	return fd;
}

// Whoever has written by one name finds it by the other.
static void look(int written, const char *line, const char *other)
{
	static char content[1 << 20];
	struct stat here, there;
	int fd = opened(other, O_RDONLY);
	ssize_t length = pread(fd, content, sizeof content, 0);

	if (fstat(written, &here) || fstat(fd, &there) || length < 0)
		give_up("look", other);
	errno = EXDEV;
	if (here.st_ino != there.st_ino)
		give_up("it is another file than was written to", other);
	errno = EIO;
	if (!memmem(content, length, line, strlen(line)))
		give_up("it has not what was written", other);
	close(fd);
}

// OTHER is one more name of it, or none.
static void append(const char *word, int at, const char *file, const char *other)
{
	char line[80];
	int fd = opened(file, O_WRONLY | O_APPEND);
	int length = snprintf(line, sizeof line, "%s %d\n", word, at);

	if (write(fd, line, length) != length)
		give_up("write", file);
	if (other)
		look(fd, line, other);
	close(fd);
}

static void append_pair(const char *word, int at, const char *dir, const char *other_dir, const char *name)
{
	char file[4096], other[4096];

	snprintf(file, sizeof file, "%s/%s", dir, name);
	snprintf(other, sizeof other, "%s/%s", other_dir, name);
	append(word, at, file, other);
}

static void put(const char *word, int at, int slot, const char *file)
{
	char text[SLOT + 1], found[SLOT];
	int fd = opened(file, O_RDWR);

	snprintf(text, sizeof text, "%-9.9s %5u\n", word, at % 100000u);
	if (pwrite(fd, text, SLOT, slot * SLOT) != SLOT || pread(fd, found, SLOT, slot * SLOT) != SLOT)
		give_up("pwrite", file);
	errno = EIO;
	if (memcmp(text, found, SLOT))
		give_up("read again", file);
	close(fd);
}

static void set_mode(int mode, const char *file)
{
	int tries = 0;

	while (chmod(file, mode))
		if (!again(tries++))
			give_up("chmod", file);
}

static unsigned long replace(const char *word, int at, const char *file)
{
	char name[4096];
	struct stat stat;

	snprintf(name, sizeof name, "%s.new", file);
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0 || dprintf(fd, "%s %d\n", word, at) < 0 || fstat(fd, &stat) || rename(name, file))
		give_up("replace", file);
	close(fd);
	return stat.st_ino;
}

static void link_often(const char *file, int count)
{
	char name[4096];

	for (int at = 1; at <= count; at++) {
		snprintf(name, sizeof name, "%s.%03d", file, at);
		if (link(file, name))
			give_up("link", name);
	}
}

static unsigned long inode(const char *file)
{
	struct stat now;

	return stat(file, &now) ? 0 : now.st_ino;
}

static void schedule(int policy, int priority)
{
	struct sched_param param = {.sched_priority = priority};

	if (sched_setscheduler(0, policy, &param))
		give_up("schedule", "itself");
}

// Each thread by itself: one of them, which is to stop the others, would wait for the processor that another one has.
static void stop_at_once(int process)
{
	char path[64];
	struct dirent *entry;

	snprintf(path, sizeof path, "/proc/%d/task", process);
	DIR *threads = opendir(path);
	if (!threads)
		give_up("look at", path);
	while ((entry = readdir(threads)))
		if (atoi(entry->d_name))
			syscall(SYS_tgkill, process, atoi(entry->d_name), SIGSTOP);
	closedir(threads);
}

static void let_end(pid_t writer, const char *name)
{
	int status;
	pid_t done = waitpid(writer, &status, 0);

	errno = ECHILD;
	if (done != writer || status)
		give_up("its writer", name);
}

static pid_t append_beside(int at, const char *name, const char *other)
{
	pid_t writer = fork();

	if (writer)
		return writer;
	append("held", at, name, other);
	exit(0);
}

// In the moment in which one of the two names leads to the copy, and the other does not.
static void in_between(int is_late, int daemon, const char *name, const char *last)
{
	unsigned long before = inode(name), number;
	int status, seen = 0;
	pid_t first = append_beside(1, name, is_late ? NULL : last), second;

	schedule(SCHED_FIFO, 30);
	while (!seen && !waitpid(first, &status, WNOHANG)) {
		seen = inode(name) != inode(last);
		if (!seen)
			usleep(100);
	}
	errno = EAGAIN;
	if (!seen)
		give_up("the moment was missed", name);
	const char *moved = inode(name) != before ? name : last, *other = moved == name ? last : name;
	if (is_late) {
		number = replace("late", 1, other);
		schedule(SCHED_OTHER, 0);
		printf("%lu %s\n", number, other);
	} else {
		stop_at_once(daemon);
		schedule(SCHED_OTHER, 0);
		second = append_beside(2, moved, other);
		usleep(500000);
		errno = ESRCH;
		if (inode(name) == inode(last))
			give_up("it was not stopped, and has moved all names of", name);
		kill(daemon, SIGCONT);
		let_end(second, moved);
	}
	let_end(first, name);
}

static void end(int number)
{
	ended = number;
}

static void swing(const char *from, const char *to)
{
	signal(SIGTERM, end);
	while (!ended) {
		if (rename(from, to))
			give_up("rename", from);
		usleep(500);
		if (rename(to, from))
			give_up("rename", to);
		usleep(500);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 3 ? argv[1] : "";
	int is_chmod = !strcmp(what, "chmod"), is_put = !strcmp(what, "pwrite");
	int is_pair = !strcmp(what, "pair");
	int first = is_chmod ? 3 : is_put ? 5 : is_pair ? 6 : 4;

	if (!strcmp(what, "first")) {
		struct sched_param param = {.sched_priority = 20};
		sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
		execvp(argv[2], argv + 2);
		return 127;
	}
	if (!strcmp(what, "swing")) {
		swing(argv[2], argv[3]);
		return 0;
	}
	if (!strcmp(what, "link")) {
		link_often(argv[2], atoi(argv[3]));
		return 0;
	}
	if (!strcmp(what, "held") || !strcmp(what, "late")) {
		if (argc != 5)
			return 2;
		in_between(!strcmp(what, "late"), atoi(argv[2]), argv[3], argv[4]);
		return 0;
	}
	if (argc <= first)
		return 2;
	int count = atoi(argv[is_chmod ? 2 : 3]);
	for (int at = 1; at <= count; at++)
		for (int file = first; file < argc; file++) {
			if (is_chmod)
				set_mode(at == count ? 0640 : 0600 + at % 8, argv[file]);
			else if (is_put)
				put(argv[2], at, atoi(argv[4]), argv[file]);
			else if (!strcmp(what, "append"))
				append(argv[2], at, argv[file], NULL);
			else if (is_pair)
				append_pair(argv[2], at, argv[4], argv[5], argv[file]);
			else if (!strcmp(what, "replace")) {
				unsigned long inode = replace(argv[2], at, argv[file]);
				if (at == count)
					printf("%lu %s\n", inode, argv[file]);
			} else
				return 2;
		}
	fprintf(stderr, "%s: denied %ld, missed %ld\n", what, denied, missed);
	return 0;
}
