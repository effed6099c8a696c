//! How an object comes to be: a fresh private copy, or the inode of a stopped guest's file.
//!
//! Either way it is complete before it has a name in the base, its content is proven by reading *it* and not the
//! guest's file, and the caller syncs before any guest name refers to it.

use super::Base;
use crate::model::{Digest, Ignored, Metadata, Moved, ObjectId};
use crate::sys::hash::is_digest_of;
use crate::sys::{Regular, SysError};

/// Why no object could be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The machine said no.
    #[error(transparent)]
    Sys(#[from] SysError),
    /// The file does not have the content or metadata that the object's name says.
    #[error("the file differs from what the object's name says")]
    Differs(Vec<Moved>),
    /// The copy could not be given the metadata of the file: the file system keeps other ones.
    #[error("the copy does not keep the file's {}", list(.0))]
    NotKept(Vec<Moved>),
}

fn list(moved: &[Moved]) -> String {
    moved
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Makes the object `id` from a private copy of `source`. Not durable until the caller syncs.
///
/// An object of that name that is there already is left as it is and returned: the caller compares with it.
pub fn copy(
    base: &Base,
    source: &Regular,
    id: &ObjectId,
    ignore: &[Ignored],
) -> Result<Regular, MakeError> {
    if let Some(present) = base.object(id)? {
        return Ok(present);
    }
    let state = source.state()?;
    let metadata = source.metadata(ignore)?;
    check(id, &metadata, id.content)?;
    let fresh = base.dir().nameless_like(&metadata)?;
    let digest = source.copy_into(&fresh, state.size)?;
    check(id, &metadata, digest)?;
    fresh.set_metadata(&metadata, state.mtime)?;
    let kept = metadata.differs(&fresh.metadata(ignore)?, ignore);
    if !kept.is_empty() {
        return Err(MakeError::NotKept(kept));
    }
    base.add_object(&fresh, id)?;
    reopen(base, id)
}

/// Proves that a guest's file may be the object `id` by its own inode. The caller has seen that its guest is quiet,
/// holds the lease and knows all its names; it names and flags it before another guest's name refers to it.
pub fn prove(
    file: &Regular,
    size: u64,
    metadata: &Metadata,
    id: &ObjectId,
) -> Result<(), MakeError> {
    check(id, metadata, file.digest(size)?)
}

/// Checks what an object's name says against what is there.
fn check(id: &ObjectId, metadata: &Metadata, content: Digest) -> Result<(), MakeError> {
    let mut wrong = Vec::new();
    if content != id.content {
        wrong.push(Moved::Content);
    }
    if !is_digest_of(&id.metadata, metadata) {
        wrong.push(Moved::Metadata);
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(MakeError::Differs(wrong))
    }
}

/// Opens it read-only, so that no descriptor of ours blocks a lease or outlives the flag as a writer.
fn reopen(base: &Base, id: &ObjectId) -> Result<Regular, MakeError> {
    let missing = || {
        SysError::new(
            "open",
            base.path().join(id.file_name()),
            std::io::Error::from(std::io::ErrorKind::NotFound),
        )
    };
    Ok(base.object(id)?.ok_or_else(missing)?)
}
