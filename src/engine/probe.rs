//! Reading: what a file that may have twins holds. Each is opened once, held against what the walk saw before and
//! after, and read no further than needed: a large file's beginning first, the rest only if that has a twin.

use super::survey::Survey;
use crate::model::{Before, Digest, Fingerprint, Ignored, MetadataDigest, SkipReason};
use crate::rules::care::Care;
use crate::rules::inode_flags::{foreign_flags, names};
use crate::rules::precondition::moved;
use crate::sys::hash::{fingerprint, metadata_digest, sha256};
use crate::sys::{Meaning, Regular, SysError};

/// Up to here a file is read whole at once.
const BEGINNING: usize = 64 * 1024;

/// What one look into a file told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probed {
    pub metadata: MetadataDigest,
    pub content: Content,
    pub extents: Option<u32>,
    /// Is its project that of the base?
    pub plain_project: bool,
}

/// How much of the content is known. The order only makes sorting possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Content {
    /// All of it.
    Whole(Digest),
    /// Its beginning; more only if that has a twin.
    Beginning(Fingerprint),
}

/// Why a file drops out while it is looked at.
#[derive(Debug, Clone)]
pub(super) struct Dropped {
    pub reason: SkipReason,
    pub note: Option<String>,
}

/// Opens a file by its first name and reads its metadata and its beginning.
pub(super) fn first_look(
    survey: &Survey,
    file: usize,
    care: &Care,
    ignore: &[Ignored],
) -> Result<Probed, Dropped> {
    let seen = survey.scan.tree.state(file);
    let open = open(survey, file)?;
    let metadata = open.metadata(ignore).map_err(|e| dropped(&e))?;
    let flags = foreign_flags(metadata.flags);
    let immutable = open.is_immutable().map_err(|e| dropped(&e))?;
    if flags != 0 || immutable {
        let note = if immutable {
            "immutable".to_owned()
        } else {
            names(flags)
        };
        return Err(Dropped {
            reason: SkipReason::InodeFlags,
            note: Some(note),
        });
    }
    if let Some(verdict) = care.xattrs(&metadata.xattrs) {
        return Err(Dropped {
            reason: verdict.reason,
            note: Some(verdict.rule.to_owned()),
        });
    }
    let beginning = open
        .beginning(seen.size, BEGINNING)
        .map_err(|e| dropped(&e))?;
    let whole = seen.size <= BEGINNING as u64;
    let content = if whole {
        Content::Whole(sha256(&beginning))
    } else {
        Content::Beginning(fingerprint(&beginning))
    };
    let extents = if seen.blocks > 8 {
        open.extents()
    } else {
        Some(1)
    };
    unchanged(survey, file, &open)?;
    Ok(Probed {
        metadata: metadata_digest(&metadata),
        content,
        extents,
        plain_project: metadata.project == 0,
    })
}

/// Reads a large file to its end.
pub(super) fn whole(survey: &Survey, file: usize) -> Result<Digest, Dropped> {
    let open = open(survey, file)?;
    open.expect_sequential();
    let digest = open
        .digest(survey.scan.tree.state(file).size)
        .map_err(|e| dropped(&e))?;
    unchanged(survey, file, &open)?;
    Ok(digest)
}

fn open(survey: &Survey, file: usize) -> Result<Regular, Dropped> {
    let tree = &survey.scan.tree;
    let name = tree.names_of(file).next().unwrap_or(0);
    let path = tree.path(name);
    let opened = survey
        .view
        .dir()
        .open_regular(&path[1..])
        .map_err(|e| dropped(&e))?;
    let open = opened.ok_or(CHANGED)?;
    unchanged(survey, file, &open)?;
    Ok(open)
}

/// The file must be what the walk saw, before and after it was read.
fn unchanged(survey: &Survey, file: usize, open: &Regular) -> Result<(), Dropped> {
    let now = open.state().map_err(|e| dropped(&e))?;
    let same = moved(&Before::from(survey.scan.tree.state(file)), &now).is_empty();
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
