//! Reading: what a file that may have twins holds. Each is opened once, held against what the walk saw before and
//! after, and read no further than needed.

use super::survey::Survey;
use crate::model::{
    Before, Digest, FileState, Fingerprint, Ignored, Metadata, MetadataDigest, SkipReason,
};
use crate::rules::care::Care;
use crate::rules::inode_flags::{foreign_flags, names};
use crate::rules::precondition::moved;
use crate::sys::hash::{fingerprint, metadata_digest, sha256};
use crate::sys::{Meaning, PageCache, Regular, SysError};

/// The part of a file that tells most files apart.
pub(super) const BEGINNING: usize = 4096;

/// Is the beginning of such a file all of it?
pub(super) fn begins_whole(size: u64) -> bool {
    size <= BEGINNING as u64
}

/// Inode flags and project of a file that has no extended attributes.
pub(super) type Plain = Option<(u32, u32)>;

/// What the metadata of a file told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probed {
    pub metadata: MetadataDigest,
    /// Is its project that of the base?
    pub plain_project: bool,
    pub plain: Plain,
}

impl Probed {
    pub fn of(metadata: &Metadata) -> Probed {
        let plain = (metadata.flags, metadata.project);
        Probed {
            metadata: metadata_digest(metadata),
            plain_project: metadata.project == 0,
            plain: metadata.xattrs.is_empty().then_some(plain),
        }
    }
}

/// Why a file drops out while it is looked at.
#[derive(Debug, Clone)]
pub(super) struct Dropped {
    pub reason: SkipReason,
    pub note: Option<String>,
}

/// A file that is open, and what its metadata told.
pub(super) struct Opened {
    file: Regular,
    pub probed: Probed,
}

impl Opened {
    /// Opens a file by its first name, if it is what the walk saw, and reads its metadata.
    pub fn look(
        survey: &Survey,
        file: usize,
        care: &Care,
        ignore: &[Ignored],
        cache: PageCache,
    ) -> Result<Opened, Dropped> {
        let seen = survey.scan.tree.state(file);
        let (open, state) = open(survey, file)?;
        same(&seen, &state)?;
        let flags = open.flags().map_err(|e| dropped(&e))?;
        let metadata = open
            .metadata_of(&state, flags, ignore)
            .map_err(|e| dropped(&e))?;
        judge_flags(metadata.flags, Regular::means_immutable(flags))?;
        if let Some(verdict) = care.xattrs(&metadata.xattrs) {
            return Err(Dropped {
                reason: verdict.reason,
                note: Some(verdict.rule.to_owned()),
            });
        }
        Ok(Opened {
            file: open.passing(seen.size, cache),
            probed: Probed::of(&metadata),
        })
    }

    /// Its extents, where the file system tells; asked only where there can be several.
    pub fn extents(&self, seen: &FileState) -> Option<u32> {
        if seen.blocks > 8 {
            self.file.extents()
        } else {
            Some(1)
        }
    }

    /// It will be read soon.
    pub fn expect_soon(&self, size: u64) {
        self.file.expect_soon(size);
    }

    /// Bytes that are read at once from `at` on, where `usual` would be.
    pub fn stride(&self, at: u64, usual: usize) -> usize {
        self.file.stride(at, usual)
    }

    /// Exactly `buffer.len()` bytes at `at`.
    pub fn piece(&self, at: u64, buffer: &mut [u8]) -> Result<(), Dropped> {
        self.file.piece(at, buffer).map_err(|e| dropped(&e))
    }

    /// The fast hash of the beginning.
    pub fn fingerprint(&self, size: u64) -> Result<Fingerprint, Dropped> {
        beginning(&self.file, size)
    }

    /// The fast hash of the beginning, and the digest of the whole content: of one reading where the beginning is all.
    pub fn hashes(&self, size: u64) -> Result<(Fingerprint, Digest), Dropped> {
        let first = self.file.beginning(size, BEGINNING);
        let first = first.map_err(|e| dropped(&e))?;
        let content = if begins_whole(size) {
            sha256(&first)
        } else {
            self.file.expect_sequential();
            self.file.digest(size).map_err(|e| dropped(&e))?
        };
        Ok((fingerprint(&first), content))
    }

    /// The file must still be what the walk saw, after it was read.
    pub fn unchanged(&self, survey: &Survey, file: usize) -> Result<(), Dropped> {
        let now = self.file.state().map_err(|e| dropped(&e))?;
        same(&survey.scan.tree.state(file), &now)
    }
}

/// The fast hash of a file's beginning, whatever its metadata are.
pub(super) fn peek(survey: &Survey, file: usize, cache: PageCache) -> Result<Fingerprint, Dropped> {
    let seen = survey.scan.tree.state(file);
    let (open, state) = open(survey, file)?;
    same(&seen, &state)?;
    beginning(&open.passing(seen.size, cache), seen.size)
}

/// Where a file begins on its disk, as far as that can be known.
pub(super) fn place(survey: &Survey, file: usize) -> Option<u64> {
    let (open, _) = open(survey, file).ok()?;
    open.place()
}

fn beginning(file: &Regular, size: u64) -> Result<Fingerprint, Dropped> {
    let beginning = file.beginning(size, BEGINNING);
    Ok(fingerprint(&beginning.map_err(|e| dropped(&e))?))
}

fn judge_flags(flags: u32, immutable: bool) -> Result<(), Dropped> {
    let foreign = foreign_flags(flags);
    let note = match (immutable, foreign) {
        (false, 0) => return Ok(()),
        (true, _) => "immutable".to_owned(),
        (false, foreign) => names(foreign),
    };
    Err(Dropped {
        reason: SkipReason::InodeFlags,
        note: Some(note),
    })
}

fn open(survey: &Survey, file: usize) -> Result<(Regular, FileState), Dropped> {
    let tree = &survey.scan.tree;
    let name = tree.names_of(file).next().unwrap_or(0);
    let path = tree.path(name);
    let opened = survey.view.open_regular(&path[1..]);
    opened.map_err(|e| dropped(&e))?.ok_or(CHANGED)
}

fn same(seen: &FileState, now: &FileState) -> Result<(), Dropped> {
    let same = moved(&Before::from(seen), now).is_empty();
    if same { Ok(()) } else { Err(CHANGED) }
}

const CHANGED: Dropped = Dropped {
    reason: SkipReason::ChangedWhileReading,
    note: None,
};

fn dropped(error: &SysError) -> Dropped {
    match error.meaning() {
        Meaning::Gone | Meaning::PathChanged => CHANGED,
        Meaning::Busy => Dropped {
            reason: SkipReason::ChangedWhileReading,
            note: Some("somebody holds a lease on it".into()),
        },
        _ => Dropped {
            reason: SkipReason::Unreadable,
            note: Some(error.to_string()),
        },
    }
}
