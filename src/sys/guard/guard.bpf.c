// The guard: shared inodes that stand in the map `marks` can be read, linked, renamed and unlinked, and not changed.
//
// One program a hook, each of which denies with EPERM. No process is exempt, ours neither: who must change a marked
// inode takes its mark off first, and for that one must be able to write to the map. The map is only read here.
//
// What had a marked inode open for writing before it was marked goes on; the lease that is taken afterwards finds it.
//
// The compiled object lies beside this file, so that nobody needs a compiler for it. Debian's clang 14 makes it; a
// test makes it anew and compares:
//
//   clang -O2 -g -target bpf -fdebug-prefix-map="$PWD"=. -c guard.bpf.c -o guard.bpf.o && llvm-strip -g guard.bpf.o
//
// It is for every kernel since 5.17: only what is used of the kernel's types is declared, their offsets are relocated
// when it is loaded (CO-RE), and where a hook has got another argument in front, its last ones are asked for. It
// includes nothing, so that no header of a machine shows in it.

typedef unsigned int __u32;
typedef unsigned long long __u64;

#define SEC(name) __attribute__((section(name), used))

// The kernel gives what an LSM program needs only to programs under the GPL; its author grants that besides the MIT
// licence of the whole.
char LICENSE[] SEC("license") = "Dual MIT/GPL";

// Helpers by their numbers, `linux/bpf.h`.
static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const bpf_probe_read_kernel)(void *to, __u32 size, const void *from) = (void *)113;
static long (*const bpf_get_func_arg)(void *ctx, __u32 at, __u64 *value) = (void *)183;
static long (*const bpf_get_func_arg_cnt)(void *ctx) = (void *)185;

#define BPF_MAP_TYPE_HASH 1
#define BPF_F_NO_PREALLOC 1
#define BPF_F_RDONLY_PROG (1 << 7)

#define EPERM 1
#define FMODE_WRITE 2u
#define O_TRUNC 01000u

// Their fields are found by name in the kernel that runs.
#define KERNEL_TYPE __attribute__((preserve_access_index))

// A field by a pointer that the verifier knows nothing of.
#define READ(from, field)                                                                                  \
	({                                                                                                 \
		typeof((from)->field) value = 0;                                                           \
		bpf_probe_read_kernel(&value, sizeof value, __builtin_preserve_access_index(&(from)->field)); \
		value;                                                                                     \
	})

struct super_block {
	__u32 s_dev;
} KERNEL_TYPE;

struct inode {
	unsigned long i_ino;
	struct super_block *i_sb;
	__u32 i_generation;
} KERNEL_TYPE;

struct dentry {
	struct inode *d_inode;
} KERNEL_TYPE;

struct file {
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
} KERNEL_TYPE;

// A number that another inode gets later comes with another generation. Without padding: all bytes are compared.
struct inode_key {
	__u64 number;
	__u32 device;
	__u32 generation;
};

// At most so many inodes are marked; what is free takes no memory.
struct {
	int (*type)[BPF_MAP_TYPE_HASH];
	int (*max_entries)[1 << 20];
	int (*map_flags)[BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG];
	struct inode_key *key;
	__u64 *value;
} marks SEC(".maps");

static inline __attribute__((always_inline)) int judge(struct inode *inode)
{
	struct super_block *filesystem;
	struct inode_key key;

	if (!inode)
		return 0;
	filesystem = READ(inode, i_sb);
	key.number = READ(inode, i_ino);
	key.device = READ(filesystem, s_dev);
	key.generation = READ(inode, i_generation);
	return bpf_map_lookup_elem(&marks, &key) ? -EPERM : 0;
}

static inline __attribute__((always_inline)) int judge_entry(__u64 entry)
{
	return judge(READ((struct dentry *)entry, d_inode));
}

// Every way of writing begins here, by name, by handle, by /proc, from io_uring, for a mapping and for execution
// alike; O_RDONLY|O_TRUNC, which no mode shows, as well.
SEC("lsm/file_open")
int guard_open(__u64 *ctx)
{
	struct file *file = (struct file *)ctx[0];

	// This is asked at every open: what it reads most often costs no call.
	if (!(file->f_mode & FMODE_WRITE) && !(file->f_flags & O_TRUNC))
		return 0;
	return judge(file->f_inode);
}

// Size, mode, owner, times, by name or by any descriptor. Since 6.9 the entry is not the first argument, but still the
// last but one.
SEC("lsm/inode_setattr")
int guard_setattr(__u64 *ctx)
{
	__u64 entry, count = bpf_get_func_arg_cnt(ctx);

	if (count < 2 || bpf_get_func_arg(ctx, count - 2, &entry))
		return -EPERM;
	return judge_entry(entry);
}

SEC("lsm/inode_setxattr")
int guard_setxattr(__u64 *ctx)
{
	return judge_entry(ctx[1]);
}

SEC("lsm/inode_removexattr")
int guard_removexattr(__u64 *ctx)
{
	return judge_entry(ctx[1]);
}

// Since 6.2; before, ACLs are extended attributes.
SEC("lsm/inode_set_acl")
int guard_set_acl(__u64 *ctx)
{
	return judge_entry(ctx[1]);
}

SEC("lsm/inode_remove_acl")
int guard_remove_acl(__u64 *ctx)
{
	return judge_entry(ctx[1]);
}

// Since 6.17: file_setattr(2).
SEC("lsm/inode_file_setattr")
int guard_file_setattr(__u64 *ctx)
{
	return judge_entry(ctx[0]);
}

// A file system's own calls may change a file through a descriptor that cannot write: flags, project, generation,
// verity, layout. So what is not known to tell only is denied. Calls of other kinds (terminals, close-on-exec) pass.
static inline __attribute__((always_inline)) int only_tells(unsigned int command)
{
	switch (command) {
	case 0xc020660b: // FS_IOC_FIEMAP
	case 0xc0046686: // FS_IOC_MEASURE_VERITY
	case 0xc0286687: // FS_IOC_READ_VERITY_METADATA
	case 0xc0096616: // FS_IOC_GET_ENCRYPTION_POLICY_EX
	case 0xc0189436: // FIDEDUPERANGE, whose descriptor is the source
		return 1;
	}
	// _IOR
	return command >> 30 == 2;
}

static inline __attribute__((always_inline)) int judge_call(struct file *file, unsigned int command)
{
	switch (command >> 8 & 0xff) {
	case 'f':  // FS_IOC_*, EXT4_IOC_*
	case 'v':  // FS_IOC_SETVERSION
	case 'X':  // FS_IOC_FSSETXATTR, XFS_IOC_*
	case 0x94: // FICLONE, BTRFS_IOC_*
	case 0xf5: // F2FS_IOC_*
		return only_tells(command) ? 0 : judge(READ(file, f_inode));
	}
	return 0;
}

SEC("lsm/file_ioctl")
int guard_ioctl(__u64 *ctx)
{
	return judge_call((struct file *)ctx[0], ctx[1]);
}

// Since 6.8 a hook of its own: what a program of 32 bits calls.
SEC("lsm/file_ioctl_compat")
int guard_ioctl_compat(__u64 *ctx)
{
	return judge_call((struct file *)ctx[0], ctx[1]);
}
