//! What a file is now, from a handle or from what a walk met.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use rustix::fs::{AtFlags, FileType, Statx, StatxAttributes, StatxFlags, makedev, statx};
use rustix::io::Errno;

use crate::model::{FileId, FileKind, FileState, Time};
use crate::sys::fault::{call, old_kernel};

/// Whoever moves the blocks of a file from one count to the other may stand still in between.
const MOST_AGAIN: usize = 4;

/// `statx` of an open descriptor (`O_PATH` ones too), and the id of the mount that it was reached by.
pub(super) fn of_fd(fd: impl AsFd) -> Result<(FileState, Option<u64>), Errno> {
    let flags = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
    let at = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let answer = call("stat", || counted(|| statx(&fd, c"", at, flags)))?;
    Ok((from_statx(&answer), mount_of(&answer)))
}

/// `statx` of a name in a directory, nothing followed and nothing mounted for it.
pub fn at(dir: impl AsFd, name: &[u8]) -> Result<FileState, Errno> {
    Ok(from_statx(&look_at(dir, name, StatxFlags::empty())?))
}

/// The same, and whether the immutable flag is set, where the file system tells it here.
pub(super) fn with_flag(dir: impl AsFd, name: &[u8]) -> Result<(FileState, Option<bool>), Errno> {
    let answer = look_at(dir, name, StatxFlags::empty())?;
    let flag = StatxAttributes::IMMUTABLE;
    let told = answer.stx_attributes_mask.contains(flag);
    let set = told.then(|| answer.stx_attributes.contains(flag));
    Ok((from_statx(&answer), set))
}

/// The same, and the mount that the name leads to.
pub(super) fn at_with_mount(
    dir: impl AsFd,
    name: &[u8],
) -> Result<(FileState, Option<u64>), Errno> {
    let answer = look_at(dir, name, StatxFlags::MNT_ID)?;
    Ok((from_statx(&answer), mount_of(&answer)))
}

/// `None` on kernels that do not tell it (before 5.8): the field is zero there for every file.
fn mount_of(answer: &Statx) -> Option<u64> {
    let told = StatxFlags::from_bits_retain(answer.stx_mask).contains(StatxFlags::MNT_ID);
    (told && !old_kernel()).then_some(answer.stx_mnt_id)
}

fn look_at(dir: impl AsFd, name: &[u8], more: StatxFlags) -> Result<Statx, Errno> {
    let how = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
    let wanted = StatxFlags::BASIC_STATS | more;
    call("stat", || counted(|| statx(&dir, name, how, wanted)))
}

/// Asks again, a few times, where a file has bytes and no blocks. ext4 counts blocks that are reserved and those that
/// are allocated apart, adds them up for whoever asks, and takes no lock for it (`ext4_getattr`): while it writes a
/// file back, that has none for a moment, as if it were one hole. Seen 1 time in 440,000.
fn counted<E>(ask: impl Fn() -> Result<Statx, E>) -> Result<Statx, E> {
    again(ask, |answer| from_statx(answer).is_one_hole())
}

fn again<T, E>(ask: impl Fn() -> Result<T, E>, is_odd: impl Fn(&T) -> bool) -> Result<T, E> {
    let mut answer = ask()?;
    for _ in 0..MOST_AGAIN {
        if !is_odd(&answer) {
            break;
        }
        std::thread::yield_now();
        answer = ask()?;
    }
    Ok(answer)
}

/// The same of an open directory, and whether it is immutable or append-only. File systems that do not tell count as
/// "no".
pub(super) fn of_directory(fd: impl AsFd) -> Result<(FileState, bool), Errno> {
    let at = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let answer = call("stat", || statx(fd, c"", at, StatxFlags::BASIC_STATS))?;
    let fixed = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
    Ok((from_statx(&answer), answer.stx_attributes.intersects(fixed)))
}

/// Is it encrypted (fscrypt)? File systems that do not tell count as "no".
pub(super) fn is_encrypted(fd: impl AsFd) -> Result<bool, Errno> {
    let at = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let answer = call("stat", || statx(fd, c"", at, StatxFlags::empty()))?;
    Ok(answer.stx_attributes.contains(StatxAttributes::ENCRYPTED))
}

/// The state of what a walk meets. A proposal: the name is opened again before anything is decided for good.
pub fn from_entry<E>(ask: impl Fn() -> Result<fs::Metadata, E>) -> Result<FileState, E> {
    again(|| Ok(from_metadata(&ask()?)), FileState::is_one_hole)
}

/// The state of what somebody else has looked at.
pub fn from_metadata(meta: &fs::Metadata) -> FileState {
    let kind = meta.file_type();
    FileState {
        kind: match () {
            () if kind.is_file() => FileKind::Regular,
            () if kind.is_dir() => FileKind::Directory,
            () if kind.is_symlink() => FileKind::Symlink,
            () => {
                debug_assert!(
                    kind.is_fifo()
                        || kind.is_socket()
                        || kind.is_char_device()
                        || kind.is_block_device()
                );
                FileKind::Special
            }
        },
        id: FileId {
            dev: meta.dev(),
            ino: meta.ino(),
        },
        nlink: u32::try_from(meta.nlink()).unwrap_or(u32::MAX),
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        gid: meta.gid(),
        size: meta.size(),
        blocks: meta.blocks(),
        mtime: Time {
            sec: meta.mtime(),
            nsec: nanoseconds(meta.mtime_nsec()),
        },
        ctime: Time {
            sec: meta.ctime(),
            nsec: nanoseconds(meta.ctime_nsec()),
        },
    }
}

fn nanoseconds(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0).min(999_999_999)
}

fn from_statx(answer: &Statx) -> FileState {
    FileState {
        kind: match FileType::from_raw_mode(u32::from(answer.stx_mode)) {
            FileType::RegularFile => FileKind::Regular,
            FileType::Directory => FileKind::Directory,
            FileType::Symlink => FileKind::Symlink,
            _ => FileKind::Special,
        },
        id: FileId {
            dev: makedev(answer.stx_dev_major, answer.stx_dev_minor),
            ino: answer.stx_ino,
        },
        nlink: answer.stx_nlink,
        mode: u32::from(answer.stx_mode) & 0o7777,
        uid: answer.stx_uid,
        gid: answer.stx_gid,
        size: answer.stx_size,
        blocks: answer.stx_blocks,
        mtime: Time {
            sec: answer.stx_mtime.tv_sec,
            nsec: answer.stx_mtime.tv_nsec.min(999_999_999),
        },
        ctime: Time {
            sec: answer.stx_ctime.tv_sec,
            nsec: answer.stx_ctime.tv_nsec.min(999_999_999),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_file_whose_blocks_are_not_counted_yet_is_asked_for_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        fs::File::create(&path).unwrap().set_len(5000).unwrap();
        let hole = fs::metadata(&path).unwrap();
        fs::write(&path, vec![1; 5000]).unwrap();
        let asked = Cell::new(0);
        let ask = || {
            asked.set(asked.get() + 1);
            match asked.get() {
                1 => Ok(hole.clone()),
                _ => fs::metadata(&path),
            }
        };
        assert!(from_entry(ask).unwrap().blocks > 0);
        assert!(from_entry(ask).unwrap().blocks > 0);
        assert_eq!(asked.get(), 3, "a file that has blocks is asked for once");
    }
}
