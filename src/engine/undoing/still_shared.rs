//! Which files that got blocks of others have some still that others have as well.

use super::select::UndoChoice;
use crate::engine::Guest;
use crate::engine::exchange::job::Fate;
use crate::engine::records::Reflinked;
use crate::link::Unshare;
use crate::model::{CommonBlocks, Outcome, Refusal};
use crate::sys::{Regular, SysError, SysResult};

/// The room that copies take: what others have as well by now.
pub(super) fn needed(chosen: &UndoChoice) -> SysResult<u64> {
    let mut needed = 0u64;
    for (at, file) in &chosen.blocks {
        needed = needed.saturating_add(still_shared(&chosen.guests[*at], file)?);
    }
    Ok(needed)
}

/// Bytes of the file that others have as well; none where it is not the file that it was.
pub(super) fn still_shared(guest: &Guest, file: &Reflinked) -> SysResult<u64> {
    match open(guest, &file.blocks) {
        Ok(_) if file.run.is_none() => Ok(file.blocks.shared),
        Ok(file) => Unshare::All.bytes(&file),
        Err(_) => Ok(0),
    }
}

/// The file that was shared, by the first of its names that it still has.
pub(super) fn open(guest: &Guest, blocks: &CommonBlocks) -> Result<Regular, Outcome> {
    let mut there = false;
    for name in &blocks.paths {
        let opened = SysError::absent(guest.root.open_regular_seen(name.relative()));
        let opened = opened.map_err(|error| bad(&Fate::from_path_error(&error)))?;
        there |= opened.is_some();
        if let Some((file, state)) = opened.flatten()
            && state.id.ino == blocks.ino
        {
            return Ok(file);
        }
    }
    Err(Outcome::Refused(match there {
        true => Refusal::OwnBlocks {},
        false => Refusal::Gone {},
    }))
}

fn bad(fate: &Fate) -> Outcome {
    fate.bad_outcome()
        .unwrap_or(Outcome::Refused(Refusal::Gone {}))
}
