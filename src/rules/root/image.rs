//! What a file is that a person gives in place of a directory, by its first bytes, and what such a guest is called.

/// So many bytes tell: btrfs has its mark after 64 KiB.
pub const HEAD: usize = 68 << 10;

/// What stands where a root should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoDirectory {
    /// What it is, with its article.
    pub what: &'static str,
    /// Is it an image that is read as it is?
    pub is_read: bool,
    /// What to do with it.
    pub remedy: &'static str,
    /// The file system in it, where it is one that is mounted if somebody says so.
    pub file_system: Option<FileSystem>,
}

/// A file system in a file, as the kernel is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSystem {
    /// What the kernel calls it.
    pub name: &'static str,
    /// Options, each with its value, where it has one. They keep the kernel from replaying a journal, which it would do
    /// even where it may not write, and from what the image itself asks for.
    pub options: Options,
    /// Does it keep times between two seconds?
    pub has_fractions: bool,
    /// What it keeps of extended attributes.
    pub xattrs: HeldXattrs,
}

/// Options of a mount.
type Options = &'static [(&'static str, Option<&'static str>)];

/// What a file system keeps of extended attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldXattrs {
    /// Every one.
    All,
    /// Every one but access control lists.
    AllButAcls,
    /// None.
    None,
}

/// The image may say that the kernel panics at its first error: it is told to go on.
const EXT4: Options = &[("noload", None), ("errors", Some("continue"))];

/// Copies of an image have one UUID, and two of them are mounted together to be compared.
const XFS: Options = &[("norecovery", None), ("nouuid", None)];

const BTRFS: Options = &[("rescue", Some("nologreplay"))];

/// Where the superblock of btrfs says how many devices its file system has.
const BTRFS_DEVICES: usize = (64 << 10) + 0x88;

const READ: &str = "`unify plan`, `check` and `diff` read it as it is, and nothing else can be done with it: unpack it, and name the directory";
const MOUNT: &str = "as root name mount:IMAGE, or mount it with `mount -o ro,loop IMAGE DIR`, and name DIR with --audit";
const MOUNT_EXT4: &str = "as root name mount:IMAGE, or mount it with `mount -o ro,loop,noload,errors=continue IMAGE DIR`, and name DIR with --audit";
const MOUNT_XFS: &str = "as root name mount:IMAGE, or mount it with `mount -o ro,loop,norecovery,nouuid IMAGE DIR`, and name DIR with --audit";
const MOUNT_BTRFS: &str = "as root name mount:IMAGE, or mount it with `mount -o ro,loop,rescue=nologreplay IMAGE DIR`, and name DIR with --audit";
const MANY: &str = "it is not mounted, because the kernel would take the other devices from this host, whatever image they were made for: leave it one device with `btrfs device remove`";
const SQUASHFS: &str = "pipe it with `sqfs2tar IMAGE | unify plan NAME=-`, as root name mount:IMAGE, or mount it with `mount -o ro,loop IMAGE DIR`, and name DIR with --audit";
const DISK: &str =
    "mount it with `systemd-dissect --mount -r IMAGE DIR`, and name DIR with --audit";
const QCOW2: &str = "pipe it with `virt-tar-out -a IMAGE / - | unify plan NAME=-`";
const BZIP2: &str = "pipe it with `bzip2 -dc IMAGE | unify plan NAME=-`";
const LZ4: &str = "pipe it with `lz4 -dc IMAGE | unify plan NAME=-`";
const CPIO: &str = "unpack it with `cpio -idm --no-absolute-filenames < IMAGE` in an empty directory, and name that";
const ZIP: &str = "unpack it, and name the directory that has usr/, bin/ and etc/";
const OTHER: &str = "a guest is a directory, the one that has usr/, bin/ and etc/, or an image: a tar archive (plain, gzip, zstd or xz), an OCI layout or what `docker save` writes";

/// A mark in the head of a file.
struct Mark {
    at: usize,
    bytes: &'static [u8],
    what: &'static str,
    remedy: &'static str,
}

const fn mark(at: usize, bytes: &'static [u8], what: &'static str, remedy: &'static str) -> Mark {
    Mark {
        at,
        bytes,
        what,
        remedy,
    }
}

/// Bytes at a place, what has them there, and what to do with it. The first that fits counts.
const MARKS: &[Mark] = &[
    mark(0, b"\x1f\x8b", "a file packed by gzip", READ),
    mark(0, b"\xfd7zXZ\0", "a file packed by xz", READ),
    mark(0, b"\x28\xb5\x2f\xfd", "a file packed by zstd", READ),
    mark(0, b"BZh", "a file packed by bzip2", BZIP2),
    mark(0, b"\x04\x22\x4d\x18", "a file packed by lz4", LZ4),
    mark(0, b"070701", "a cpio archive", CPIO),
    mark(0, b"070707", "a cpio archive", CPIO),
    mark(0, b"PK\x03\x04", "a zip archive", ZIP),
    mark(0, b"hsqs", "a squashfs image", SQUASHFS),
    mark(0, b"XFSB", "an XFS image", MOUNT_XFS),
    mark(0, b"QFI\xfb", "a disk image (qcow2)", QCOW2),
    mark(0, b"KDMV", "a disk image (VMDK)", QCOW2),
    mark(0, b"vhdxfile", "a disk image (VHDX)", QCOW2),
    mark(0, b"LUKS\xba\xbe", "an encrypted disk image (LUKS)", DISK),
    mark(257, b"ustar", "a tar archive", READ),
    mark(1024, b"\xe2\xe1\xf5\xe0", "an EROFS image", MOUNT),
    mark(1080, b"\x53\xef", "an ext4 image", MOUNT_EXT4),
    mark(32_769, b"CD001", "an ISO 9660 image", MOUNT),
    mark(65_600, b"_BHRfS_M", "a btrfs image", MOUNT_BTRFS),
    mark(512, b"EFI PART", "a disk image with partitions", DISK),
    mark(510, b"\x55\xaa", "a disk image with partitions", DISK),
];

const fn file_system(
    name: &'static str,
    options: Options,
    has_fractions: bool,
    xattrs: HeldXattrs,
) -> FileSystem {
    FileSystem {
        name,
        options,
        has_fractions,
        xattrs,
    }
}

/// The file systems that are mounted if somebody says so, by what their images are called.
const FILE_SYSTEMS: &[(&str, FileSystem)] = &[
    (
        "a squashfs image",
        file_system("squashfs", &[], false, HeldXattrs::AllButAcls),
    ),
    (
        "an EROFS image",
        file_system("erofs", &[], true, HeldXattrs::All),
    ),
    (
        "an ext4 image",
        file_system("ext4", EXT4, true, HeldXattrs::All),
    ),
    (
        "an XFS image",
        file_system("xfs", XFS, true, HeldXattrs::All),
    ),
    (
        "a btrfs image",
        file_system("btrfs", BTRFS, true, HeldXattrs::All),
    ),
    (
        "an ISO 9660 image",
        file_system("iso9660", &[], false, HeldXattrs::None),
    ),
];

/// What a regular file with this head is; `None` for what is no regular file or cannot be read.
pub fn no_directory(head: Option<&[u8]>) -> NoDirectory {
    let Some(head) = head else {
        return NoDirectory {
            what: "no directory",
            is_read: false,
            remedy: OTHER,
            file_system: None,
        };
    };
    let is_there = |at: usize, mark: &[u8]| head.get(at..at + mark.len()) == Some(mark);
    let mut marks = MARKS.iter();
    let known = marks.find(|mark| is_there(mark.at, mark.bytes));
    let (what, remedy) = match known {
        Some(mark) if mark.remedy == MOUNT_BTRFS && !has_one_device(head) => {
            ("a btrfs image of several devices", MANY)
        }
        Some(mark) => (mark.what, mark.remedy),
        None if is_old_tar(head) => ("a tar archive", READ),
        None => ("a file", OTHER),
    };
    let mut file_systems = FILE_SYSTEMS.iter();
    let found = file_systems.find(|(name, _)| *name == what);
    NoDirectory {
        what,
        is_read: remedy == READ,
        remedy,
        file_system: found.map(|(_, found)| *found),
    }
}

fn has_one_device(head: &[u8]) -> bool {
    head.get(BTRFS_DEVICES..BTRFS_DEVICES + 8) == Some(&1u64.to_le_bytes())
}

/// Before POSIX a tar archive had no mark: its first block has a sum of its bytes at 148, eight digits, which count as
/// spaces. An archive without any entry is all zeros.
fn is_old_tar(head: &[u8]) -> bool {
    let Some(block) = head.get(..512) else {
        return false;
    };
    let digits = block[148..156]
        .iter()
        .take_while(|byte| !matches!(byte, 0 | b' '));
    let said = digits.fold(0u64, |sum, byte| {
        (sum * 8).wrapping_add(u64::from(byte & 7))
    });
    let sum = |(at, byte): (usize, &u8)| match at {
        148..156 => u64::from(b' '),
        _ => u64::from(*byte),
    };
    let sum: u64 = block.iter().enumerate().map(sum).sum();
    let empty = head.len() >= 1024 && head[..1024].iter().all(|byte| *byte == 0);
    empty || said == sum
}

/// Endings of the names of image files, the longest first.
const ENDINGS: &[&str] = &[
    ".tar.gz", ".tar.zst", ".tar.xz", ".tar", ".tgz", ".tzst", ".txz", ".oci", ".gz", ".zst", ".xz",
];

/// What a guest is called that is an image in this file, or one of several in it.
pub fn image_name(file: &str, reference: Option<&str>) -> String {
    let last = reference.and_then(|name| name.rsplit('/').next());
    // A digest is no name.
    if let Some(name) = last.filter(|name| !name.contains("sha256")) {
        return name.replace([':', '@'], "-");
    }
    let stem = ENDINGS.iter().find_map(|ending| file.strip_suffix(ending));
    stem.filter(|stem| !stem.is_empty())
        .unwrap_or(file)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_heads() {
        let with = |at: usize, mark: &[u8]| {
            let mut head = vec![1; HEAD];
            head[BTRFS_DEVICES..BTRFS_DEVICES + 8].copy_from_slice(&1u64.to_le_bytes());
            head[at..at + mark.len()].copy_from_slice(mark);
            no_directory(Some(&head))
        };
        for mark in MARKS {
            assert!(mark.at + mark.bytes.len() <= HEAD, "{}", mark.what);
            let told = with(mark.at, mark.bytes);
            assert_eq!((told.what, told.remedy), (mark.what, mark.remedy));
        }
        for (what, _) in FILE_SYSTEMS {
            assert!(MARKS.iter().any(|mark| mark.what == *what), "{what}");
        }
        let mut many = vec![1; HEAD];
        many[65_600..65_608].copy_from_slice(b"_BHRfS_M");
        for head in [&many[..], &many[..BTRFS_DEVICES]] {
            let told = no_directory(Some(head));
            assert_eq!((told.remedy, told.file_system), (MANY, None));
        }
        assert_eq!(no_directory(Some(b"root:x:0:0")).what, "a file");
        assert_eq!(no_directory(Some(b"")).what, "a file");
        assert_eq!(no_directory(None).what, "no directory");
        assert!(no_directory(Some(&[0; 1024])).is_read, "an empty archive");
    }

    #[test]
    fn images_are_called_by_their_files() {
        for (file, reference, want) in [
            ("web.tar.zst", None, "web"),
            ("debian-12.tgz", None, "debian-12"),
            ("layout", None, "layout"),
            (".tar", None, ".tar"),
            ("all.tar", Some("registry/x/y:base"), "y-base"),
            ("all.tar", Some("sha256:00"), "all"),
        ] {
            assert_eq!(image_name(file, reference), want);
        }
    }
}
