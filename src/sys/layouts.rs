//! Structures of the kernel as it lays them out, for the calls in `ffi`. The size of each is part of a call.
#![allow(
    missing_docs,
    reason = "fields are called and explained as in the kernel's header that is named"
)]

/// What kind of lease to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseKind {
    /// `F_RDLCK`: refused while any process has the file open for writing.
    Read,
    /// `F_WRLCK`: refused while the file is open anywhere else.
    Write,
    /// `F_UNLCK`: give it back.
    None,
}

/// `struct file_handle` of `linux/fcntl.h`, with room for as much as any file system says of a file.
#[repr(C)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHandle {
    bytes: u32,
    kind: i32,
    words: [u32; 32],
}

impl FileHandle {
    /// Nobody's.
    pub fn with_room() -> FileHandle {
        FileHandle {
            bytes: 128,
            kind: 0,
            words: [0; 32],
        }
    }

    /// The first of the numbers by which its file system finds the file again.
    pub fn first_word(&self) -> u32 {
        self.words[0]
    }

    /// The handle of another inode on the same file system, where it is made of number and generation alone:
    /// `FILEID_INO32_GEN` of `linux/exportfs.h` (ext4, XFS), and that of XFS for larger numbers.
    pub fn of_another(&self, number: u64, generation: u32) -> Option<FileHandle> {
        let (low, high) = (number as u32, (number >> 32) as u32);
        let words: &[u32] = match (self.kind, self.bytes) {
            (1, 8) if high == 0 => &[low, generation],
            (0x81, 12) if cfg!(target_endian = "little") => &[low, high, generation],
            _ => return None,
        };
        let mut other = self.clone();
        other.words[..words.len()].copy_from_slice(words);
        Some(other)
    }
}

/// `struct fsxattr` of `linux/fs.h`: 28 bytes.
#[repr(C)]
#[derive(Default)]
pub struct FsXattr {
    pub xflags: u32,
    pub extsize: u32,
    pub nextents: u32,
    pub projid: u32,
    pub cowextsize: u32,
    pub pad: [u8; 8],
}

/// `struct loop_config` of `linux/loop.h`: 304 bytes. Of `struct loop_info64` in it the names and keys are one field.
#[repr(C)]
#[derive(Default)]
pub struct LoopConfig {
    pub fd: u32,
    pub block_size: u32,
    pub device: u64,
    pub inode: u64,
    pub rdevice: u64,
    pub offset: u64,
    pub sizelimit: u64,
    pub number: u32,
    pub encrypt: [u32; 2],
    pub flags: u32,
    pub names_and_key: [[u8; 32]; 5],
    pub init: [u64; 2],
    pub reserved: [u64; 8],
}

impl LoopConfig {
    /// Shows a file with `LO_FLAGS_READ_ONLY` and `LO_FLAGS_AUTOCLEAR`.
    pub fn showing(file: i32) -> LoopConfig {
        LoopConfig {
            fd: u32::try_from(file).unwrap_or(u32::MAX),
            flags: 0x1 | 0x4,
            ..LoopConfig::default()
        }
    }
}

/// The header of `struct fiemap` of `linux/fiemap.h`: 32 bytes.
#[repr(C)]
pub struct FieMapHead {
    pub start: u64,
    pub length: u64,
    pub flags: u32,
    pub mapped_extents: u32,
    pub extent_count: u32,
    pub reserved: u32,
}

/// `struct fiemap_extent` of `linux/fiemap.h`: 56 bytes.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskExtent {
    /// Where it begins in the file, and on the device.
    pub logical: u64,
    pub physical: u64,
    pub length: u64,
    pub reserved64: [u64; 2],
    pub flags: u32,
    pub reserved: [u32; 3],
}

/// `struct fiemap` with room for some extents.
#[repr(C)]
pub struct FieMap<const ROOM: usize> {
    pub head: FieMapHead,
    pub extents: [DiskExtent; ROOM],
}

/// `struct file_dedupe_range` of `linux/fs.h` with one destination, `struct file_dedupe_range_info`: 24 + 32 bytes.
#[repr(C)]
#[derive(Default)]
pub struct DedupeRange {
    pub from: u64,
    pub length: u64,
    pub destinations: u16,
    pub reserved: [u16; 3],
    pub destination: i64,
    pub destination_from: u64,
    pub shared: u64,
    pub status: i32,
    pub reserved_too: u32,
}

/// `struct cachestat` of `linux/mman.h`: pages in the cache, and what else is known of them.
#[repr(C)]
#[derive(Default)]
pub struct CacheStat {
    pub cached: u64,
    pub others: [u64; 4],
}

/// `struct fsuuid2` of `linux/fs.h`: 17 bytes.
#[repr(C)]
pub struct FsUuid {
    pub length: u8,
    pub bytes: [u8; 16],
}

/// `struct mount_attr` of `linux/mount.h`, first version: 32 bytes.
#[repr(C)]
pub struct MountAttr {
    pub attr_set: u64,
    pub attr_clr: u64,
    pub propagation: u64,
    pub userns_fd: u64,
}

impl MountAttr {
    /// `MOUNT_ATTR_IDMAP`, by this user namespace.
    pub fn owners_by(namespace: i32) -> MountAttr {
        MountAttr {
            attr_set: 0x0010_0000,
            attr_clr: 0,
            propagation: 0,
            userns_fd: u64::from(namespace.unsigned_abs()),
        }
    }

    /// `MOUNT_ATTR_RDONLY | NOSUID | NODEV | NOEXEC | NOATIME | NOSYMFOLLOW`, and the mask of the atime choice.
    pub fn harmless() -> MountAttr {
        MountAttr {
            attr_set: 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x0020_0000,
            attr_clr: 0x70,
            propagation: 0,
            userns_fd: 0,
        }
    }
}

/// The beginning of `union bpf_attr` of `linux/bpf.h` for `BPF_PROG_LOAD`: 112 bytes.
#[repr(C)]
pub struct BpfProgram {
    pub kind: u32,
    pub instruction_count: u32,
    pub instructions: u64,
    pub license: u64,
    pub no_log_name_or_device: [u32; 11],
    pub expected_attach_type: u32,
    pub no_debug_information: [u32; 9],
    pub hook: u32,
}

/// What two threads may have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shares {
    /// `KCMP_FILES`: the table of descriptors.
    Descriptors,
    /// `KCMP_FS`: root and working directory.
    Directories,
    /// `KCMP_FILE`: what the first has open by the one number, and the other by the other.
    OpenFile(u32, u32),
}
