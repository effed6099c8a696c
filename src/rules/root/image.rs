//! What a file is that a person gives in place of a directory, by its first bytes.

/// So many bytes tell: btrfs has its mark after 64 KiB.
pub const HEAD: usize = 68 << 10;

/// What stands where a root should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoDirectory {
    /// What it is, with its article.
    pub what: &'static str,
    /// What to do with it.
    pub remedy: &'static str,
}

const UNPACK: &str = "unpack it, and name the directory that has usr/, bin/ and etc/";
const MOUNT: &str = "mount it, and name the directory where";
const OTHER: &str = "a guest is a directory, the one that has usr/, bin/ and etc/";

/// Bytes at a place, what has them there, and what to do with it. The first that fits counts.
const MARKS: &[(usize, &[u8], &str, &str)] = &[
    (257, b"ustar", "a tar archive", UNPACK),
    (0, b"\x1f\x8b", "a file packed by gzip", UNPACK),
    (0, b"\xfd7zXZ\0", "a file packed by xz", UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a file packed by zstd", UNPACK),
    (0, b"BZh", "a file packed by bzip2", UNPACK),
    (0, b"070701", "a cpio archive", UNPACK),
    (0, b"PK\x03\x04", "a zip archive", UNPACK),
    (0, b"hsqs", "a squashfs image", MOUNT),
    (0, b"XFSB", "an XFS image", MOUNT),
    (1024, b"\xe2\xe1\xf5\xe0", "an EROFS image", MOUNT),
    (1080, b"\x53\xef", "an ext4 image", MOUNT),
    (32_769, b"CD001", "an ISO 9660 image", MOUNT),
    (65_600, b"_BHRfS_M", "a btrfs image", MOUNT),
    (0, b"QFI\xfb", "a disk image (qcow2)", MOUNT),
    (512, b"EFI PART", "a disk image with partitions", MOUNT),
    (510, b"\x55\xaa", "a disk image with partitions", MOUNT),
];

/// What a regular file with this head is; `None` for what is no regular file or cannot be read.
pub fn no_directory(head: Option<&[u8]>) -> NoDirectory {
    let Some(head) = head else {
        return NoDirectory {
            what: "no directory",
            remedy: OTHER,
        };
    };
    let is_there = |at: usize, mark: &[u8]| head.get(at..at + mark.len()) == Some(mark);
    let mut marks = MARKS.iter();
    let known = marks.find(|(at, mark, ..)| is_there(*at, mark));
    let (what, remedy) = known.map_or(("a file", OTHER), |(_, _, what, remedy)| (*what, *remedy));
    NoDirectory { what, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_heads() {
        let with = |at: usize, mark: &[u8]| {
            let mut head = vec![0; HEAD];
            head[at..at + mark.len()].copy_from_slice(mark);
            no_directory(Some(&head))
        };
        for (at, mark, what, remedy) in MARKS {
            assert!(at + mark.len() <= HEAD, "{what}");
            let told = with(*at, mark);
            assert_eq!((told.what, told.remedy), (*what, *remedy));
        }
        assert_eq!(no_directory(Some(b"root:x:0:0")).what, "a file");
        assert_eq!(no_directory(Some(b"")).what, "a file");
        assert_eq!(no_directory(None).what, "no directory");
    }
}
