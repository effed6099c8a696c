// Which call a thread is in, and whether it is this call that asks.
//
// What a hook says is the end of that which has asked. A thread's own call is begun anew for it. To io_uring it is a
// result as any other: the program would be told 513. And io_uring asks in a thread's name
//   - in io_uring_enter;
//   - by workers, and threads of its own, which are known by their flags;
//   - as work of the thread (task work): at the end of whatever call or interrupt comes next, in calls that do such work
//     early (execve), and where the thread is traced, before the call begins.

struct hit {
	struct inode_key inode;
	struct dentry *entry;
	__u64 thread;
	__u64 now;
	__u64 life;
	__u64 level;
	__u32 kind;
	__u32 stale;
	__u32 nonblocking; // of what is opened
};

// The number of the call, as 64-bit programs have it. Calls of 32-bit programs begin at COMPAT.
#define UNKNOWN (~0u)
#define COMPAT 0x10000
#define TS_COMPAT 2u
#define UTIMENSAT 280
#define FUTIMENS 0x20000
#define X32 0x40000000

INLINE __u32 call_number(struct task_struct *me, struct pt_regs *registers)
{
	if (!HAS(struct pt_regs, orig_ax))
		return UNKNOWN;
	__u32 number = READ(registers, orig_ax);
	if (HAS(struct thread_info, status) && READ(me, thread_info.status) & TS_COMPAT)
		return number + COMPAT;
	// Without a name it is about its descriptor.
	if (number == UTIMENSAT && !READ(registers, si))
		return FUTIMENS;
	return number & ~X32;
}

// What comes by a descriptor finds the same inode again and again. Where it is not known here, the daemon's answers
// end it. A number of x86.
INLINE int is_by_descriptor(struct hit *hit, __u32 call)
{
	switch (call) {
	case 91:  // fchmod
	case 93:  // fchown
	case 190: // fsetxattr
	case 199: // fremovexattr
	case FUTIMENS:
	case COMPAT + 94:
	case COMPAT + 95:  // fchown
	case COMPAT + 207: // fchown32
	case COMPAT + 228:
	case COMPAT + 237:
		return 1;
	}
	return hit->kind == IOCTL;
}

// Those that open what they are told to. What another call opens (a read of fanotify's, for one) is no end of its own.
INLINE int is_to_open(__u32 call)
{
	switch (call) {
	case 2:   // open
	case 85:  // creat
	case 163: // acct
	case 167: // swapon
	case 257: // openat
	case 304: // open_by_handle_at
	case 437: // openat2
	case COMPAT + 5:
	case COMPAT + 8:
	case COMPAT + 51:
	case COMPAT + 87:
	case COMPAT + 295:
	case COMPAT + 342:
	case COMPAT + 437:
		return 1;
	}
	return 0;
}

#define IO_URING_ENTER 426

// What io_uring does not leave to a worker it opens with O_NONBLOCK, whatever the program has said, and it opens only.
// All else is for work that nobody knows yet, and for other machines' sake by itself.
INLINE int is_own_call(struct hit *hit, struct task_struct *me, struct pt_regs *registers, __u32 call)
{
	if (READ(me, flags) & (PF_KTHREAD | PF_IO_WORKER))
		return 0;
	if (hit->nonblocking && HAS(struct task_struct, io_uring) && READ(me, io_uring))
		return 0;
	if (call == UNKNOWN)
		return 1;
	// A call that is under way has no result; at its end it has.
	if (READ(registers, ax) != (unsigned long)-ENOSYS)
		return 0;
	if (hit->kind == OPEN)
		return is_to_open(call);
	return call != IO_URING_ENTER && call != COMPAT + IO_URING_ENTER;
}
