//! What a batch proves when nobody can begin to write any more, before it drops anything.
//!
//! A lease that is held the whole time does not show that a file stayed as it was: `open(O_RDONLY|O_TRUNC)` breaks no
//! read lease, and neither does `chmod`; and where the file system looks at the immutable flag only when a file is
//! opened (XFS, btrfs), what was open before goes on. So nothing is concluded from what was looked at while an inode
//! was open to others. Each shared inode that this batch lifted, made or adopted is looked at under its flag:
//!
//! | proven | rests on |
//! | --- | --- |
//! | nobody is left who can write | a lease on a new descriptor. The kernel refuses it while any descriptor or mapping can write, while an open for writing waits for another lease, and while a truncation is under way (`fcntl(2)`, `generic_add_lease`) |
//! | the content is the object's | its digest, read under that lease |
//! | so is all metadata | it is compared with what was read before the flag came off, and with the object's name |
//! | no name was added | the link count is what it was, and what the batch added or took |
//!
//! The same is proven of a file that came out, once no name of a guest refers to it: a new lease, its metadata, and
//! its content against the object's, which is under its flag.
//!
//! A truncation that was allowed before the flag and has not begun yet holds nothing that a lease could meet. ext4
//! asks the flag again when it begins; XFS and btrfs do not, so `auto` takes no flag there. Objects are looked at once
//! more when everything is on disk, by their change time, which nobody can set: that finds it late, but while the
//! files that came out are still there.
//!
//! An object that is not proven is spoiled. It spreads no further: what this batch gave it is rolled back. Its other
//! holders are the business of `parting`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::job::{Fate, Flagged, Job, LeaseBy};
use super::makers::{how_its_maker_ended, makers};
use super::names::FileChange;
use super::shared_inode::{Proofs, SharedInode};
use super::{Batch, FlagOrder};
use crate::engine::in_parallel;
use crate::engine::proof::{Flaw, SpoiledObject, keeps_all_out};
use crate::model::{Before, Digest, Moved, ObjectId, Refusal};
use crate::rules::precondition::moved;
use crate::sys::{Regular, SysResult};

/// Copies of one spoiled object that are looked at: any of them may be spoiled as well.
const SOURCES: usize = 16;

/// What a flaw comes to.
struct Verdict {
    /// What the batch's own names of the object are told.
    why: Refusal,
    /// Where its holders have to be parted.
    spoiled: Option<Flaw>,
}

impl Batch<'_, '_> {
    /// All objects that this batch lifts, makes or adopts; called before the first flag comes off.
    pub(super) fn shared_inodes(
        &self,
        jobs: &[Job],
        flags: &[&Flagged],
    ) -> SysResult<Vec<SharedInode>> {
        let (makers, wanted) = (makers(jobs), flags.iter().map(|flag| flag.id));
        let wanted: HashSet<ObjectId> = wanted.collect();
        let flags = flags.iter().filter(|flag| flag.lease != LeaseBy::Nobody);
        let mut files: BTreeMap<ObjectId, (&Arc<Regular>, Digest)> = flags
            .map(|flag| (flag.id, (&flag.file, flag.content)))
            .collect();
        if self.order == FlagOrder::FlagThenDrop {
            let new = jobs.iter().filter_map(|job| Some((job, job.new.as_ref()?)));
            files.extend(new.map(|(job, new)| (job.object, (&new.file, job.object.content))));
        }
        let files: Vec<_> = files.into_iter().collect();
        let read = |(id, (file, content)): &(ObjectId, (&Arc<Regular>, Digest))| {
            let mut before = file.state()?;
            if let Some(job) = makers.get(id).and_then(|all| jobs.get(*all.first()?)) {
                // Whoever has given it one more name since, it is one too many.
                before.nlink = job.state.nlink.saturating_add(1);
            }
            Ok(SharedInode {
                id: *id,
                must_be_protected: wanted.contains(id),
                content: *content,
                metadata: file.metadata_of(&before, file.flags()?, &[])?,
                before,
                file: Arc::clone(file),
            })
        };
        in_parallel::each(&files, read).into_iter().collect()
    }

    /// Proves all objects under their flags. What is not proven gets no name by this batch.
    pub(super) fn prove_objects(
        &self,
        shared: &[SharedInode],
        jobs: &[Job],
        changes: &mut [FileChange],
    ) -> SysResult<Proofs> {
        let makers = makers(jobs);
        let unmade = |id: &ObjectId| how_its_maker_ended(id, &makers, changes).is_some();
        let due: Vec<&SharedInode> = shared.iter().filter(|one| !unmade(&one.id)).collect();
        let added = self.names_added(jobs, changes);
        let names_stay = self.order == FlagOrder::DropThenFlag;
        let looks = in_parallel::each(&due, |one| match names_stay && !one.is_shared()? {
            // Nobody shares it any more, whatever it is.
            true => Ok(None),
            false => one
                .look(!names_stay, *added.get(&one.id).unwrap_or(&0))
                .map(Some),
        });
        let mut proven = Proofs::default();
        for (one, look) in due.into_iter().zip(looks) {
            match look? {
                None => {}
                // What nobody protects its guests may change from here on.
                Some((now, None)) if one.is_protected()? => {
                    proven.sound.push((one.id, Arc::clone(&one.file), now));
                }
                // Another base that had it too has lifted the flag for its own name.
                Some((_, None)) if one.must_be_protected && makers.contains_key(&one.id) => {
                    let fields = vec![Moved::Flags];
                    let why = Fate::Refused(Refusal::Changed { fields });
                    self.roll_back_all(&one.id, jobs, changes, &why)?;
                }
                Some((_, None)) => {}
                Some((now, Some(flaw))) => {
                    let verdict = self.verdict(one, flaw, u64::from(now.nlink), &makers)?;
                    // An undo has given its names back by now, and they are as good as they were.
                    if !names_stay {
                        let why = Fate::Refused(verdict.why);
                        self.roll_back_all(&one.id, jobs, changes, &why)?;
                    }
                    if let Some(flaw) = verdict.spoiled {
                        let (id, sources) = (one.id, sources(&one.id, jobs)?);
                        proven.spoiled.push(SpoiledObject { id, flaw, sources });
                    }
                }
            }
        }
        Ok(proven)
    }

    /// What a flaw comes to. A further name alone is no change: the object is what it was, under its flag, and gets no
    /// names from here on. A writer who is left can do nothing where the flag holds against him, and may do all where
    /// somebody wanted no flag. And an inode that was to be adopted stays its guest's, whoever has changed it there.
    fn verdict(
        &self,
        one: &SharedInode,
        flaw: Flaw,
        nlink: u64,
        makers: &HashMap<ObjectId, Vec<usize>>,
    ) -> SysResult<Verdict> {
        let refused = |why| Verdict { why, spoiled: None };
        if makers.contains_key(&one.id) && !flaw.fields.is_empty() {
            let fields = flaw.fields;
            return Ok(refused(Refusal::Changed { fields }));
        }
        let is_left = flaw.has_writer && one.is_protected()? && !keeps_all_out(self.base)?;
        if flaw.fields.iter().any(|field| *field != Moved::Nlink)
            || is_left && !makers.contains_key(&one.id)
        {
            let (why, spoiled) = (Refusal::DamagedObject {}, Some(flaw));
            return Ok(Verdict { why, spoiled });
        }
        Ok(refused(match flaw.has_writer {
            true => Refusal::OpenForWriting {},
            false => Refusal::HolderUnknown {
                names: nlink.saturating_sub(u64::from(one.before.nlink)),
            },
        }))
    }

    /// How many names the batch has given each object by now.
    fn names_added(&self, jobs: &[Job], changes: &[FileChange]) -> HashMap<ObjectId, u64> {
        let mut added = HashMap::new();
        let done = jobs.iter().zip(changes).filter(|(job, change)| {
            self.order == FlagOrder::FlagThenDrop && job.new.is_some() && change.fate.is_done()
        });
        for (job, change) in done {
            *added.entry(job.object).or_default() += change.names.len() as u64;
        }
        added
    }

    /// Looks once more at what was proven, now that all is on disk: see the head of this file. What came out for such
    /// an object is kept.
    pub(super) fn look_late(
        &self,
        proven: &mut Proofs,
        jobs: &[Job],
        changes: &mut [FileChange],
    ) -> SysResult<()> {
        if self.protection.stays_on() {
            // Nothing was off, and what guests that run do to their names shows in the times of the inode.
            return Ok(());
        }
        let sound = std::mem::take(&mut proven.sound);
        let now = in_parallel::each(&sound, |(_, file, _)| file.state());
        for ((id, _, then), now) in sound.into_iter().zip(now) {
            let fields = moved(&Before::from(&then), &now?);
            if fields.is_empty() {
                continue;
            }
            let has_writer = false;
            let (flaw, sources) = (Flaw { fields, has_writer }, sources(&id, jobs)?);
            for (_, change) in jobs
                .iter()
                .zip(&mut *changes)
                .filter(|(j, _)| j.object == id)
            {
                change.keep_old();
            }
            proven.spoiled.push(SpoiledObject { id, flaw, sources });
        }
        Ok(())
    }
}

/// Files of the batch that were equal to the object.
fn sources(id: &ObjectId, jobs: &[Job]) -> SysResult<Vec<Regular>> {
    let jobs = jobs.iter().filter(|job| job.object == *id);
    let files = jobs.flat_map(|job| {
        let new = job.new.iter().map(|new| &*new.file);
        new.chain((!job.old.is_spoiled()).then(|| job.old.file()))
    });
    files.take(SOURCES).map(Regular::duplicate).collect()
}
