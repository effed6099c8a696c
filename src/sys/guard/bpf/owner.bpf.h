// Who the kernel will deny by itself, after the hook: a copy that such a caller gets made is of no use to anybody, and
// an unprivileged user would part every file that he can see. Only what is certain counts. Else all goes on as ever.

#define CAP_CHOWN 0
#define CAP_DAC_OVERRIDE 1
#define CAP_FOWNER 3
#define CAP_SYS_ADMIN 21
#define CAP_MAC_ADMIN 33
#define CAPABILITY(number) (1ull << (number))

// Of `ia_valid`, see `linux/fs.h`.
#define ATTR_MODE (1u << 0)
#define ATTR_UID (1u << 1)
#define ATTR_GID (1u << 2)
#define ATTR_ATIME (1u << 4)
#define ATTR_MTIME (1u << 5)
#define ATTR_CTIME (1u << 6)
#define ATTR_ATIME_SET (1u << 7)
#define ATTR_MTIME_SET (1u << 8)
#define ATTR_KILL_SUID (1u << 11)
#define ATTR_KILL_SGID (1u << 12)
#define ATTR_FILE (1u << 13)
#define ATTR_KILL_PRIV (1u << 14)
#define ATTR_TIMES_SET (1u << 16)

// Of these each takes the owner, or a capability (`setattr_prepare`).
#define OWNERS_ATTRIBUTES (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME_SET | ATTR_MTIME_SET | ATTR_TIMES_SET)
// And these change nothing in that. A size, a touch, what the kernel forces, and what is not known here is none of
// both.
#define BESIDES (ATTR_ATIME | ATTR_MTIME | ATTR_CTIME | ATTR_KILL_SUID | ATTR_KILL_SGID | ATTR_KILL_PRIV | ATTR_FILE)

// Neither the owner, nor one with any of these capabilities in its own user namespace, by which alone the kernel asks
// for them. Where the mount shows other owners, or this kernel does not tell, nobody is a stranger: owners show in
// `mnt_idmap` since 6.8.
INLINE int is_stranger(struct inode *inode, struct mnt_idmap *owners, __u64 capabilities)
{
	struct task_struct *me = bpf_get_current_task_btf();
	struct cred *cred;
	__u64 has = 0;

	if (!HAS(struct mnt_idmap, uid_map.nr_extents) || !HAS(struct cred, cap_effective.val) || !owners)
		return 0;
	if (READ(owners, uid_map.nr_extents) || READ(owners, gid_map.nr_extents))
		return 0;
	// A file system of a user namespace's own has other masters.
	if (READ(READ(READ(inode, i_sb), s_user_ns), level))
		return 0;
	cred = READ(me, cred);
	has = READ(cred, cap_effective.val);
	return READ(cred, fsuid.val) != READ(inode, i_uid.val) && !(has & capabilities);
}

INLINE int may_not_set(struct inode *inode, struct mnt_idmap *owners, struct iattr *wanted)
{
	__u32 valid = READ(wanted, ia_valid);

	if (!(valid & OWNERS_ATTRIBUTES) || valid & ~(OWNERS_ATTRIBUTES | BESIDES))
		return 0;
	return is_stranger(inode, owners, CAPABILITY(CAP_FOWNER) | CAPABILITY(CAP_CHOWN));
}

INLINE int may_not_set_acl(struct inode *inode, struct mnt_idmap *owners)
{
	return is_stranger(inode, owners, CAPABILITY(CAP_FOWNER));
}

// Of other names the kernel has asked before the hook, and of `security.capability`.
#define SECURITY 0x7974697275636573ull // "security"

INLINE int may_not_set_xattr(struct inode *inode, struct mnt_idmap *owners, const char *name)
{
	struct {
		__u64 space;
		char rest[8];
	} begin = {};

	if (bpf_probe_read_kernel_str(&begin, sizeof begin, name) < 0)
		return 0;
	if (begin.space != SECURITY || begin.rest[0] != '.' || (begin.rest[1] == 'c' && begin.rest[2] == 'a'))
		return 0;
	return is_stranger(inode, owners,
			   CAPABILITY(CAP_FOWNER) | CAPABILITY(CAP_SYS_ADMIN) | CAPABILITY(CAP_MAC_ADMIN));
}

// The kernel asks who may write for this one, by whatever descriptor; all else is the owner's, an administrator's, or
// done by a descriptor that is open for writing, and no descriptor of a marked inode is.
#define FS_IOC_ENABLE_VERITY 0x40806685u
// Whatever an ACL says: nobody but the owner may write without them.
#define WRITABLE_TO_OTHERS 022

INLINE int may_not_call(struct file *file, unsigned int command)
{
	__u64 capabilities = CAPABILITY(CAP_FOWNER) | CAPABILITY(CAP_SYS_ADMIN);
	struct inode *inode = READ(file, f_inode);

	if (!HAS(struct vfsmount, mnt_idmap))
		return 0;
	if (command == FS_IOC_ENABLE_VERITY) {
		if (READ(inode, i_mode) & WRITABLE_TO_OTHERS)
			return 0;
		capabilities = CAPABILITY(CAP_DAC_OVERRIDE);
	}
	return is_stranger(inode, READ(READ(file, f_path.mnt), mnt_idmap), capabilities);
}
