//! Is a shared inode, now that it is protected and nobody can begin to write to it, what it should be?
//!
//! What this rests on is said in `exchange/proof.rs`, which proves the objects of a batch; healing and `gc` prove what
//! they lifted.

use std::collections::BTreeSet;

use crate::base::Base;
use crate::model::{Digest, FileState, Ignored, Metadata, Moved, ObjectId};
use crate::protect::{self, FlagTest};
use crate::sys::hash::is_digest_of;
use crate::sys::{Leased, Meaning, Regular, SysResult};

/// What is wrong with an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Flaw {
    /// What differs.
    pub fields: Vec<Moved>,
    /// A process is left that had it open for writing before its flag was on.
    pub has_writer: bool,
}

/// An object that is not what it was, and files that were equal to it before.
#[derive(Debug)]
pub(super) struct SpoiledObject {
    pub id: ObjectId,
    pub flaw: Flaw,
    pub sources: Vec<Regular>,
}

/// What is wrong with the object; `differs` says it of all but the content, which is read only where nothing else is
/// wrong.
pub(super) fn flaw_of(
    file: &Regular,
    content: Digest,
    differs: impl Fn(&FileState, &Metadata) -> Vec<Moved>,
) -> SysResult<Option<Flaw>> {
    let lease = new_lease(file)?;
    let now = file.state()?;
    let mut fields = differs(&now, &file.metadata_of(&now, file.flags()?, &[])?);
    if fields.is_empty() && file.digest(now.size)? != content {
        fields.push(Moved::Content);
    }
    let stands = lease.map_or(Ok(false), |lease| lease.stands())?;
    let has_writer = !stands;
    let flaw = Flaw { fields, has_writer };
    Ok(Some(flaw).filter(|flaw| flaw.has_writer || !flaw.fields.is_empty()))
}

/// A lease that is granted now, on a descriptor of its own: one that is held already would say nothing new. `None`
/// where a process can write to the file, or waits to.
pub(super) fn new_lease(file: &Regular) -> SysResult<Option<Leased>> {
    match file.reopen() {
        Ok(anew) => Ok(Leased::take(anew)?.ok()),
        Err(error) if error.meaning() == Meaning::Busy => Ok(None),
        Err(error) => Err(error),
    }
}

/// Holes that are read in a moment, even of all objects of a batch.
const READABLE_HOLES: u64 = 256 << 20;

/// Those of the objects that are not what their names say, or that a process may still write to, or that have more
/// holes than there is time to read. Every guest that refers to them has what was written to them.
pub(super) fn flawed(
    base: &Base,
    objects: impl IntoIterator<Item = ObjectId>,
) -> SysResult<Vec<(ObjectId, Flaw)>> {
    let mut found = Vec::new();
    for id in objects.into_iter().collect::<BTreeSet<ObjectId>>() {
        let Some(file) = base.object(&id)? else {
            continue;
        };
        let flaw = flaw_of(&file, id.content, |state, metadata| {
            let fits = is_readable(state, None) && has_metadata(metadata, &id);
            if fits {
                Vec::new()
            } else {
                vec![Moved::Xattrs]
            }
        })?;
        // What holds against every writer makes one who is left harmless.
        let harms = |flaw: &Flaw| SysResult::Ok(!flaw.fields.is_empty() || !keeps_all_out(base)?);
        if let Some(flaw) = flaw
            && harms(&flaw)?
        {
            found.push((id, flaw));
        }
    }
    Ok(found)
}

/// The same, of which no equal file is known.
pub(super) fn spoiled(
    base: &Base,
    objects: impl IntoIterator<Item = ObjectId>,
) -> SysResult<Vec<SpoiledObject>> {
    let spoiled = |(id, flaw)| SpoiledObject {
        id,
        flaw,
        sources: Vec::new(),
    };
    Ok(flawed(base, objects)?.into_iter().map(spoiled).collect())
}

/// Does the flag of this file system stop a process that had the file open before?
pub(super) fn keeps_all_out(base: &Base) -> SysResult<bool> {
    Ok(protect::setting(None).test(base.staging())? == FlagTest::Holds)
}

/// Is it what the object's name says? `size` is that of a file which was equal, where there is one: a guest can make
/// a file longer by holes than there is time to read.
pub(super) fn is_intact(file: &Regular, size: Option<u64>, id: &ObjectId) -> SysResult<bool> {
    let state = file.state()?;
    let metadata = file.metadata_of(&state, file.flags()?, &[])?;
    let fits = is_readable(&state, size) && has_metadata(&metadata, id);
    Ok(fits && file.digest(state.size)? == id.content)
}

fn is_readable(state: &FileState, size: Option<u64>) -> bool {
    Some(state.size) == size || state.holes() <= READABLE_HOLES
}

/// With its time or without, as the policy may have been.
pub(super) fn has_metadata(metadata: &Metadata, id: &ObjectId) -> bool {
    let untimed = metadata.without(&[Ignored::Mtime]);
    [metadata, &untimed]
        .iter()
        .any(|metadata| is_digest_of(&id.metadata, metadata))
}
