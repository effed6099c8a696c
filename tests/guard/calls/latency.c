// How long it takes to append a byte to each of some files, for latency.sh: open, write, close.
//
//   latency NAME FILE...    prints "NAME COUNT MEDIAN LEAST MOST", in microseconds, and ends with 1 where one fails
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static int compare(const void *one, const void *other)
{
	double less = *(const double *)one, more = *(const double *)other;

	return (less > more) - (less < more);
}

int main(int argc, char **argv)
{
	int count = argc - 2;
	double *took = count > 0 ? calloc(count, sizeof *took) : 0;

	if (!took)
		return 2;
	for (int at = 0; at < count; at++) {
		double start = now();
		int fd = open(argv[at + 2], O_WRONLY | O_APPEND);
		if (fd < 0 || write(fd, "x", 1) != 1 || close(fd)) {
			perror(argv[at + 2]);
			return 1;
		}
		took[at] = now() - start;
	}
	qsort(took, count, sizeof *took, compare);
	printf("%s %d %.0f %.0f %.0f\n", argv[1], count, took[count / 2], took[0], took[count - 1]);
}
