//! What a file is at one moment.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

/// An inode: device and inode number. Only equality means anything, and only while something holds the inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// `st_dev`.
    pub dev: u64,
    /// `st_ino`.
    pub ino: u64,
}

/// A time stamp of a file: seconds since 1970 plus nanoseconds, which are always added (so -1.5 s is -2 s + 0.5 s).
/// Written `SECONDS.NNNNNNNNN`, as a string, because it passes 2^53. Compared for equality only: clocks step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Time {
    /// Whole seconds, maybe negative.
    pub sec: i64,
    /// 0 to 999,999,999.
    pub nsec: u32,
}

/// What kind of thing a name refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A regular file: the only kind that is ever shared.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A socket, FIFO or device.
    Special,
}

/// Everything that `statx` says about a file and that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileState {
    /// Regular file, directory, …
    pub kind: FileKind,
    /// Device and inode.
    pub id: FileId,
    /// Number of names, seen or not.
    pub nlink: u32,
    /// Permission bits, with setuid, setgid and sticky: 0 to 0o7777.
    pub mode: u32,
    /// Owner as stored on disk.
    pub uid: u32,
    /// Group as stored on disk.
    pub gid: u32,
    /// Length in bytes.
    pub size: u64,
    /// Allocated units of 512 bytes.
    pub blocks: u64,
    /// Last change of the content.
    pub mtime: Time,
    /// Last change of anything.
    pub ctime: Time,
}

/// What comes back to the disk when a file goes, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskRoom {
    /// What nothing else has.
    pub own: u64,
    /// How much of that is an upper bound: it is compressed, lies beside the metadata, or the file system does not tell
    /// what is shared.
    pub unsure: u64,
    /// What other files or snapshots have as well: it comes back only when they go, too.
    pub shared: u64,
}

impl DiskRoom {
    /// All of it is the file's own.
    pub fn own(bytes: u64) -> DiskRoom {
        DiskRoom {
            own: bytes,
            ..DiskRoom::default()
        }
    }

    /// Nobody tells how much of it comes back.
    pub fn unsure(bytes: u64) -> DiskRoom {
        DiskRoom {
            unsure: bytes,
            ..DiskRoom::own(bytes)
        }
    }

    /// Of a file of so many allocated bytes, where `plain` bytes of extents are its own and not compressed. Extents end
    /// where blocks do, and more may be allocated than they show: attributes, for instance.
    pub fn of(self, allocated: u64, plain: u64) -> DiskRoom {
        if self == DiskRoom::default() {
            return DiskRoom::own(allocated);
        }
        let own = plain.saturating_add(self.unsure).min(allocated);
        DiskRoom {
            own,
            unsure: self.unsure.min(own),
            shared: self.shared.min(allocated - own),
        }
    }
}

/// An extended attribute: its name with the namespace, and its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xattr {
    /// Such as `security.capability`.
    pub name: Vec<u8>,
    /// Any bytes.
    pub value: Vec<u8>,
}

/// All metadata that the names of one inode share, and that must therefore be equal before they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Permission bits, with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time; `None` where the policy ignores it.
    pub mtime: Option<Time>,
    /// All extended attributes (ACLs, labels and capabilities are some of them), sorted by name.
    pub xattrs: Vec<Xattr>,
    /// All inode flags but those that protect objects, see [`Metadata::chosen_flags`].
    pub flags: u32,
    /// Project id, for project quotas.
    pub project: u32,
}

/// What keeps names from being moved in and out of a directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NameLimits {
    /// It is immutable or append-only: no name in it can be exchanged.
    pub is_fixed: bool,
    /// What is made in it inherits this project, and only files of this project may enter.
    pub only_project: Option<u32>,
}

impl NameLimits {
    /// May a file of this project be exchanged for one of its names?
    pub fn takes_in(&self, project: u32) -> bool {
        !self.is_fixed && self.only_project.is_none_or(|only| only == project)
    }
}

/// `FS_VERITY_FL`: sealed by fs-verity.
pub const VERITY_FLAG: u32 = 0x10_0000;

/// The place of VServer's `IUNLINK` among the flags that `FS_IOC_SETFLAGS` takes. No kernel of Linux itself knows it.
pub const UNLINKABLE_FLAG: u32 = 0x800_0000;

/// What protects an object, and is in no comparison of metadata: no file that it takes the place of has it.
pub const PROTECTING_FLAGS: u32 = 0x10 | UNLINKABLE_FLAG | VERITY_FLAG;

/// Inode flags that say how a file is stored, and nothing that its owner chose: hash-indexed directory (0x1000), large
/// block count (0x4_0000), extents (0x8_0000), blocks past the end (0x40_0000), content inside the inode (0x1000_0000).
pub const STORAGE_FLAGS: u32 = 0x1000 | 0x4_0000 | 0x8_0000 | 0x40_0000 | 0x1000_0000;

/// `FS_EXTENT_FL`: how ext4 stores nearly all files.
const EXTENTS: u32 = 0x8_0000;

/// Inode flags that new files may get from their directory, and that a file without content may be given:
/// secure-deletion, undelete, compressed, synchronous, no-dump, no-atime, no-compression, data-journalling,
/// no-tail-merging, no-copy-on-write, dax.
pub const INHERITABLE_FLAGS: u32 =
    0x1 | 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x400 | 0x4000 | 0x8000 | 0x80_0000 | 0x200_0000;

impl Metadata {
    /// The inode flags that a link would merge: how a file is stored differs between it and any copy of it.
    pub fn chosen_flags(&self) -> u32 {
        self.flags & !STORAGE_FLAGS
    }

    /// The inode flags of a fresh file that shall have those of this one: what it got from its directory goes, what
    /// this one has comes, and how it is stored stays.
    pub fn flags_of_copy(&self, fresh: u32) -> u32 {
        fresh & !INHERITABLE_FLAGS | self.flags & INHERITABLE_FLAGS
    }

    /// The inode flags as a digest has them: any way in which ext4 stores a file stands as extents.
    pub fn digest_flags(&self) -> u32 {
        let stored = if self.flags & STORAGE_FLAGS == 0 {
            0
        } else {
            EXTENTS
        };
        self.chosen_flags() | stored
    }

    /// The inode flags that a digest of the same metadata may have been made with, the likeliest first: a copy may be
    /// stored in another way than what it was copied from, and digests that were made earlier kept all bits.
    pub fn digest_flag_forms(&self) -> [u32; 4] {
        let chosen = self.chosen_flags();
        [self.digest_flags(), chosen | EXTENTS, chosen, self.flags]
    }
}

impl FileState {
    /// Bytes on disk.
    pub fn allocated(&self) -> u64 {
        self.blocks.saturating_mul(512)
    }

    /// Is it a file of bytes, of which none is stored?
    pub fn is_one_hole(&self) -> bool {
        self.kind == FileKind::Regular && self.size > 0 && self.blocks == 0
    }

    /// Bytes that are not stored.
    pub fn holes(&self) -> u64 {
        self.size.saturating_sub(self.allocated())
    }
}

/// Text that is not a [`Time`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time as SECONDS.NANOSECONDS, with nine digits of nanoseconds")]
pub struct BadTime;

impl FromStr for Time {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let (sec, nsec) = text.split_once('.').ok_or(BadTime)?;
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        if !digits(sec.strip_prefix('-').unwrap_or(sec)) || nsec.len() != 9 || !digits(nsec) {
            return Err(BadTime);
        }
        Ok(Time {
            sec: sec.parse().map_err(|_| BadTime)?,
            nsec: nsec.parse().map_err(|_| BadTime)?,
        })
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [b'.'; 10];
        let mut rest = self.nsec;
        for digit in digits[1..].iter_mut().rev() {
            *digit = b'0' + (rest % 10).to_le_bytes()[0];
            rest /= 10;
        }
        if rest > 0 {
            return write!(f, "{}.{}", self.sec, self.nsec);
        }
        write!(f, "{}", self.sec)?;
        f.write_str(str::from_utf8(&digits).unwrap_or_default())
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Time {
    type Error = BadTime;
    fn try_from(text: String) -> Result<Self, BadTime> {
        text.parse()
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_flags(flags: u32) -> Metadata {
        Metadata {
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: None,
            xattrs: Vec::new(),
            flags,
            project: 0,
        }
    }

    #[test]
    fn a_copy_gets_what_was_chosen_and_keeps_how_it_is_stored() {
        assert_eq!(with_flags(0x1000_0000).flags_of_copy(0x8_0080), 0x8_0000);
        assert_eq!(with_flags(0x48).flags_of_copy(0x8_0080), 0x8_0048);
        // Encrypted, immutable, append-only.
        assert_eq!(with_flags(0x830).flags_of_copy(0), 0);
    }

    #[test]
    fn digests_do_not_tell_ways_of_storage_apart() {
        for stored in [EXTENTS, 0x1000_0000, 0x4_0000 | EXTENTS] {
            assert_eq!(with_flags(stored | 0x40).digest_flags(), EXTENTS | 0x40);
            let forms = with_flags(stored).digest_flag_forms();
            assert!(forms.contains(&stored), "as it was before");
            assert!(forms.contains(&0), "of a file without");
        }
        assert_eq!(with_flags(0x40).digest_flags(), 0x40);
        let forms = with_flags(0x40).digest_flag_forms();
        assert!(forms.iter().all(|flags| flags & 0x40 != 0));
    }

    #[test]
    fn what_is_shared_does_not_come_back() {
        assert_eq!(DiskRoom::default().of(4096, 4096), DiskRoom::own(4096));
        assert_eq!(
            DiskRoom::default().of(8192, 4096),
            DiskRoom::own(8192),
            "attributes"
        );
        let part = DiskRoom {
            unsure: 8192,
            shared: 4096,
            ..DiskRoom::default()
        };
        let room = part.of(16384, 4096);
        assert_eq!((room.own, room.unsure, room.shared), (12288, 8192, 4096));
        let room = part.of(4096, 4096);
        assert_eq!((room.own, room.unsure, room.shared), (4096, 4096, 0));
    }

    #[test]
    fn times_round_trip() {
        for time in [
            Time { sec: 0, nsec: 1 },
            Time {
                sec: -2,
                nsec: 500_000_000,
            },
            Time {
                sec: i64::MAX,
                nsec: 999_999_999,
            },
        ] {
            assert_eq!(time.to_string().parse(), Ok(time));
        }
        for bad in [
            "1",
            "1.5",
            "1.0000000001",
            "-.000000000",
            "+1.000000000",
            "1.00000000x",
        ] {
            assert_eq!(bad.parse::<Time>(), Err(BadTime), "{bad}");
        }
    }
}
