//! Takes a tree of ours apart, however deep it is.

use crate::model::{Descent, DescentStep, FileKind};
use crate::sys::{Dir, Meaning, SysResult};

/// Removes all that is in a directory of ours, however deep it goes.
pub(super) fn empty(top: &Dir) -> SysResult<()> {
    let mut way = Descent::new(emptied(top, b"")?);
    while let Some(step) = way.step() {
        match step {
            DescentStep::Enter(path) => {
                let below = emptied(top, path)?;
                way.enter(below);
            }
            DescentStep::Leave(path) => {
                let cut = path.iter().rposition(|byte| *byte == b'/');
                let (above, name) = match cut {
                    Some(cut) => (&path[..cut], &path[cut + 1..]),
                    None => (&b""[..], path),
                };
                let above = top.open_deep(above)?;
                gone(&above, name, |above| above.remove_dir(name))?;
            }
        }
    }
    Ok(())
}

/// Removes all but the directories, and returns those.
fn emptied(top: &Dir, path: &[u8]) -> SysResult<Vec<Vec<u8>>> {
    let dir = top.open_deep(path)?;
    let mut directories = Vec::new();
    for name in dir.list()? {
        if dir.glance(&name)?.kind == FileKind::Directory {
            directories.push(name);
        } else {
            gone(&dir, &name, |dir| dir.unlink(&name))?;
        }
    }
    Ok(directories)
}

/// A copy may have got its append-only flag already, which keeps names from being removed.
fn gone(dir: &Dir, name: &[u8], remove: impl Fn(&Dir) -> SysResult<()>) -> SysResult<()> {
    match remove(dir) {
        Err(error) if error.meaning() == Meaning::Denied => {
            dir.end_append_only(name);
            remove(dir)
        }
        other => other,
    }
}
