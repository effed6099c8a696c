//! How a file comes to share the blocks of another, and how it gets blocks of its own again.
//!
//! Both are one call of the kernel, `FIDEDUPERANGE`: it compares two ranges and remaps one of them under its locks. No
//! byte and no attribute of a file changes by it, whoever writes to it meanwhile, so nobody has to stand still, and no
//! name is exchanged. What the call says is not believed: the extent maps say what is shared.
//!
//! Blocks of its own a file gets by the same call: what it shares is copied into a scratch file without a name, the
//! file comes to share the copy, and the scratch file goes. A guest that writes between copy and call makes the two
//! differ, and keeps what it wrote; the range is copied anew. `FALLOC_FL_UNSHARE_RANGE` would do the same on XFS only,
//! and changes times and capabilities of the file.

use super::rehearsal::{Impossible, Tried, step};
use crate::sys::guest::{FileRange, Overlap};
use crate::sys::{Dir, Meaning, Regular, SysError, SysResult};

/// Bytes for which the kernel is asked at once: the most that every kernel takes.
const PIECE: u64 = 16 << 20;

/// How often a range is copied anew whose guest writes to it. What it writes is its own by that.
const TRIES: u32 = 64;

/// How a file came to share blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareOutcome {
    /// All its data were the same as those of the other file. The extent maps say how much is shared.
    Same,
    /// They differ at or after this byte. What was before it may be shared: it was the same.
    Differs {
        /// The first byte of the piece in which they differ.
        at: u64,
    },
}

/// Lets `destination` share the blocks of `source`, as far as its first `size` bytes hold data. Nothing that a guest
/// sees of either changes.
pub fn share_blocks(source: &Regular, destination: &Regular, size: u64) -> SysResult<ShareOutcome> {
    let mut at = 0;
    while let Some(data) = destination.next_data(at, size)? {
        at = data.from;
        while at < data.to {
            let length = PIECE.min(data.to - at);
            match source.share_with(destination, at, length)? {
                None => return Ok(ShareOutcome::Differs { at }),
                // The same, and nothing that can be shared: it lies beside the metadata.
                Some(0) => at += length,
                Some(done) => at += done.min(length),
            }
        }
    }
    Ok(ShareOutcome::Same)
}

/// What a file has for itself again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnshareOutcome {
    /// Bytes that were copied: so much room it takes.
    pub copied: u64,
    /// Did something stay shared, because its guest never ceased to write to it?
    pub left: bool,
}

/// Which blocks a file gets of its own.
#[derive(Debug, Clone, Copy)]
pub enum Unshare<'f> {
    /// All that others have as well.
    All,
    /// Those that lie where this file has them.
    With(&'f Regular),
}

impl Unshare<'_> {
    fn stretch(self, file: &Regular, from: u64) -> SysResult<Option<FileRange>> {
        match self {
            Unshare::All => file.shared_stretch(from),
            Unshare::With(other) => file.common_stretch(other, from),
        }
    }

    /// How many bytes of the file that is.
    pub fn bytes(self, file: &Regular) -> SysResult<u64> {
        let (mut bytes, mut at) = (0, 0);
        while let Some(stretch) = self.stretch(file, at)? {
            bytes += stretch.to - stretch.from;
            at = stretch.to;
        }
        Ok(bytes)
    }
}

/// Gives `file` blocks of its own, by copies that are made in `scratch`, a directory of ours on the same file system.
/// Nothing that its guest sees changes, and what the guest writes meanwhile stays.
pub fn unshare_blocks(
    file: &Regular,
    which: Unshare<'_>,
    scratch: &Dir,
) -> SysResult<UnshareOutcome> {
    let (mut done, mut at, mut tries) = (UnshareOutcome::default(), 0, 0);
    let copy = scratch.nameless_like(&file.metadata(&[])?)?;
    while let Some(stretch) = which.stretch(file, at)? {
        let size = file.state()?.size;
        let to = stretch.to.min(size).min(stretch.from.saturating_add(PIECE));
        if stretch.from >= to {
            break;
        }
        copy.set_length(size)?;
        let had = own_copy(file, &copy, stretch.from, to);
        // Its guest wrote there, or made it shorter: what is shared now is looked for anew.
        let again = match &had {
            Ok(length) => length.is_none(),
            Err(_) => file.state()?.size != size,
        };
        match had {
            _ if again && tries < TRIES => (at, tries) = (stretch.from, tries + 1),
            Err(error) => return Err(error),
            Ok(length) => {
                done.copied += length.unwrap_or(0);
                done.left |= length.is_none();
                (at, tries) = (length.map_or(to, |length| stretch.from + length), 0);
                // What it has grown by meanwhile is its own, and no look behind its end can fail.
                if at >= size {
                    break;
                }
            }
        }
    }
    Ok(done)
}

/// Lets the file have a copy of this range; `None` where it changed meanwhile.
fn own_copy(file: &Regular, copy: &Regular, from: u64, to: u64) -> SysResult<Option<u64>> {
    file.copy_range_into(copy, from, to)?;
    let done = copy.share_with(file, from, to - from)?;
    Ok(done.filter(|length| *length > 0))
}

const MAKE: &str = "make files without a name (O_TMPFILE)";
const WRITE: &str = "write to a file";
const MAP: &str = "tell which extents a file has (FIEMAP)";
const SHARE: &str = "let two files share extents (FIDEDUPERANGE)";
const OWN: &str = "give a file extents of its own again";

/// Bytes of a scratch file: more than fits beside the metadata, and whole blocks of any size.
const SCRATCH: usize = 256 * 1024;

/// Tries on scratch files whether a file of `there` can share blocks of one of `here`, two directories of ours that may
/// be one, and can have its own again.
pub fn can_reflink(here: &Dir, there: &Dir) -> Result<(), Impossible> {
    let bytes = noise();
    let (source, same) = (made(here, &bytes)?, made(there, &bytes)?);
    let mut other = bytes.clone();
    if let Some(last) = other.last_mut() {
        *last = !*last;
    }
    let other = made(there, &other)?;
    let size = SCRATCH as u64;
    let before = step(WRITE, same.state())?;
    if step(SHARE, share_blocks(&source, &same, size))? != ShareOutcome::Same
        || !is_all_shared(step(MAP, same.overlap(&source))?)
    {
        return Err(Impossible::Untrue(
            "files that are the same do not come to share extents",
        ));
    }
    let after = step(WRITE, same.state())?;
    if (after.mtime, after.ctime) != (before.mtime, before.ctime) {
        return Err(Impossible::Untrue(
            "a file that comes to share extents has other times",
        ));
    }
    if step(SHARE, share_blocks(&source, &other, size))? == ShareOutcome::Same
        || step(MAP, other.overlap(&source))?.is_whole()
    {
        return Err(Impossible::Untrue(
            "files that differ come to share extents",
        ));
    }
    step(OWN, unshare_blocks(&same, Unshare::All, there))?;
    let apart = step(MAP, same.overlap(&source))?.together == 0;
    match apart && step(WRITE, same.same_content(&source, size))? {
        true => Ok(()),
        false => Err(Impossible::Untrue(
            "a file does not get extents of its own again",
        )),
    }
}

fn is_all_shared(overlap: Overlap) -> bool {
    overlap.is_whole() && overlap.together > 0
}

fn made(dir: &Dir, bytes: &[u8]) -> Tried<Regular> {
    let file = step(MAKE, dir.nameless())?;
    step(WRITE, file.write_all_at(bytes, 0))?;
    Ok(file)
}

/// Bytes that no file system makes smaller, by the constant of a linear generator.
fn noise() -> Vec<u8> {
    let words = (1..=SCRATCH as u64 / 8).scan(1u64, |state, _| {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        Some(state.rotate_right(23))
    });
    words.flat_map(u64::to_le_bytes).collect()
}

/// Why the kernel would not let a file share blocks, which is no fault of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNotShared {
    /// It is immutable, or on a mount or snapshot that is read-only.
    Immutable,
    /// Not what this kind of file can do: a swap file, or one that is not copied on write beside one that is.
    Unsupported,
    /// The disk, or a quota, has no room for what has to be remembered.
    NoRoom,
    /// It is on another file system.
    OtherFilesystem,
}

impl WhyNotShared {
    /// What the error says; `None` where it is a fault of the machine.
    pub fn of(error: &SysError) -> Option<WhyNotShared> {
        match error.meaning() {
            Meaning::Denied => Some(WhyNotShared::Immutable),
            Meaning::Unsupported | Meaning::Busy => Some(WhyNotShared::Unsupported),
            Meaning::NoSpace => Some(WhyNotShared::NoRoom),
            Meaning::OtherFilesystem => Some(WhyNotShared::OtherFilesystem),
            _ => None,
        }
    }
}
