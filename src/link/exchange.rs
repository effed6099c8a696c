//! The exchange, to its fixpoint.

use crate::model::FileId;
use crate::sys::{Dir, Meaning, SysResult};

/// One exchange: what lies in staging, and where it shall go.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The staging directory of the run.
    pub staging: &'a Dir,
    /// The name in it.
    pub staged: &'a [u8],
    /// The directory of the guest's name.
    pub parent: &'a Dir,
    /// The guest's name, one component.
    pub name: &'a [u8],
    /// The inode in staging, which shall go in.
    pub put: FileId,
    /// The inode that shall come out.
    pub expected: FileId,
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchanged {
    /// `put` is in place and `expected` is in staging.
    Done,
    /// The guest had deleted the name; `put` is still in staging.
    Deleted,
    /// The guest had put something newer there. It is back in its place, and `put` is in staging.
    Newer,
    /// The guest deleted the name while its newer file was with us: that file is in staging, and we know no name
    /// that it belongs to.
    Stray,
    /// The guest replaced the name more than once. Staging holds a file of the guest: an older one, or the newest if
    /// the guest never ceased.
    Unsettled,
}

/// A guest that replaces a name this often within microseconds is attacking; nothing is lost if we stop.
const ROUNDS: usize = 8;

/// Exchanges, and exchanges back until what comes out is what was put in.
pub fn exchange_names(names: &Exchange<'_>) -> SysResult<Exchanged> {
    if !exchange(names)? {
        return Ok(Exchanged::Deleted);
    }
    let mut inside = names.put;
    let mut out = names.staging.look(names.staged)?.id;
    if out == names.expected {
        return Ok(Exchanged::Done);
    }
    for _ in 0..ROUNDS {
        // What came out is newer than what is inside now, so it goes back.
        let newer = out;
        if !exchange(names)? {
            return Ok(Exchanged::Stray);
        }
        out = names.staging.look(names.staged)?.id;
        if out == inside {
            return Ok(if inside == names.put {
                Exchanged::Newer
            } else {
                Exchanged::Unsettled
            });
        }
        inside = newer;
    }
    Ok(Exchanged::Unsettled)
}

/// False where the guest's name does not exist.
fn exchange(names: &Exchange<'_>) -> SysResult<bool> {
    match names
        .staging
        .exchange(names.staged, names.parent, names.name)
    {
        Ok(()) => Ok(true),
        Err(error) if error.meaning() == Meaning::Gone => Ok(false),
        Err(error) => Err(error),
    }
}
