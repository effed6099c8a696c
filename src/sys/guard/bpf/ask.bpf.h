// What becomes of a write to a marked inode while a daemon lives: it waits for a private copy, or is denied. Only a call
// of the thread's own waits (`call.bpf.h`): who asks otherwise is denied, and the daemon is told, so that the next try
// succeeds.

// For which a silent daemon is waited for.
#define PATIENCE (5 * SECOND)
// For which it is waited for after somebody has noticed that.
#define GRACE SECOND
// After which a thread is not taken for one that still waits. Where many want the processor its turn takes a while.
#define FORGOTTEN (10 * SECOND)
#define MOST_ATTEMPTS 8
#define MOST_STALE 3

INLINE void key_of(struct inode *inode, struct inode_key *key)
{
	struct super_block *filesystem = READ(inode, i_sb);

	key->number = READ(inode, i_ino);
	key->device = READ(filesystem, s_dev);
	key->generation = READ(inode, i_generation);
}

// The entry that the writer holds is no name of its guest's any more, so that the next look-up finds another.
INLINE int is_stale(struct dentry *entry)
{
	struct inode *parent = READ(READ(entry, d_parent), d_inode);
	struct inode_key key;
	__u64 *mark;

	if (!READ(entry, d_hash.pprev))
		return 1;
	key_of(parent, &key);
	mark = bpf_map_lookup_elem(&marks, &key);
	return mark && *mark == OWN_DIRECTORY;
}

// 1: there was room.
APART int ask(struct hit *hit, __u64 number, __u32 attempt)
{
	struct event *event = bpf_ringbuf_reserve(&requests, sizeof *event, 0);
	struct dentry *entry = hit->entry, *above;
	struct inode_key parent;
	__u64 both = bpf_get_current_pid_tgid();

	if (!event)
		return 0;
	above = READ(entry, d_parent);
	key_of(READ(above, d_inode), &parent);
	event->number = number;
	event->inode = hit->inode.number;
	event->device = hit->inode.device;
	event->generation = hit->inode.generation;
	event->parent_inode = parent.number;
	event->parent_device = parent.device;
	event->cgroups[0] = bpf_get_current_cgroup_id();
	event->cgroups[1] = bpf_get_current_ancestor_cgroup_id(4);
	event->cgroups[2] = bpf_get_current_ancestor_cgroup_id(3);
	event->cgroups[3] = bpf_get_current_ancestor_cgroup_id(2);
	event->cgroups[4] = bpf_get_current_ancestor_cgroup_id(1);
	event->thread = both;
	event->process = both >> 32;
	event->attempt = attempt;
	event->kind = hit->kind;
	event->flags = (number ? WAITS : 0) | (hit->stale ? STALE : 0) | (above != entry ? HAS_PARENT : 0);
	event->reserved = 0;
	event->parent_generation = parent.generation;
	bpf_get_current_comm(event->command, sizeof event->command);
	event->name[0] = 0;
	bpf_probe_read_kernel_str(event->name, sizeof event->name, READ(entry, d_name.name));
	bpf_ringbuf_submit(event, 0);
	return 1;
}

INLINE int may_wait(struct hit *hit, __u64 mark)
{
	struct task_struct *me = bpf_get_current_task_btf();
	struct pt_regs *registers = bpf_task_pt_regs(me);
	__u32 call = call_number(me, registers);

	if (hit->level < BY_SIGNAL || !is_own_call(hit, me, registers, call))
		return 0;
	if (mark == OBJECT && is_by_descriptor(hit, call))
		return 0;
	// Elsewhere the inode is locked, which the daemon needs: one cannot spin.
	return hit->level != BY_SIGNAL || hit->kind == OPEN || !handles_signal(me);
}

// What was told of one file of a guest counts for no other one, though both are on one inode.
INLINE int is_same_wait(struct wait *wait, struct hit *hit)
{
	return wait->entry == (__u64)hit->entry && wait->inode.number == hit->inode.number &&
	       wait->inode.device == hit->inode.device && wait->inode.generation == hit->inode.generation &&
	       hit->now - wait->seen < FORGOTTEN;
}

// 0: there is no memory for it.
INLINE struct wait *wait_of(struct hit *hit)
{
	struct wait fresh = {.inode = hit->inode, .entry = (__u64)hit->entry, .seen = hit->now, .attempt = 1};
	struct wait *wait =
		bpf_task_storage_get(&waits, bpf_get_current_task_btf(), &fresh, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (wait && !is_same_wait(wait, hit))
		*wait = fresh;
	return wait;
}

APART int restart(struct hit *hit, struct wait *wait)
{
	int failed;

	wait->seen = hit->now;
	if (hit->level == BY_SIGNAL && hit->kind == OPEN)
		spare(wait, hit->thread, hit->now);
	wait->seen = bpf_ktime_get_ns();
	failed = hit->level == BY_SIGNAL ? by_signal() : by_task_work(hit->thread);
	return failed ? -EPERM : -ERESTARTNOINTR;
}

INLINE __u64 fetch_answer(struct hit *hit, struct wait *wait)
{
	struct request_key key = {hit->thread, wait->number};
	__u64 *found, answer;

	if (!wait->number)
		return 0;
	found = bpf_map_lookup_elem(&answers, &key);
	if (!found)
		return 0;
	answer = *found;
	bpf_map_delete_elem(&answers, &key);
	wait->number = 0;
	return answer;
}

INLINE int end(struct wait *wait, int error)
{
	wait->entry = 0;
	return error;
}

// Asked once, and again by who was not heard: there was no room, the daemon is another one, or it says nothing.
INLINE void see_to_request(struct hit *hit, struct wait *wait)
{
	if (wait->number && wait->life == hit->life && wait->asked && hit->now - wait->asked < PATIENCE)
		return;
	if (!wait->number)
		wait->number = hit->now;
	wait->life = hit->life;
	wait->asked = ask(hit, wait->number, wait->attempt) ? hit->now : 0;
}

APART int wait_for_copy(struct hit *hit, struct wait *wait)
{
	__u64 answer = fetch_answer(hit, wait);

	switch (answer) {
	case DENIED:
		return end(wait, -EPERM);
	case NO_SPACE:
		return end(wait, -ENOSPC);
	case OVER_QUOTA:
		return end(wait, -EDQUOT);
	}
	// Names are led elsewhere before the answer is given: it is looked at them afterwards.
	hit->stale = is_stale(hit->entry);
	if (hit->stale) {
		if (wait->stale >= MOST_STALE)
			return end(wait, -EPERM);
		wait->stale++;
		return restart(hit, wait);
	}
	if (answer == LOOK_AGAIN)
		wait->attempt++;
	if (wait->attempt > MOST_ATTEMPTS)
		return end(wait, -EPERM);
	see_to_request(hit, wait);
	return restart(hit, wait);
}

// Where nobody ran for a while, a beat is missing that nobody could have given: silence counts once it was noticed, and
// then for all.
INLINE int is_silent(struct heart *heart, __u64 now)
{
	__u32 only = 0;
	struct silence *silence;

	if (now <= heart->beat + PATIENCE)
		return 0;
	silence = bpf_map_lookup_elem(&silences, &only);
	if (!silence)
		return 1;
	if (silence->beat != heart->beat) {
		silence->noticed = now;
		silence->beat = heart->beat;
	}
	return now > silence->noticed + GRACE;
}

// Whoever lives answers; whoever is silent for too long is dead.
INLINE int has_daemon(struct hit *hit)
{
	__u32 only = 0;
	struct heart *heart = bpf_map_lookup_elem(&hearts, &only);

	if (!heart || !heart->beat || heart->level == IMMUTABLE || is_silent(heart, hit->now))
		return 0;
	hit->life = heart->life;
	hit->level = heart->level;
	return 1;
}

APART int judge(struct hit *hit, __u64 mark)
{
	struct wait *wait;

	if (mark == OWN_DIRECTORY)
		return 0;
	hit->thread = (__u32)bpf_get_current_pid_tgid();
	hit->now = bpf_ktime_get_ns();
	if (!has_daemon(hit))
		return -EPERM;
	if (!may_wait(hit, mark)) {
		hit->stale = is_stale(hit->entry);
		if (mark == OBJECT && may_ask(hit->now))
			ask(hit, 0, 1);
		return -EPERM;
	}
	wait = wait_of(hit);
	if (!wait)
		return -EPERM;
	if (mark == HELD)
		return restart(hit, wait);
	return wait_for_copy(hit, wait);
}
