// The guard: shared inodes that stand in the map `marks` can be read, linked, renamed and unlinked, and not changed.
//
// One program a hook, each of which denies with EPERM. No process is exempt, ours neither: who must change a marked
// inode takes its mark off first, and for that one must be able to write to the map. The map is only read here.
//
// While a daemon lives, a writer is given a private copy of the inode instead (`ask.bpf.h`).
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
// includes what lies beside it and nothing else, so that no header of a machine shows in it.

#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "restart.bpf.h"
#include "owner.bpf.h"
#include "flood.bpf.h"
#include "call.bpf.h"
#include "ask.bpf.h"

// The kernel gives what an LSM program needs only to programs under the GPL; its author grants that besides the MIT
// licence of the whole.
char LICENSE[] SEC("license") = "Dual MIT/GPL";

// 0: it is not marked.
INLINE __u64 mark_of(struct hit *hit)
{
	__u64 *mark = bpf_map_lookup_elem(&marks, &hit->inode);

	return mark ? *mark : 0;
}

// An argument, of which the verifier knows what it is: it is read without calls.
INLINE __u64 mark_here(struct inode *inode, struct hit *hit)
{
	if (!inode)
		return 0;
	hit->inode.number = inode->i_ino;
	hit->inode.device = inode->i_sb->s_dev;
	hit->inode.generation = inode->i_generation;
	return mark_of(hit);
}

INLINE int judge_entry(struct dentry *entry, enum kind kind)
{
	struct hit hit = {.entry = entry, .kind = kind};
	__u64 mark = mark_here(entry->d_inode, &hit);

	return mark ? judge(&hit, mark) : 0;
}

// Every way of writing begins here, by name, by handle, by /proc, from io_uring, for a mapping and for execution
// alike; O_RDONLY|O_TRUNC, which no mode shows, as well.
SEC("lsm/file_open")
int guard_open(__u64 *ctx)
{
	struct file *file = (struct file *)ctx[0];
	struct hit hit = {.entry = file->f_path.dentry, .kind = OPEN};
	__u64 mark;

	// This is asked at every open: what it reads most often costs no call.
	if (!(file->f_mode & FMODE_WRITE) && !(file->f_flags & O_TRUNC))
		return 0;
	mark = mark_here(file->f_inode, &hit);
	if (!mark)
		return 0;
	hit.nonblocking = file->f_flags & O_NONBLOCK;
	return judge(&hit, mark);
}

// Size, mode, owner, times, by name or by any descriptor. Since 6.9 the entry is not the first argument, but still the
// last but one.
SEC("lsm/inode_setattr")
int guard_setattr(__u64 *ctx)
{
	__u64 mark, entry, wanted, owners, count = bpf_get_func_arg_cnt(ctx);
	struct hit hit = {.kind = ATTRIBUTES};
	struct inode *inode;

	if (count < 2 || bpf_get_func_arg(ctx, count - 2, &entry))
		return -EPERM;
	hit.entry = (struct dentry *)entry;
	inode = READ(hit.entry, d_inode);
	key_of(inode, &hit.inode);
	mark = mark_of(&hit);
	if (!mark)
		return 0;
	if (count > 2 && !bpf_get_func_arg(ctx, count - 1, &wanted) && !bpf_get_func_arg(ctx, count - 3, &owners) &&
	    may_not_set(inode, (struct mnt_idmap *)owners, (struct iattr *)wanted))
		return -EPERM;
	return judge(&hit, mark);
}

// Extended attributes, of which ACLs are some: all these hooks begin with the same three arguments.
INLINE int judge_xattr(__u64 *ctx, enum kind kind)
{
	struct mnt_idmap *owners = (struct mnt_idmap *)ctx[0];
	struct dentry *entry = (struct dentry *)ctx[1];
	struct inode *inode = entry->d_inode;
	struct hit hit = {.entry = entry, .kind = kind};
	__u64 mark = mark_here(inode, &hit);
	int is_acl = kind == SET_ACL || kind == REMOVE_ACL;

	if (!mark)
		return 0;
	if (is_acl ? may_not_set_acl(inode, owners) : may_not_set_xattr(inode, owners, (const char *)ctx[2]))
		return -EPERM;
	return judge(&hit, mark);
}

SEC("lsm/inode_setxattr")
int guard_setxattr(__u64 *ctx)
{
	return judge_xattr(ctx, SET_XATTR);
}

SEC("lsm/inode_removexattr")
int guard_removexattr(__u64 *ctx)
{
	return judge_xattr(ctx, REMOVE_XATTR);
}

// Since 6.2; before, ACLs are extended attributes.
SEC("lsm/inode_set_acl")
int guard_set_acl(__u64 *ctx)
{
	return judge_xattr(ctx, SET_ACL);
}

SEC("lsm/inode_remove_acl")
int guard_remove_acl(__u64 *ctx)
{
	return judge_xattr(ctx, REMOVE_ACL);
}

// Since 6.17: file_setattr(2).
SEC("lsm/inode_file_setattr")
int guard_file_setattr(__u64 *ctx)
{
	return judge_entry((struct dentry *)ctx[0], FILE_ATTRIBUTES);
}

// A file system's own calls may change a file through a descriptor that cannot write: flags, project, generation,
// verity, layout. So what is not known to tell only is denied. Calls of other kinds (terminals, close-on-exec) pass.
INLINE int only_tells(unsigned int command)
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

INLINE int judge_change(struct file *file, unsigned int command)
{
	struct hit hit = {.entry = file->f_path.dentry, .kind = IOCTL};
	__u64 mark = mark_here(file->f_inode, &hit);

	if (!mark)
		return 0;
	return may_not_call(file, command) ? -EPERM : judge(&hit, mark);
}

INLINE int judge_call(struct file *file, unsigned int command)
{
	switch (command >> 8 & 0xff) {
	case 'f':  // FS_IOC_*, EXT4_IOC_*
	case 'v':  // FS_IOC_SETVERSION
	case 'X':  // FS_IOC_FSSETXATTR, XFS_IOC_*
	case 0x94: // FICLONE, BTRFS_IOC_*
	case 0xf5: // F2FS_IOC_*
		return only_tells(command) ? 0 : judge_change(file, command);
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
