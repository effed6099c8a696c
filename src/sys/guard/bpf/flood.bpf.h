// A writer that does not wait has been denied, and may try as often as it likes: what it asks is bounded. Who waits
// asks once at a time, and again where there was no room.

// So many may be asked in a second by the writers of one part of an uppermost cgroup, and by all of its parts. It is
// counted as the daemon shares its time out: guests make no uppermost cgroups, so that none spends what is another's by
// making some. All together are bounded by half of the ring, and by the shares.
#define MOST_OF_PART 1000
#define MOST_OF_TOP 8000

// No cgroup has this number.
#define ALL_PARTS (~0ULL)

// 1: it is one too many. Two processors that count at once may let one more pass.
INLINE int is_too_many(__u64 top, __u64 part, __u64 most, __u64 now)
{
	struct tally_key key = {top, part};
	struct tally *tally = bpf_map_lookup_elem(&tallies, &key);
	struct tally fresh = {.since = now, .count = 1};

	if (!tally || now - tally->since >= SECOND) {
		bpf_map_update_elem(&tallies, &key, &fresh, 0);
		return 0;
	}
	return tally->count++ >= most;
}

// Half of the ring is for those who wait.
APART int may_ask(__u64 now)
{
	__u64 top = bpf_get_current_ancestor_cgroup_id(1), part = bpf_get_current_ancestor_cgroup_id(2);

	if (bpf_ringbuf_query(&requests, BPF_RB_AVAIL_DATA) > ROOM / 2)
		return 0;
	return !is_too_many(top, part, MOST_OF_PART, now) && !is_too_many(top, ALL_PARTS, MOST_OF_TOP, now);
}
