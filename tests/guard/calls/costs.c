// What calls cost: `costs FILE WORD` prints, after WORD, nanoseconds of each, the least of many rounds. In an
// emulator that counts (qemu -icount shift=0) a nanosecond is an instruction. Of a shared file it is what a denial costs,
// where the call would change it. FILE is this very program, which does nothing without words: so much is in an exec.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *file;

static uint64_t now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void opened(int flags)
{
	int fd = open(file, flags);

	if (fd >= 0)
		close(fd);
}

static void read_open(void) { opened(O_RDONLY); }
static void write_open(void) { opened(O_WRONLY); }
static void mode(void) { chmod(file, 0755); }
static void look(void) { struct stat state; stat(file, &state); }


static void content(void)
{
	static int fd = -1;
	char page[4096];

	if (fd < 0)
		fd = open(file, O_RDONLY);
	if (pread(fd, page, sizeof page, 0) < 0)
		perror(file);
}

static void run(void)
{
	int child = vfork();

	if (child == 0) {
		execl(file, file, (char *)NULL);
		_exit(127);
	}
	waitpid(child, NULL, 0);
}

static unsigned long long cost(void (*call)(void), int calls)
{
	uint64_t least = ~0ull;

	for (int round = 0; round < 40; round++) {
		uint64_t start = now(), took;
		for (int at = 0; at < calls; at++)
			call();
		took = (now() - start) / calls;
		least = took < least ? took : least;
	}
	return least;
}

int main(int count, char **words)
{
	if (count < 3)
		return 0;
	file = words[1];
	printf("%-32s open to read %6llu, to write %6llu, chmod %6llu, stat %6llu, read 4 KiB %6llu, exec %8llu\n", words[2],
	       cost(read_open, 50), cost(write_open, 50), cost(mode, 50), cost(look, 50), cost(content, 50), cost(run, 5));
	return 0;
}
