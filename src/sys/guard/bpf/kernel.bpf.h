// What is used of the kernel: its types as far as they are read, helpers by their numbers (`linux/bpf.h`), constants.

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
#define APART static __attribute__((noinline))

static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static long (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static __u64 (*const bpf_ktime_get_ns)(void) = (void *)5;
static __u64 (*const bpf_get_current_pid_tgid)(void) = (void *)14;
static long (*const bpf_get_current_comm)(void *to, __u32 size) = (void *)16;
static __u64 (*const bpf_get_current_cgroup_id)(void) = (void *)80;
static long (*const bpf_probe_read_kernel)(void *to, __u32 size, const void *from) = (void *)113;
static long (*const bpf_probe_read_kernel_str)(void *to, __u32 size, const void *from) = (void *)115;
static long (*const bpf_send_signal_thread)(__u32 signal) = (void *)117;
static __u64 (*const bpf_get_current_ancestor_cgroup_id)(int level) = (void *)123;
static void *(*const bpf_ringbuf_reserve)(void *ring, __u64 size, __u64 flags) = (void *)131;
static void (*const bpf_ringbuf_submit)(void *data, __u64 flags) = (void *)132;
static __u64 (*const bpf_ringbuf_query)(void *ring, __u64 what) = (void *)134;
static void *(*const bpf_task_storage_get)(void *map, void *task, void *fresh, __u64 flags) = (void *)156;
static struct task_struct *(*const bpf_get_current_task_btf)(void) = (void *)158;
static struct pt_regs *(*const bpf_task_pt_regs)(struct task_struct *task) = (void *)175;
static long (*const bpf_loop)(__u32 times, void *each, void *context, __u64 flags) = (void *)181;
static long (*const bpf_get_func_arg)(void *ctx, __u32 at, __u64 *value) = (void *)183;
static long (*const bpf_get_func_arg_cnt)(void *ctx) = (void *)185;

#define BPF_MAP_TYPE_HASH 1
#define BPF_MAP_TYPE_ARRAY 2
#define BPF_MAP_TYPE_LRU_HASH 9
#define BPF_MAP_TYPE_RINGBUF 27
#define BPF_MAP_TYPE_TASK_STORAGE 29
#define BPF_F_NO_PREALLOC 1
#define BPF_F_RDONLY_PROG (1 << 7)

#define BPF_RB_AVAIL_DATA 0
#define BPF_LOCAL_STORAGE_GET_F_CREATE 1

#define SECOND 1000000000ull

#define EPERM 1
#define ENOSPC 28
#define ENOSYS 38
#define EDQUOT 122
#define ERESTARTNOINTR 513
#define FMODE_WRITE 2u
#define O_TRUNC 01000u
#define O_NONBLOCK 04000u

// Of a task's flags: a thread of the kernel's, a worker of io_uring.
#define PF_IO_WORKER 0x10u
#define PF_KTHREAD 0x200000u

#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define BIT(signal) (1ul << ((signal)-1))

// Of `jobctl`: a stop or a trap for which the thread has been told to return to user mode.
#define JOBCTL_PENDING (1ul << 17 | 1ul << 19 | 1ul << 20 | 1ul << 23)

// Fields are found by name in the kernel that runs.
#define KERNEL_TYPE __attribute__((preserve_access_index))

// A field by a pointer that the verifier knows nothing of.
#define READ(from, field)                                                                                    \
	({                                                                                                   \
		typeof(from) place = (from);                                                                 \
		typeof(place->field) value = 0;                                                              \
		bpf_probe_read_kernel(&value, sizeof value, __builtin_preserve_access_index(&place->field)); \
		value;                                                                                       \
	})

// Has this kernel's type such a field?
#define HAS(type, field) __builtin_preserve_field_info(((type *)0)->field, 2)

typedef struct {
	__u32 val;
} KERNEL_TYPE kuid_t;

struct user_namespace {
	int level;
} KERNEL_TYPE;

struct super_block {
	__u32 s_dev;
	struct user_namespace *s_user_ns;
} KERNEL_TYPE;

struct inode {
	__u16 i_mode;
	kuid_t i_uid;
	unsigned long i_ino;
	struct super_block *i_sb;
	__u32 i_generation;
} KERNEL_TYPE;

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
} KERNEL_TYPE;

struct qstr {
	const unsigned char *name;
} KERNEL_TYPE;

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
} KERNEL_TYPE;

struct uid_gid_map {
	__u32 nr_extents;
} KERNEL_TYPE;

// Which owners a mount shows: none but those of the file system where both are empty.
struct mnt_idmap {
	struct uid_gid_map uid_map;
	struct uid_gid_map gid_map;
} KERNEL_TYPE;

struct vfsmount {
	struct mnt_idmap *mnt_idmap;
} KERNEL_TYPE;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} KERNEL_TYPE;

struct iattr {
	unsigned int ia_valid;
} KERNEL_TYPE;

typedef struct {
	__u64 val;
} KERNEL_TYPE kernel_cap_t;

struct cred {
	kuid_t fsuid;
	kernel_cap_t cap_effective;
} KERNEL_TYPE;

struct file {
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
	struct path f_path;
} KERNEL_TYPE;

typedef struct {
	unsigned long sig[1];
} KERNEL_TYPE sigset_t;

struct sigpending {
	sigset_t signal;
} KERNEL_TYPE;

struct sigaction {
	void *sa_handler;
} KERNEL_TYPE;

struct k_sigaction {
	struct sigaction sa;
} KERNEL_TYPE;

struct sighand_struct {
	struct k_sigaction action[64];
} KERNEL_TYPE;

struct signal_struct {
	int nr_threads;
	struct sigpending shared_pending;
	int group_stop_count;
} KERNEL_TYPE;

struct thread_info {
	__u32 status;
} KERNEL_TYPE;

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	unsigned int ptrace;
	unsigned long jobctl;
	struct cred *cred;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	sigset_t blocked;
	struct sigpending pending;
	void *io_uring;
} KERNEL_TYPE;

// Of x86; other machines have no such fields.
struct pt_regs {
	unsigned long ax;
	unsigned long orig_ax;
	unsigned long si;
} KERNEL_TYPE;
