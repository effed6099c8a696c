// Callers for the guard's tests.
//
//   callers as UID COMMAND [WORD...]   runs it as that user, who has no capability and gets none
//   callers calls FILE                 calls what may change a file through a descriptor that only reads; fails where
//                                      all of it fails
//   callers flood FILE MS              changes the mode of a file through a descriptor that only reads, again and again
//                                      for so long; prints how often that was denied
//   callers crowd FILE COUNT           opens it for writing from so many threads at once, each of them once; prints how
//                                      many of them were denied when all have come back
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

static int flood(const char *file, uint64_t span)
{
	int fd = open(file, O_RDONLY);
	uint64_t end = now() + span;
	long denied = 0;

	while (now() < end)
		denied += fchmod(fd, 0600) && errno == EPERM;
	printf("%ld\n", denied);
	return fd < 0;
}

static const char *wanted;
static int denied;

static void *open_it(void *none)
{
	int fd = open(wanted, O_WRONLY);

	if (fd >= 0)
		close(fd);
	else
		__atomic_add_fetch(&denied, 1, __ATOMIC_RELAXED);
	return none;
}

static int crowd(const char *file, int count)
{
	pthread_t *threads = calloc(count, sizeof *threads);
	pthread_attr_t small;

	wanted = file;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 32768);
	for (int at = 0; at < count; at++)
		if ((errno = pthread_create(&threads[at], &small, open_it, 0))) {
			perror("pthread_create");
			return 2;
		}
	puts("all are there");
	fflush(stdout);
	for (int at = 0; at < count; at++)
		pthread_join(threads[at], 0);
	printf("%d\n", denied);
	return 0;
}

static int calls(const char *file)
{
	// FICLONE, FS_IOC_ENABLE_VERITY, one that nobody knows.
	unsigned long commands[] = {0x40049409, 0x40806685, 0x66fa};
	int fd = open(file, O_RDONLY), failed = 0;
	char none[128] = {0};

	for (int at = 0; at < 3; at++)
		failed += ioctl(fd, commands[at], none) < 0;
	return fd < 0 || failed == 3;
}

int main(int count, char **words)
{
	if (count == 4 && !strcmp(words[1], "crowd"))
		return crowd(words[2], atoi(words[3]));
	if (count == 4 && !strcmp(words[1], "flood"))
		return flood(words[2], atoi(words[3]));
	if (count == 3 && !strcmp(words[1], "calls"))
		return calls(words[2]);
	if (count < 4 || strcmp(words[1], "as"))
		return 2;
	for (int capability = 0; !prctl(PR_CAPBSET_DROP, capability); capability++)
		;
	if (setgid(atoi(words[2])) || setuid(atoi(words[2]))) {
		perror("setuid");
		return 2;
	}
	execvp(words[3], words + 3);
	perror(words[3]);
	return 2;
}
