//! What healing finds and may not drop is kept for a person, in quarantine.

use super::EngineError;
use crate::base::Base;
use crate::model::{Ignored, ObjectId, RunId};
use crate::rules::precondition::metadata_differs;
use crate::sys::hash::metadata_digest;
use crate::sys::{Dir, Meaning, Regular, SysResult};

/// Keeps an entry of staging: moves it, or where it is a name of an object copies what that holds. A name of an object
/// would be one that no guest accounts for, and its flag would keep a person from removing it.
pub(super) fn set_aside(
    base: &Base,
    run: &RunId,
    staging: &Dir,
    entry: &str,
    object: Option<&ObjectId>,
) -> Result<(), EngineError> {
    let aside = base.quarantine(&run.to_string())?;
    let inode = staging.look(entry.as_bytes())?.id;
    let inode_of = |id: &ObjectId| base.object_inode(id);
    let is_object = object.map(inode_of).transpose()?.flatten() == Some(inode);
    match staging.open_regular(entry.as_bytes())? {
        Some(file) if is_object => {
            keep_copy(&file, &aside, entry)?;
            staging.unlink(entry.as_bytes())?;
        }
        _ => staging.move_to(entry.as_bytes(), &aside, entry.as_bytes())?,
    }
    Ok(())
}

/// Copies a file into quarantine, durable before it goes from where it is. A healing that was cut may have made it already, and the object may have changed since.
pub(super) fn keep_copy(file: &Regular, aside: &Dir, entry: &str) -> SysResult<()> {
    let state = file.state()?;
    let copy = aside.nameless()?;
    file.copy_into(&copy, state.size)?;
    copy.set_metadata(&file.metadata(&[])?, state.mtime)?;
    copy.sync()?;
    let names = (0..).map(|n| match n {
        0 => entry.to_owned(),
        n => format!("{entry}.{n}"),
    });
    for name in names {
        match aside.link(&copy, name.as_bytes()) {
            Err(error) if error.meaning() == Meaning::Exists => {
                if is_copy(aside, &name, &copy)? {
                    break;
                }
            }
            linked => {
                linked?;
                break;
            }
        }
    }
    aside.sync()
}

fn is_copy(aside: &Dir, name: &str, copy: &Regular) -> SysResult<bool> {
    let Some(there) = aside.open_regular(name.as_bytes())? else {
        return Ok(false);
    };
    let (size, other) = (copy.state()?.size, there.state()?.size);
    let differs = metadata_differs(&copy.metadata(&[])?, &there.metadata(&[])?, &[]);
    Ok(size == other && differs.is_empty() && copy.same_content(&there, size)?)
}

/// Is it what the object's name says? With its time or without, as the policy may have been.
pub(super) fn is_sound(file: &Regular, id: &ObjectId) -> SysResult<bool> {
    let fits = |ignore: &[Ignored]| {
        let metadata = file.metadata(ignore)?;
        SysResult::Ok(metadata_digest(&metadata) == id.metadata)
    };
    let fits = fits(&[])? || fits(&[Ignored::Mtime])?;
    Ok(fits && file.digest(file.state()?.size)? == id.content)
}
