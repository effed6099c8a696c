// A writer that does not wait has been denied, and may try as often as it likes: what it asks is bounded. Who waits
// asks once at a time, and again where there was no room.

// So many may be asked in a second: by the writers of a cgroup, and by all.
#define MOST_OF_ONE 1000
#define MOST_OF_ALL 4000

// The cgroup 0 is all of them.
#define ALL 0

// 1: it is one too many. Two processors that count at once may let one more pass.
INLINE int is_too_many(__u64 cgroup, __u64 most, __u64 now)
{
	struct tally *tally = bpf_map_lookup_elem(&tallies, &cgroup);
	struct tally fresh = {.since = now, .count = 1};

	if (!tally || now - tally->since >= SECOND) {
		bpf_map_update_elem(&tallies, &cgroup, &fresh, 0);
		return 0;
	}
	return tally->count++ >= most;
}

// Half of the ring is for those who wait.
APART int may_ask(__u64 now)
{
	if (bpf_ringbuf_query(&requests, BPF_RB_AVAIL_DATA) > ROOM / 2)
		return 0;
	return !is_too_many(bpf_get_current_cgroup_id(), MOST_OF_ONE, now) && !is_too_many(ALL, MOST_OF_ALL, now);
}
