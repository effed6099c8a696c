//! May a base stand where it stands? What it shares, all guests run, so no user but root may reach it: the base
//! is root's own and closed to all others, and no directory above it can be exchanged by any other user. Whether it is
//! where it was made is asked by `identity`. And what else is it that a person calls a base?

use std::path::{Path, PathBuf};

use super::error::BaseError;
use super::identity::FORMAT;
use crate::model::FileState;
use crate::sys::Dir;
use crate::sys::host::machine;
use crate::sys::own::papers;

/// Refuses a place above which another user rules. `path` is that of the base, whether it exists or not.
pub fn check_place(path: &Path) -> Result<(), BaseError> {
    for above in path.ancestors().skip(1) {
        let above = if above.as_os_str().is_empty() {
            Path::new(".")
        } else {
            above
        };
        let state = Dir::open(above)?.state()?;
        if let Some(why) = open_to_others(&state, machine::is_trusted_user) {
            return Err(exposed(above, why));
        }
    }
    Ok(())
}

/// Refuses a link that leads to nothing: what is made in its place would stay beside what it means.
pub(super) fn leads_on(path: &Path) -> Result<(), BaseError> {
    match path.is_symlink() && !path.exists() {
        true => Err(BaseError::Dangling(path.to_owned())),
        false => Ok(()),
    }
}

/// Refuses an empty directory whose place no base can take, for it is on this mount and what is above it is not.
pub(super) fn is_replaceable(path: &Path, mount: u64) -> Result<(), BaseError> {
    let above = Dir::open(path.parent().unwrap_or(path))?;
    match above.mount_id()? == mount {
        true => Ok(()),
        false => Err(BaseError::MountPoint(path.to_owned())),
    }
}

/// What is said of a directory that is no base: there may be one in it, or above it.
pub(super) fn no_base(path: &Path) -> BaseError {
    let inner = path.join(".unify");
    let near = std::iter::once(inner.as_path()).chain(path.ancestors().skip(1).take(3));
    let mut bases = near.filter(|place| {
        let format = papers::first_bytes(&place.join("format"), FORMAT.len());
        format.is_ok_and(|format| format == FORMAT.as_bytes())
    });
    BaseError::NoBase {
        path: path.to_owned(),
        likely: bases.next().map(Path::to_owned),
    }
}

/// Refuses a base that others may enter.
pub(super) fn check_base(dir: &Dir) -> Result<(), BaseError> {
    let state = dir.state()?;
    if !machine::is_trusted_user(state.uid) {
        return Err(exposed(dir.path(), "belongs to another user than root"));
    }
    if state.mode & 0o077 != 0 {
        return Err(exposed(
            dir.path(),
            "may be entered by others: chmod 700 it",
        ));
    }
    Ok(())
}

fn exposed(path: &Path, why: &'static str) -> BaseError {
    BaseError::Exposed {
        path: PathBuf::from(path),
        why,
    }
}

/// In a sticky directory (`/tmp`) no user can move what is another's.
fn open_to_others(state: &FileState, trusted: impl Fn(u32) -> bool) -> Option<&'static str> {
    let sticky = state.mode & 0o1000 != 0;
    // An access list shows as the group's bits, so the group may be any user.
    let by_others = state.mode & 0o022 != 0;
    if !trusted(state.uid) {
        Some("belongs to another user than root")
    } else if by_others && !sticky {
        Some("may be written by others than root")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FileId, FileKind, Time};

    fn directory(mode: u32, uid: u32, gid: u32) -> FileState {
        let time = Time { sec: 0, nsec: 0 };
        FileState {
            kind: FileKind::Directory,
            id: FileId { dev: 1, ino: 2 },
            nlink: 2,
            mode,
            uid,
            gid,
            size: 0,
            blocks: 0,
            mtime: time,
            ctime: time,
        }
    }

    #[test]
    fn who_may_rule_above_a_base() {
        let root_only = |uid| uid == 0;
        let is_open =
            |mode, uid, gid| open_to_others(&directory(mode, uid, gid), root_only).is_some();
        for (mode, uid, gid) in [(0o755, 0, 0), (0o1775, 0, 9), (0o1777, 0, 0), (0o700, 0, 9)] {
            assert!(!is_open(mode, uid, gid), "{mode:o} {uid} {gid}");
        }
        for (mode, uid, gid) in [(0o777, 0, 0), (0o775, 0, 0), (0o700, 9, 0), (0o757, 0, 0)] {
            assert!(is_open(mode, uid, gid), "{mode:o} {uid} {gid}");
        }
    }
}
