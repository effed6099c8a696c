// io_uring, without a library.
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// A ring, and what has been done by it.
struct rings { int fd; char *sent, *done; struct io_uring_sqe *entries; struct io_uring_params setup; };

static int make_ring(struct rings *ring)
{
	memset(&ring->setup, 0, sizeof ring->setup);
	ring->fd = syscall(SYS_io_uring_setup, 4, &ring->setup);
	if (ring->fd < 0)
		return -1;
	ring->sent = mmap(0, ring->setup.sq_off.array + 16, 3, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->done = mmap(0, ring->setup.cq_off.cqes + 128, 3, MAP_SHARED, ring->fd, IORING_OFF_CQ_RING);
	ring->entries = mmap(0, 4096, 3, MAP_SHARED, ring->fd, IORING_OFF_SQES);
	return 0;
}

static int send_to(struct rings *ring, unsigned count, unsigned waits)
{
	for (unsigned at = 0; at < count; at++)
		((unsigned *)(ring->sent + ring->setup.sq_off.array))[at] = at;
	*(unsigned *)(ring->sent + ring->setup.sq_off.tail) = count;
	return syscall(SYS_io_uring_enter, ring->fd, count, waits, waits ? IORING_ENTER_GETEVENTS : 0, 0, 0) < 0 ? -1 : 0;
}

static int result_of(struct rings *ring, unsigned at)
{
	int result = ((struct io_uring_cqe *)(ring->done + ring->setup.cq_off.cqes))[at].res;

	errno = result < 0 ? -result : 0;
	return result < 0 ? -1 : result;
}

// One entry through io_uring.
static int ring(struct io_uring_sqe entry)
{
	struct rings ring;

	if (make_ring(&ring))
		return -1;
	ring.entries[0] = entry;
	return send_to(&ring, 1, 1) ? -1 : result_of(&ring, 0);
}

static struct io_uring_sqe opening(const char *path, int flags)
{
	return (struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)path, .open_flags = O_WRONLY, .flags = flags};
}

// An entry that waits for a pipe: the kernel does it once the pipe is written to, as work of this thread at the end of
// the call that it is in then, which is `call`, and goes on until `fifo` has a reader.
static int ring_at_end(const char *path, int (*call)(const char *fifo))
{
	char fifo[300];
	struct rings ring;
	int ends[2], other;

	snprintf(fifo, sizeof fifo, "%s.fifo", path);
	unlink(fifo);
	if (mkfifo(fifo, 0600) || pipe(ends) || make_ring(&ring))
		return -1;
	ring.entries[0] = (struct io_uring_sqe){
		.opcode = IORING_OP_POLL_ADD, .fd = ends[0], .poll32_events = POLLIN, .flags = IOSQE_IO_LINK};
	ring.entries[1] = opening(path, 0);
	if (send_to(&ring, 2, 0))
		return -1;
	other = fork();
	if (!other) {
		usleep(50000);
		int is_written = write(ends[1], "X", 1);
		usleep(50000);
		_exit(open(fifo, O_RDONLY) < 0 || is_written < 1);
	}
	if (call(fifo) < 0)
		return -1;
	waitpid(other, 0, 0);
	unlink(fifo);
	if (*(unsigned *)(ring.done + ring.setup.cq_off.tail) < 2) {
		errno = ETIME;
		return -1;
	}
	return result_of(&ring, 1);
}
