//! The whole life of a shared name on scratch files: linked across directories, exchanged, copied back, exchanged
//! again, removed. What is not possible here is found out before a plan promises it.
//!
//! One directory stands for the base's, the other for a guest's: it has the project of the guest. No guest is touched.

use super::{Exchange, Exchanged, exchange_names};
use crate::model::{FileId, Ignored, Metadata};
use crate::sys::{Dir, Meaning, Regular, SysError, SysResult};

/// Why names cannot be shared.
#[derive(Debug)]
pub enum Impossible {
    /// The file system cannot do what a step needs.
    Step {
        /// What that is, as a person knows it.
        what: &'static str,
        /// What the kernel said.
        error: SysError,
    },
    /// All was done, and not as it should be.
    Untrue(&'static str),
}

impl Impossible {
    /// It is only that no room is left, or no quota: that says nothing of what can be done here.
    pub fn is_want_of_room(&self) -> bool {
        matches!(self, Impossible::Step { error, .. } if error.meaning() == Meaning::NoSpace)
    }

    /// Not even a directory to try it in can be made.
    pub fn in_no_directory(error: SysError) -> Impossible {
        Impossible::Step {
            what: DIRECTORY,
            error,
        }
    }
}

pub(super) type Tried<T> = Result<T, Impossible>;

pub(super) fn step<T>(what: &'static str, done: SysResult<T>) -> Tried<T> {
    done.map_err(|error| Impossible::Step { what, error })
}

const MAKE: &str = "make files without a name (O_TMPFILE)";
const WRITE: &str = "give a file its metadata";
const LINK: &str = "give a file a name in another directory (link)";
const SWAP: &str = "exchange two names in one step (renameat2)";
const REMOVE: &str = "remove a name";
const PROJECT: &str = "give a directory another project";
const DIRECTORY: &str = "make a directory";

/// Tries all of it in `scratch`, an empty directory of ours: as for a guest whose directory is of this project, which
/// is inherited there or not.
pub fn rehearse(scratch: &Dir, project: u32, inherits: bool) -> Result<(), Impossible> {
    let (base, guest) = (room(scratch, b"base")?, room(scratch, b"guest")?);
    step(PROJECT, base.forget_inherited())?;
    // Where the scratch directory lies, all that is made may inherit another one.
    if step(PROJECT, guest.project())? != (project, inherits) {
        let set = guest.set_project(project, inherits);
        step(PROJECT, set)?;
    }
    let plain = step(WRITE, plain(&guest, project))?;
    let (first, twin) = (made(&guest, &plain)?, made(&guest, &plain)?);
    step(LINK, guest.link(&first, b"first"))?;
    step(LINK, guest.link(&twin, b"twin"))?;
    // The first is adopted, and its twin replaced by it.
    step(LINK, base.link(&first, b"object"))?;
    step(LINK, base.link(&first, b"staged"))?;
    let ids = (id(&first)?, id(&twin)?);
    exchange(&base, &guest, ids)?;
    step(REMOVE, base.unlink(b"staged"))?;
    if step(LINK, guest.look(b"twin"))?.id != ids.0 {
        return Err(Impossible::Untrue("two names do not refer to one file"));
    }
    // Back again: a copy of the object, as it was.
    let copy = made(&base, &plain)?;
    let kept = step(WRITE, first.metadata(&[Ignored::Mtime]))?;
    let differing = kept.differs(&step(WRITE, copy.metadata(&[Ignored::Mtime]))?, &[]);
    if !differing.is_empty() {
        return Err(Impossible::Untrue(
            "a copy does not keep the metadata of its file",
        ));
    }
    step(LINK, base.link(&copy, b"staged"))?;
    exchange(&base, &guest, (id(&copy)?, ids.0))?;
    clear(&[&base, &guest])?;
    for name in [&b"base"[..], b"guest"] {
        step(REMOVE, scratch.remove_dir(name))?;
    }
    Ok(())
}

fn room(scratch: &Dir, name: &[u8]) -> Tried<Dir> {
    step(DIRECTORY, scratch.make_dir(name))?;
    step(DIRECTORY, scratch.open_dir(name))
}

/// The metadata of a plain file of a guest of this project.
fn plain(guest: &Dir, project: u32) -> SysResult<Metadata> {
    let state = guest.state()?;
    Ok(Metadata {
        mode: 0o600,
        uid: state.uid,
        gid: state.gid,
        mtime: Some(state.mtime),
        xattrs: Vec::new(),
        flags: 0,
        project,
    })
}

fn made(dir: &Dir, plain: &Metadata) -> Tried<Regular> {
    let fresh = step(MAKE, dir.nameless_like(plain))?;
    let time = plain
        .mtime
        .unwrap_or(crate::model::Time { sec: 0, nsec: 0 });
    step(WRITE, fresh.set_metadata(plain, time))?;
    Ok(fresh)
}

fn id(file: &Regular) -> Tried<FileId> {
    Ok(step(WRITE, file.state())?.id)
}

fn exchange(base: &Dir, guest: &Dir, (put, expected): (FileId, FileId)) -> Tried<()> {
    let names = Exchange {
        staging: base,
        staged: b"staged",
        parent: guest,
        name: b"twin",
        put,
        expected,
    };
    match step(SWAP, exchange_names(&names))? {
        Exchanged::Done => Ok(()),
        _ => Err(Impossible::Untrue(
            "an exchange gives out another file than it put in",
        )),
    }
}

fn clear(rooms: &[&Dir]) -> Tried<()> {
    for room in rooms {
        for name in step(REMOVE, room.list())? {
            step(REMOVE, room.unlink(&name))?;
        }
    }
    Ok(())
}

impl std::fmt::Display for Impossible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Impossible::Step { what, error } => {
                write!(f, "this file system cannot {what}: {}", error.said())
            }
            Impossible::Untrue(what) => write!(f, "on this file system {what}"),
        }
    }
}
