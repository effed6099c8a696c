//! Is a shared inode, now that it is protected and nobody can begin to write to it, what it should be?
//!
//! What this rests on is said in `exchange/proof.rs`, which proves the objects of a batch; healing and `gc` prove what
//! they lifted.

use std::collections::BTreeSet;

use crate::base::Base;
use crate::engine::protection;
use crate::model::{Before, Digest, FileState, Ignored, Metadata, Moved, ObjectId};
use crate::protect::FlagTest;
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
            match is_readable(state, None) {
                true => differing(metadata, &id, None),
                false => vec![Moved::Size],
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
    Ok(protection::of(base)?.test(base.staging())? == FlagTest::Holds)
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

/// Which metadata are not those of the object's name; none where all are. The name holds a digest, which does not say:
/// so a field is named only where another value of it gives the digest. What a paper says that they were is tried
/// first; and without one, what files usually have. Else it is only known that some metadata differ.
pub(super) fn differing(now: &Metadata, id: &ObjectId, told: Option<&Before>) -> Vec<Moved> {
    if has_metadata(now, id) {
        return Vec::new();
    }
    let was = told.map_or_else(|| now.clone(), |told| as_told(now, told));
    let usual = match told {
        Some(_) => Vec::new(),
        None => usual(now),
    };
    let mut all = hidden(&was).into_iter().chain(usual);
    let known = all.find(|was| has_metadata(was, id));
    match known.map(|was| (is_timed(&was, id), was)) {
        Some((true, was)) => now.differs(&was, &[]),
        Some((false, was)) => now.differs(&was, &[Ignored::Mtime]),
        None => vec![Moved::Metadata],
    }
}

/// What `stat` said then.
fn as_told(now: &Metadata, told: &Before) -> Metadata {
    Metadata {
        mode: told.mode,
        uid: told.uid,
        gid: told.gid,
        mtime: now.mtime.map(|_| told.mtime),
        ..now.clone()
    }
}

/// The same, and as it was without what `stat` does not say.
fn hidden(was: &Metadata) -> Vec<Metadata> {
    let without = |bits: u32| Metadata {
        xattrs: if bits & 1 == 0 {
            was.xattrs.clone()
        } else {
            Vec::new()
        },
        flags: if bits & 2 == 0 { was.flags } else { 0 },
        project: if bits & 4 == 0 { was.project } else { 0 },
        ..was.clone()
    };
    (0..8).map(without).collect()
}

/// Any other permissions, or the owner that most files have.
fn usual(now: &Metadata) -> Vec<Metadata> {
    let (special, owners) = (now.mode & !0o777, [(0, now.gid), (now.uid, 0), (0, 0)]);
    let modes = (0..=0o777).map(|mode| Metadata {
        mode: special | mode,
        ..now.clone()
    });
    let owners = owners.map(|(uid, gid)| Metadata {
        uid,
        gid,
        ..now.clone()
    });
    modes.chain(owners).collect()
}

/// Was the object made with the time of its files, which this is?
pub(super) fn is_timed(metadata: &Metadata, id: &ObjectId) -> bool {
    metadata.mtime.is_some() && is_digest_of(&id.metadata, metadata)
}

/// With its time or without, as the policy may have been.
pub(super) fn has_metadata(metadata: &Metadata, id: &ObjectId) -> bool {
    let untimed = metadata.without(&[Ignored::Mtime]);
    [metadata, &untimed]
        .iter()
        .any(|metadata| is_digest_of(&id.metadata, metadata))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FileId, FileKind, Time, Xattr};
    use crate::sys::hash::metadata_digest;

    fn metadata() -> Metadata {
        Metadata {
            mode: 0o644,
            uid: 1000,
            gid: 1000,
            mtime: Some(Time { sec: 5, nsec: 6 }),
            xattrs: Vec::new(),
            flags: 0,
            project: 0,
        }
    }

    fn id(of: &Metadata) -> ObjectId {
        ObjectId {
            content: Digest([0; 32]),
            metadata: metadata_digest(of),
            generation: 0,
        }
    }

    /// What a plan says of the file that an object was made from.
    fn told() -> Before {
        Before::from(&FileState {
            kind: FileKind::Regular,
            id: FileId { dev: 1, ino: 2 },
            nlink: 1,
            mode: 0o644,
            uid: 1000,
            gid: 1000,
            size: 1,
            blocks: 8,
            mtime: Time { sec: 5, nsec: 6 },
            ctime: Time { sec: 9, nsec: 9 },
        })
    }

    fn attribute() -> Vec<Xattr> {
        vec![Xattr {
            name: b"user.a".to_vec(),
            value: b"b".to_vec(),
        }]
    }

    #[test]
    fn a_field_is_named_where_its_old_value_is_proven() {
        type Change = fn(&mut Metadata);
        let cases: [(Change, &[Moved], &[Moved]); 8] = [
            (|_| (), &[], &[]),
            (|m| m.mode = 0o600, &[Moved::Mode], &[Moved::Mode]),
            (|m| m.uid = 7, &[Moved::Uid], &[Moved::Metadata]),
            (
                |m| m.mtime = Some(Time { sec: 5, nsec: 7 }),
                &[Moved::Mtime],
                &[Moved::Metadata],
            ),
            (
                |m| m.xattrs = attribute(),
                &[Moved::Xattrs],
                &[Moved::Xattrs],
            ),
            (|m| m.flags = 0x40, &[Moved::Flags], &[Moved::Flags]),
            (|m| m.project = 3, &[Moved::Project], &[Moved::Project]),
            (
                |m| (m.gid, m.xattrs) = (7, attribute()),
                &[Moved::Gid, Moved::Xattrs],
                &[Moved::Metadata],
            ),
        ];
        for (change, with_paper, without) in cases {
            let mut now = metadata();
            change(&mut now);
            assert_eq!(differing(&now, &id(&metadata()), Some(&told())), with_paper);
            assert_eq!(differing(&now, &id(&metadata()), None), without);
        }
    }

    #[test]
    fn what_is_gone_or_has_another_time_is_not_guessed() {
        let with = Metadata {
            xattrs: attribute(),
            ..metadata()
        };
        assert_eq!(
            differing(&metadata(), &id(&with), Some(&told())),
            [Moved::Metadata]
        );
        let untimed = metadata().without(&[Ignored::Mtime]);
        let now = Metadata {
            mode: 0o600,
            mtime: Some(Time { sec: 8, nsec: 0 }),
            ..metadata()
        };
        assert_eq!(differing(&now, &id(&untimed), Some(&told())), [Moved::Mode]);
        assert_eq!(differing(&now, &id(&untimed), None), [Moved::Mode]);
    }
}
