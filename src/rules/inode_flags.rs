//! Inode flags (`FS_IOC_GETFLAGS`, the letters of lsattr): which of them would a link change for a guest?
//!
//! Bits and meanings are those of linux/fs.h. The list of flags that say only how the file system
//! stores the file is closed: any other bit, known or not, makes a file differ from one without it.

use crate::model::STORAGE_FLAGS;

/// `FS_IMMUTABLE_FL`: the flag that protects objects.
pub const IMMUTABLE: u32 = 0x10;

/// `FS_ENCRYPT_FL`.
pub const ENCRYPTED: u32 = 0x800;

/// What people call each bit, by bit.
const NAMES: &[(u32, &str)] = &[
    (0x1, "secure-deletion"),
    (0x2, "undelete"),
    (0x4, "compressed"),
    (0x8, "synchronous"),
    (IMMUTABLE, "immutable"),
    (0x20, "append-only"),
    (0x40, "no-dump"),
    (0x80, "no-atime"),
    (0x100, "compression-dirty"),
    (0x200, "compressed-blocks"),
    (0x400, "no-compression"),
    (ENCRYPTED, "encrypted"),
    (0x1000, "indexed"),
    (0x2000, "afs-directory"),
    (0x4000, "data-journalling"),
    (0x8000, "no-tail-merging"),
    (0x1_0000, "synchronous-directory"),
    (0x2_0000, "top-directory"),
    (0x4_0000, "huge-file"),
    (0x8_0000, "extents"),
    (0x10_0000, "verity"),
    (0x20_0000, "xattr-inode"),
    (0x40_0000, "blocks-past-end"),
    (0x80_0000, "no-copy-on-write"),
    (0x200_0000, "dax"),
    (0x1000_0000, "inline-data"),
    (0x2000_0000, "project-inherit"),
    (0x4000_0000, "case-insensitive"),
];

/// The flags that mean something to the guest, without immutable, which is `unify`'s own to set and
/// lift. 0 for an ordinary file.
pub fn foreign_flags(flags: u32) -> u32 {
    flags & !(STORAGE_FLAGS | IMMUTABLE)
}

/// The flags in words, by bit: `append-only, no-dump`. Bits without a name stand in hexadecimal;
/// no flags give an empty text.
pub fn names(flags: u32) -> String {
    let known = NAMES.iter().filter(|(bit, _)| flags & bit != 0);
    let mut words: Vec<String> = known.map(|(_, name)| (*name).to_owned()).collect();
    let unknown = NAMES.iter().fold(flags, |rest, (bit, _)| rest & !bit);
    if unknown != 0 {
        words.push(format!("{unknown:#x}"));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_closed_list_is_harmless() {
        let harmless = [0x10, 0x1000, 0x4_0000, 0x8_0000, 0x40_0000, 0x1000_0000];
        for bit in (0..32).map(|shift| 1u32 << shift) {
            let want = if harmless.contains(&bit) { 0 } else { bit };
            assert_eq!(foreign_flags(bit), want, "{bit:#x}");
        }
        assert_eq!(foreign_flags(0x8_0000 | 0x30), 0x20);
    }

    #[test]
    fn words_for_people() {
        let cases = [
            (0, ""),
            (0x60, "append-only, no-dump"),
            (0x8_0010, "immutable, extents"),
            (0x20 | 0x8000_0000 | 0x100_0000, "append-only, 0x81000000"),
        ];
        for (flags, want) in cases {
            assert_eq!(names(flags), want);
        }
    }

    #[test]
    fn no_bit_is_named_twice() {
        let sum = NAMES.iter().map(|(bit, _)| u64::from(*bit)).sum::<u64>();
        let union = NAMES.iter().fold(0, |all, (bit, _)| all | bit);
        assert_eq!(sum, u64::from(union));
        assert!(NAMES.iter().all(|(bit, _)| bit.is_power_of_two()));
    }
}
