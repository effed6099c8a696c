//! What the file `format` says: the version of the layout, and where the base was made: on which file system, and in
//! which directory of it.
//!
//! What receipts, journals and caches say of inodes is true in that place alone. A copy, be it on another disk or
//! beside the original, and a base whose file system got a new identity are therefore none until a person says so.

use crate::sys::host::machine;
use crate::sys::{Dir, SysResult};

/// The first line: another layout is refused, not guessed.
pub(super) const FORMAT: &str = "unify base 1\n";

/// File systems whose directories keep their inode numbers for ever. Elsewhere the number may be another one after the
/// next mount.
const KEEP_NUMBERS: [&str; 6] = ["ext4", "xfs", "btrfs", "f2fs", "tmpfs", "zfs"];

/// The lines of `format` behind the first.
pub(super) fn lines(dir: &Dir) -> SysResult<String> {
    let directory = if KEEP_NUMBERS.contains(&machine::filesystem(dir)?.name.as_str()) {
        format!("directory {}\n", dir.state()?.id.ino)
    } else {
        String::new()
    };
    Ok(filesystem_line(dir)? + &directory)
}

/// Was the base of these lines made here? Earlier versions wrote down the file system alone.
pub(super) fn is_here(recorded: &[u8], dir: &Dir) -> SysResult<bool> {
    let known = [lines(dir)?, filesystem_line(dir)?];
    Ok(known.iter().any(|known| known.as_bytes() == recorded))
}

/// The line that says on which file system.
pub(super) fn filesystem_line(dir: &Dir) -> SysResult<String> {
    let identity = machine::filesystem_identity(dir)?;
    Ok(format!("filesystem {identity}\n"))
}
