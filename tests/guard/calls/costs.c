// What calls cost: `costs FILE WORD` prints, after WORD, nanoseconds of each, the least of many rounds. In an
// emulator that counts (qemu -icount shift=0) a nanosecond is an instruction. Of a shared file it is what a denial costs.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
static void mode(void) { chmod(file, 0644); }
static void look(void) { struct stat state; stat(file, &state); }

static uint64_t cost(void (*call)(void))
{
	uint64_t least = ~0ull;

	for (int round = 0; round < 40; round++) {
		uint64_t start = now(), took;
		for (int at = 0; at < 50; at++)
			call();
		took = (now() - start) / 50;
		least = took < least ? took : least;
	}
	return least;
}

int main(int count, char **words)
{
	file = words[1];
	printf("%-32s open to read %6llu, to write %6llu, chmod %6llu, stat %6llu\n", words[2], (unsigned long long)cost(read_open),
	       (unsigned long long)cost(write_open), (unsigned long long)cost(mode), (unsigned long long)cost(look));
	return count < 3;
}
