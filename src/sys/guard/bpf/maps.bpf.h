// The maps. Those that are shared with processes are pinned; `maps.rs` says where.

// A number that another inode gets later comes with another generation. Without padding: all bytes are compared.
struct inode_key {
	__u64 number;
	__u32 device;
	__u32 generation;
};

// What a marked inode is: shared; a private copy that is not in all its places; a directory of a base, in which names
// are nobody's.
#define OBJECT 1
#define HELD 2
#define OWN_DIRECTORY 3

// At most so many inodes are marked; what is free takes no memory.
struct {
	int (*type)[BPF_MAP_TYPE_HASH];
	int (*max_entries)[1 << 20];
	int (*map_flags)[BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG];
	struct inode_key *key;
	__u64 *value;
} marks SEC(".maps");

// The daemon: when it gave its last sign of life (0: it will answer nobody), which of its lives it is, and what is to
// be done with writers. What this kernel can do is noted here for others.
struct heart {
	__u64 beat;
	__u64 life;
	__u64 level;
	__u64 ability;
};

#define IMMUTABLE 0
#define DENY_FIRST 1
#define BY_SIGNAL 2
#define BY_TASK_WORK 3

struct {
	int (*type)[BPF_MAP_TYPE_ARRAY];
	int (*max_entries)[1];
	__u32 *key;
	struct heart *value;
} hearts SEC(".maps");

// A beat after which none came, and when a writer noticed that.
struct silence {
	__u64 beat;
	__u64 noticed;
};

struct {
	int (*type)[BPF_MAP_TYPE_ARRAY];
	int (*max_entries)[1];
	__u32 *key;
	struct silence *value;
} silences SEC(".maps");

// What writers ask: `event.rs` reads it.
struct event {
	__u64 number;
	__u64 inode;
	__u64 parent_inode;
	__u64 cgroups[5];
	__u32 device;
	__u32 generation;
	__u32 parent_device;
	__u32 thread;
	__u32 process;
	__u32 attempt;
	__u8 kind;
	__u8 flags;
	__u16 reserved;
	char command[16];
	char name[256];
	__u32 parent_generation;
};

enum kind { OPEN = 1, ATTRIBUTES, SET_XATTR, REMOVE_XATTR, SET_ACL, REMOVE_ACL, FILE_ATTRIBUTES, IOCTL };

#define WAITS 1
#define STALE 2
#define HAS_PARENT 4

#define ROOM (1 << 19)

struct {
	int (*type)[BPF_MAP_TYPE_RINGBUF];
	int (*max_entries)[ROOM];
} requests SEC(".maps");

// What was asked by those who do not wait, since when: by uppermost cgroup, and by the one below it (0: none).
struct tally_key {
	__u64 top;
	__u64 part;
};

struct tally {
	__u64 since;
	__u64 count;
};

// A guest can drive out another's tally by many parts of its own: who asks too much may then ask a little more, and the
// ring has its bound.
struct {
	int (*type)[BPF_MAP_TYPE_LRU_HASH];
	int (*max_entries)[1024];
	struct tally_key *key;
	struct tally *value;
} tallies SEC(".maps");

// What they are told. An answer that its writer does not fetch goes when others need its place. A writer whose answer
// went so asks once more when its patience ends: it is late, and neither denied nor let in for that.
struct request_key {
	__u64 thread;
	__u64 number;
};

#define LOOK_AGAIN 1
#define DENIED 2
#define NO_SPACE 3
#define OVER_QUOTA 4

struct {
	int (*type)[BPF_MAP_TYPE_LRU_HASH];
	int (*max_entries)[4096];
	struct request_key *key;
	__u64 *value;
} answers SEC(".maps");

// A thread whose call is begun anew until it may go on: what is waited for, and by which entry it was found.
struct wait {
	struct inode_key inode;
	__u64 entry;
	__u64 number; // of the request that is out; 0: none
	__u64 life;   // of the daemon that was asked
	__u64 asked;  // when; 0: there was no room to ask
	__u64 seen;   // when it was here
	__u32 attempt;
	__u32 stale;
	__u32 spins; // how often it was spun for
	__u32 reserved;
};

// It is the thread's own and ends with it: however many wait in one guest, none takes the place of another's, whose
// request would be asked anew, and whose answer would be lost.
struct {
	int (*type)[BPF_MAP_TYPE_TASK_STORAGE];
	int (*map_flags)[BPF_F_NO_PREALLOC];
	int *key;
	struct wait *value;
} waits SEC(".maps");

// Since 6.18: work that a task does on its way to user mode. The kernel knows it by the name of its type.
struct bpf_task_work {
	__u64 opaque;
} __attribute__((aligned(8)));

struct work {
	struct bpf_task_work work;
};

// The kernel takes no more work for a map that is neither open nor pinned. A thread that has lost
// its place makes another one.
struct {
	int (*type)[BPF_MAP_TYPE_LRU_HASH];
	int (*max_entries)[1024];
	__u64 *key;
	struct work *value;
} works SEC(".maps");
