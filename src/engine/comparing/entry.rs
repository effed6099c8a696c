//! One name that two guests have, or one of them: what it is, its metadata, its content.

use super::measure::Measure;
use super::packages::Packages;
use crate::model::{
    EntrySide, EntryVerdict, FileKind, FileState, GuestPath, Metadata, NameDifference, Owner,
    SideOf,
};
use crate::sys::guest::{FirstDifference, GuestFile, GuestFiles};
use crate::sys::{SysError, SysResult};

/// A guest that is compared.
pub(super) struct ComparedSide {
    pub files: Box<dyn GuestFiles>,
    pub packages: Packages,
}

/// What the walk saw of a name.
pub(super) struct SeenName {
    pub path: GuestPath,
    pub old: Option<FileState>,
    pub new: Option<FileState>,
}

/// What a name came to.
pub(super) enum NameResult {
    Same,
    MtimeOnly,
    Different(Box<NameDifference>),
}

/// Two guests, and by what they are measured.
pub(super) struct Comparison {
    pub old: ComparedSide,
    pub new: ComparedSide,
    pub measure: Measure,
}

/// Why a name could not be compared.
type WhyUnread = String;

impl Comparison {
    /// Of two guests, by what both can hold.
    pub fn of(old: ComparedSide, new: ComparedSide, mtime: bool) -> Comparison {
        let (old_holds, new_holds) = (old.files.precision(), new.files.precision());
        Comparison {
            measure: Measure::of(old_holds, new_holds, mtime),
            old,
            new,
        }
    }

    /// Compares what the walk saw. Files are opened here, and whatever cannot be read is a result of its own.
    pub fn compare(&self, seen: &SeenName) -> NameResult {
        let result = match (&seen.old, &seen.new) {
            (Some(old), Some(new)) => self.both(seen, old, new),
            (Some(old), None) => self.one(seen, SideOf::Old, old),
            (None, Some(new)) => self.one(seen, SideOf::New, new),
            (None, None) => return NameResult::Same,
        };
        result.unwrap_or_else(|why| {
            let plain = |side: &ComparedSide, state: &Option<FileState>| {
                Some(side.plain(&seen.path, (*state)?))
            };
            different(NameDifference {
                path: seen.path.clone(),
                verdict: EntryVerdict::Unknown(why),
                old: plain(&self.old, &seen.old),
                new: plain(&self.new, &seen.new),
                beneath: false,
            })
        })
    }

    fn one(
        &self,
        seen: &SeenName,
        side: SideOf,
        state: &FileState,
    ) -> Result<NameResult, WhyUnread> {
        let (old, new) = match side {
            SideOf::Old => (Some(self.old.entry(&seen.path, state)?), None),
            SideOf::New => (None, Some(self.new.entry(&seen.path, state)?)),
        };
        Ok(different(NameDifference {
            path: seen.path.clone(),
            verdict: EntryVerdict::Only(side),
            old,
            new,
            beneath: false,
        }))
    }

    fn both(
        &self,
        seen: &SeenName,
        old: &FileState,
        new: &FileState,
    ) -> Result<NameResult, WhyUnread> {
        if self.measure.on_disk && old.id == new.id && old.kind == FileKind::Regular {
            return Ok(NameResult::Same);
        }
        let path = &seen.path;
        let regular = (old.kind, new.kind) == (FileKind::Regular, FileKind::Regular);
        let (old, new, content) = if regular {
            let (old_file, new_file) = (self.old.open(path, old)?, self.new.open(path, new)?);
            let differs = contents_differ(&old_file, &new_file, old, new)?;
            let old = self.old.of_file(path, old, &old_file)?;
            (old, self.new.of_file(path, new, &new_file)?, differs)
        } else {
            let old = self.old.entry(path, old)?;
            (old, self.new.entry(path, new)?, false)
        };
        let fields = self.fields(&old, &new, content);
        let same_time = self.measure.same_time(old.state.mtime, new.state.mtime);
        let is_dated = regular && !same_time;
        Ok(match fields.as_slice() {
            [] if is_dated => NameResult::MtimeOnly,
            [] => NameResult::Same,
            _ => different(NameDifference {
                path: path.clone(),
                verdict: EntryVerdict::Differs(fields),
                old: Some(old),
                new: Some(new),
                beneath: false,
            }),
        })
    }

    /// The keys that differ; of two contents the caller knows.
    pub fn fields(&self, old: &EntrySide, new: &EntrySide, content: bool) -> Vec<&'static str> {
        let (a, b) = (&old.state, &new.state);
        if a.kind != b.kind {
            return vec!["type"];
        }
        let mut facts = vec![("content", content), ("target", old.target != new.target)];
        facts.extend(match (&old.metadata, &new.metadata) {
            (Some(old), Some(new)) => self.measure.metadata(old, new),
            // The mode of a link says nothing.
            _ => vec![
                ("mode", a.kind != FileKind::Symlink && a.mode != b.mode),
                ("uid", a.uid != b.uid),
                ("gid", a.gid != b.gid),
            ],
        });
        let is_dated = a.kind == FileKind::Regular && !self.measure.same_time(a.mtime, b.mtime);
        facts.push(("mtime", is_dated && self.measure.counts_mtime()));
        let differ = facts.into_iter().filter(|(_, differs)| *differs);
        differ.map(|(key, _)| key).collect()
    }
}

/// Content is read only where the lengths are equal.
fn contents_differ(
    old_file: &GuestFile,
    new_file: &GuestFile,
    old: &FileState,
    new: &FileState,
) -> Result<bool, WhyUnread> {
    if old.size != new.size {
        return Ok(true);
    }
    let differ = old_file.first_difference(new_file, old.size);
    Ok(differ.map_err(|e| why(&e))? != FirstDifference::None)
}

fn different(difference: NameDifference) -> NameResult {
    NameResult::Different(Box::new(difference))
}

impl ComparedSide {
    fn plain(&self, path: &GuestPath, state: FileState) -> EntrySide {
        let package = self.packages.owners.of(path.as_bytes());
        EntrySide {
            state,
            metadata: None,
            target: None,
            owner: package.map(|package| Owner {
                package: package.name.to_string(),
                version: package.version.as_deref().map(str::to_owned),
            }),
        }
    }

    /// A name, whatever it refers to.
    pub fn entry(&self, path: &GuestPath, state: &FileState) -> Result<EntrySide, WhyUnread> {
        match state.kind {
            FileKind::Regular => self.of_file(path, state, &self.open(path, state)?),
            FileKind::Symlink => Ok(EntrySide {
                target: self.target(path)?,
                ..self.plain(path, *state)
            }),
            FileKind::Directory | FileKind::Special => Ok(self.plain(path, *state)),
        }
    }

    /// What a link says. The directories that lead to it are none.
    fn target(&self, path: &GuestPath) -> Result<Option<Vec<u8>>, WhyUnread> {
        let target = self.files.link(path.relative());
        target.map_err(|error| error.to_string())
    }

    /// Opens the regular file that the walk saw.
    pub fn open(&self, path: &GuestPath, seen: &FileState) -> Result<GuestFile, WhyUnread> {
        let file = self
            .files
            .open_regular(path.relative())
            .map_err(|e| why(&e))?;
        let file = file.ok_or_else(changed)?;
        let now = file.state().map_err(|e| why(&e))?;
        match now.id == seen.id {
            true => Ok(file),
            false => Err(changed()),
        }
    }

    /// What is known of an open file, which must still be what the walk saw when all of it was read.
    pub fn of_file(
        &self,
        path: &GuestPath,
        seen: &FileState,
        file: &GuestFile,
    ) -> Result<EntrySide, WhyUnread> {
        let metadata: Metadata = file.metadata(&[]).map_err(|e| why(&e))?;
        let now = file.state().map_err(|e| why(&e))?;
        if (now.size, now.mtime, now.ctime) != (seen.size, seen.mtime, seen.ctime) {
            return Err(changed());
        }
        Ok(EntrySide {
            metadata: Some(metadata),
            ..self.plain(path, now)
        })
    }
}

/// Where two contents begin to differ, whatever their lengths: a shorter one ends there.
pub(super) fn difference_of(
    old_file: &GuestFile,
    new_file: &GuestFile,
    old: &FileState,
    new: &FileState,
) -> SysResult<FirstDifference> {
    let common = old.size.min(new.size);
    let is_known = old_file.known().is_some() || new_file.known().is_some();
    match old.size == new.size {
        true => old_file.first_difference(new_file, common),
        false if is_known => Ok(FirstDifference::Somewhere),
        false => Ok(match old_file.first_difference(new_file, common)? {
            FirstDifference::None => FirstDifference::At(common),
            differ => differ,
        }),
    }
}

fn changed() -> WhyUnread {
    "it changed while it was read".to_owned()
}

/// An error in few words: the path stands beside it.
fn why(error: &SysError) -> WhyUnread {
    error.to_string()
}
