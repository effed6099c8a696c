//! Lines of reflinks against the disk: does the file have the blocks of its source, and is in them what the plan says?
//!
//! A guest may write to its file, replace or remove it: that is what reflinks are for, and no difference. Its times say
//! that it did. Where neither file was touched and they are apart nevertheless, the blocks were moved by somebody else,
//! such as a defragmentation; and where the bytes changed so, the disk did.

use super::proof::ProofWorld;
use crate::engine::Guest;
use crate::engine::records::{KnownGuest, Reflinked};
use crate::model::{Before, FileState, GuestName, GuestPath, Reflink, ReflinkCount, Wrong};
use crate::rules::precondition::moved;
use crate::sys::{Regular, SysResult};

/// What is not as the line says, if anything is.
pub(super) fn look<'l>(line: &'l Reflink, world: &ProofWorld<'_>) -> Vec<(&'l GuestPath, Wrong)> {
    let Some(guest) = world.guest(&line.guest) else {
        return line
            .names()
            .map(|name| (name, Wrong::RootChanged))
            .collect();
    };
    let source = world.guest(&line.source.guest);
    let wrong = judge(line, guest, source, world);
    let wrong = wrong.unwrap_or_else(|error| Some(Wrong::Unreadable(error.to_string())));
    wrong.map(|wrong| (&line.path, wrong)).into_iter().collect()
}

/// Is it the guest's own affair, and no difference?
pub(super) fn is_of_guest(wrong: &Wrong) -> bool {
    matches!(
        wrong,
        Wrong::WrittenSince | Wrong::ReplacedSince | Wrong::SourceWritten
    )
}

/// How many of the files that got blocks of others have some still that others have as well. None is known of what is
/// not the inode that got them.
pub(super) fn count(
    name: &GuestName,
    known: &KnownGuest,
    files: &[Reflinked],
) -> SysResult<ReflinkCount> {
    let all = files.len() as u64;
    let guest = match all {
        0 => None,
        _ => known.find_beside(name)?,
    };
    let shares = |guest: &Guest| files.iter().filter(|file| shares(guest, file)).count() as u64;
    let files = guest.as_ref().map_or(0, shares);
    Ok(ReflinkCount {
        files,
        written: all - files,
    })
}

fn shares(guest: &Guest, file: &Reflinked) -> bool {
    let mut files = file.paths().iter().filter_map(|name| open(guest, name));
    let file = files.find(|(_, state)| state.id.ino == file.blocks.ino);
    file.is_some_and(|(file, _)| matches!(file.shared_stretch(0), Ok(Some(_))))
}

fn judge(
    line: &Reflink,
    guest: &Guest,
    source: Option<&Guest>,
    world: &ProofWorld<'_>,
) -> SysResult<Option<Wrong>> {
    let Some((file, state)) = open(guest, &line.path) else {
        return Ok(Some(Wrong::ReplacedSince));
    };
    let before = line.before.as_ref();
    if before.is_some_and(|before| before.ino != state.id.ino) {
        return Ok(Some(Wrong::ReplacedSince));
    }
    if is_touched(before, &state) {
        return Ok(Some(Wrong::WrittenSince));
    }
    let file = file.passing(state.size, world.cache());
    if file.digest(state.size)? != line.content {
        return Ok(Some(Wrong::BytesChanged));
    }
    let source = source.and_then(|guest| open(guest, &line.source.path));
    let Some((source, of)) = source.filter(|(_, of)| of.id != state.id) else {
        return Ok(Some(Wrong::SourceWritten));
    };
    if file.overlap(&source)?.is_whole() {
        return Ok(None);
    }
    Ok(Some(match is_touched(line.source_before.as_ref(), &of) {
        true => Wrong::SourceWritten,
        false => Wrong::BlocksApart,
    }))
}

fn open(guest: &Guest, name: &GuestPath) -> Option<(Regular, FileState)> {
    let opened = guest.root.open_regular_seen(name.relative());
    opened.ok().flatten()
}

/// Was anything of it changed since? Without evidence, it may have been.
fn is_touched(before: Option<&Before>, now: &FileState) -> bool {
    before.is_none_or(|before| !moved(before, now).is_empty())
}
