//! One file: its bytes, by sharing its blocks or by copying them, and all its metadata.

use std::io::ErrorKind;

use crate::model::{Blocks, FileState, Metadata, Moved, Time};
use crate::rules::precondition::metadata_differs;
use crate::sys::guest::{is_append_only, without_append_only};
use crate::sys::{Dir, Meaning, Regular, SysResult};

/// How often a file that changes is copied.
const TRIES: usize = 3;

/// How files are copied to one place.
pub(super) struct Contents {
    blocks: Blocks,
    /// The project of all that is made there, where that place hands one down.
    pub project: Option<u32>,
    /// Files whose blocks were shared.
    pub reflinked: u64,
}

/// A copy that has no name yet.
pub(super) struct CopyOfFile {
    pub file: Regular,
    /// What of the metadata it has not, where that makes it another file.
    pub lost: Option<String>,
    /// The file system does not keep all of the rest.
    pub not_kept: bool,
    pub was_immutable: bool,
    pub append_only: bool,
    /// The source changed under us, again and again.
    pub changed: bool,
}

impl Contents {
    pub fn at(place: &Dir, blocks: Blocks) -> SysResult<Contents> {
        let (project, inherits) = place.project().unwrap_or_default();
        Ok(Contents {
            blocks,
            project: inherits.then_some(project),
            reflinked: 0,
        })
    }

    /// A copy of `source`, with the state that it had when it was opened, and a time of its own where that is known.
    /// One that changes meanwhile is copied anew.
    pub fn copy(
        &mut self,
        dir: &Dir,
        source: &Regular,
        mut state: FileState,
        time: Option<Time>,
    ) -> SysResult<CopyOfFile> {
        for _ in 1..TRIES {
            let made = self.once(dir, source, &state, time.unwrap_or(state.mtime));
            let now = source.state()?;
            match made {
                Ok(made) if is_same(&state, &now) => return Ok(made),
                // It ended before its end.
                Err(error) if error.source.kind() != ErrorKind::UnexpectedEof => return Err(error),
                _ => state = now,
            }
        }
        let made = self.once(dir, source, &state, time.unwrap_or(state.mtime))?;
        Ok(CopyOfFile {
            changed: !is_same(&state, &source.state()?),
            ..made
        })
    }

    /// The same, whatever becomes of the source meanwhile.
    pub fn once(
        &mut self,
        dir: &Dir,
        source: &Regular,
        state: &FileState,
        mtime: Time,
    ) -> SysResult<CopyOfFile> {
        let flags = source.flags()?;
        let mut like = source.metadata_of(state, flags, &[])?;
        like.mtime = Some(mtime);
        like.project = self.project.unwrap_or(like.project);
        let append_only = is_append_only(&like);
        let like = without_append_only(like);
        let file = fresh(dir, &like)?;
        self.fill(&file, source, state.size)?;
        file.set_metadata(&like, mtime)?;
        let lacks = metadata_differs(&like, &file.metadata(&[])?, &[]);
        let (minor, lost): (Vec<Moved>, Vec<Moved>) = lacks.into_iter().partition(is_minor);
        let words: Vec<String> = lost.iter().map(ToString::to_string).collect();
        Ok(CopyOfFile {
            file,
            lost: (!words.is_empty()).then(|| words.join(", ")),
            not_kept: !minor.is_empty(),
            was_immutable: Regular::means_immutable(flags),
            append_only,
            changed: false,
        })
    }

    fn fill(&mut self, file: &Regular, source: &Regular, size: u64) -> SysResult<()> {
        if size == 0 {
            return Ok(());
        }
        if self.blocks == Blocks::Shared && source.reflink_into(file)? {
            self.reflinked += 1;
            return Ok(());
        }
        source.copy_data_into(file, size)
    }
}

/// A file that has what this place can give of inode flags and project.
fn fresh(dir: &Dir, like: &Metadata) -> SysResult<Regular> {
    let flagless = Metadata {
        flags: 0,
        ..like.clone()
    };
    let plain = Metadata {
        project: 0,
        ..flagless.clone()
    };
    for wanted in [like, &flagless] {
        match dir.nameless_like(wanted) {
            Err(error) if matches!(error.meaning(), Meaning::Unsupported | Meaning::Denied) => {}
            other => return other,
        }
    }
    dir.nameless_like(&plain)
}

/// What another file system may not have, and what makes no other file of it.
fn is_minor(moved: &Moved) -> bool {
    matches!(moved, Moved::Flags | Moved::Project | Moved::Mtime)
}

/// Nothing that a writer can do leaves all of these as they were.
fn is_same(one: &FileState, other: &FileState) -> bool {
    (one.size, one.mtime, one.ctime) == (other.size, other.mtime, other.ctime)
}
