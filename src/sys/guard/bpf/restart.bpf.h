// A call is begun anew when its hook says ERESTARTNOINTR and the thread has to look for signals or work on its way to
// user mode. Nobody sleeps and nothing is locked meanwhile: signals, timers and the scheduler come in between.

// Not a helper: the loader puts the kernel's own function here (`task_work.rs`), or "no" where there is none. The last
// argument is the kernel's to fill.
static long (*const schedule_task_work)(struct task_struct *task, struct bpf_task_work *work, void *map, void *then,
					void *none) = (void *)0x54570001;

APART int no_work(void *map, void *key, void *value)
{
	return 0;
}

// The signal must be a number as it stands here: else its place is not relocated.
#define HANDLER(me, signal) ((unsigned long)READ(READ(me, sighand), action[(signal)-1].sa.sa_handler))

// A program that would notice the signal. Whoever traces one expects to see signals.
INLINE int handles_signal(struct task_struct *me)
{
	return HANDLER(me, SIGCONT) > 1 || READ(me, blocked.sig[0]) & BIT(SIGCONT);
}

// A stop that one of several threads is to take: nothing may throw it away. 0: there is none. 1: this thread may join.
// 2: the program has a handler for it.
INLINE int stop_to_come(struct task_struct *me)
{
	unsigned long stops = BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU);
	struct signal_struct *all = READ(me, signal);

	stops &= READ(all, shared_pending.signal.sig[0]) & ~READ(me, blocked.sig[0]);
	if ((stops & BIT(SIGTSTP) && HANDLER(me, SIGTSTP)) || (stops & BIT(SIGTTIN) && HANDLER(me, SIGTTIN)) ||
	    (stops & BIT(SIGTTOU) && HANDLER(me, SIGTTOU)))
		return 2;
	return stops || READ(all, group_stop_count);
}

// A signal or a stop that this thread is to take itself: it looks for it in any case.
INLINE int has_signal(struct task_struct *me)
{
	struct signal_struct *all = READ(me, signal);
	unsigned long pending = READ(me, pending.signal.sig[0]);

	if (READ(all, nr_threads) == 1)
		pending |= READ(all, shared_pending.signal.sig[0]);
	return (pending & ~READ(me, blocked.sig[0])) || READ(me, jobctl) & JOBCTL_PENDING;
}

// SIGSTOP and SIGCONT in a row: the second takes the first back, and the thread still has to look. A stop from
// elsewhere would be taken back as well.
APART int by_signal(void)
{
	struct task_struct *me = bpf_get_current_task_btf();
	int stop;

	if (has_signal(me))
		return 0;
	stop = stop_to_come(me);
	if (stop == 2 || bpf_send_signal_thread(SIGSTOP))
		return 1;
	if (stop || stop_to_come(me))
		return 0;
	return bpf_send_signal_thread(SIGCONT) != 0;
}

// Where many threads wait on many processors, another one may have taken the place that was just made.
INLINE int by_task_work(__u64 thread)
{
	struct work none = {};
	struct work *work = bpf_map_lookup_elem(&works, &thread);

	if (!work) {
		bpf_map_update_elem(&works, &thread, &none, 0);
		work = bpf_map_lookup_elem(&works, &thread);
	}
	if (!work)
		return by_signal();
	return schedule_task_work(bpf_get_current_task_btf(), &work->work, &works, no_work, 0) != 0;
}

struct spin {
	struct request_key request;
	struct inode_key inode;
	__u64 end;
};

// The answer is there, or the inode is held no more.
static long is_over(__u64 at, struct spin *spin)
{
	if (spin->request.number ? bpf_map_lookup_elem(&answers, &spin->request) != 0
				 : bpf_map_lookup_elem(&marks, &spin->inode) == 0)
		return 1;
	return (at & 63) == 0 && bpf_ktime_get_ns() > spin->end;
}

#define LONGEST_SPIN 20000000
// Nothing else runs on this processor meanwhile: so long at most are the first of a wait, and then short ones.
#define MOST_LONG_SPINS 8
#define SHORT_SPIN 1000000

// Only where nothing is locked, that is in open.
APART int spin(struct wait *wait, __u64 thread, __u64 now)
{
	__u64 longest = wait->spins < MOST_LONG_SPINS ? LONGEST_SPIN : SHORT_SPIN;
	struct spin spin = {.request = {thread, wait->number}, .inode = wait->inode, .end = now + longest};

	if (wait->spins < MOST_LONG_SPINS)
		wait->spins++;
	bpf_loop(1 << 22, is_over, &spin, 0);
	return 0;
}

// Who would notice many signals gets few: a moment before each. However long it takes, a signal more is better than a
// write that is denied.
INLINE void spare(struct wait *wait, __u64 thread, __u64 now)
{
	struct task_struct *me = bpf_get_current_task_btf();

	if (handles_signal(me) || READ(me, ptrace))
		spin(wait, thread, now);
}
