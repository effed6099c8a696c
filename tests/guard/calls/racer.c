// Changes files again and again while other things happen to them, for races.sh.
//
//   racer append WORD COUNT FILE...        appends the lines "WORD 1" to "WORD COUNT" to each file
//   racer pwrite WORD COUNT SLOT FILE...   opens for reading and writing, and writes "WORD N" into the slot of that
//                                          number, which are of 16 bytes each; reads it again by the same descriptor
//   racer chmod COUNT FILE...              sets modes; the last one is 0640
//   racer replace WORD COUNT FILE...       renames a new file over each name; prints the number of each one's last inode
//   racer swing DIRECTORY OTHER            renames it to and fro until SIGTERM comes; then it has its first name
//   racer first COMMAND...                 runs it at SCHED_FIFO 20
//
// Whoever is denied, or finds no name, tries again, ten thousand times. Says how often, and ends with 1 where something
// else is wrong or nothing helps.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static void append(const char *word, int at, const char *file)
{
	char line[80];
	int fd = opened(file, O_WRONLY | O_APPEND);
	int length = snprintf(line, sizeof line, "%s %d\n", word, at);

	if (write(fd, line, length) != length)
		give_up("write", file);
	close(fd);
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
	int first = is_chmod ? 3 : is_put ? 5 : 4;

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
				append(argv[2], at, argv[file]);
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
