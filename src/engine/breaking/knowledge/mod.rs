//! What is known of a base while writers wait: objects by inode, and their names by object. It is read in the
//! background, and confirmed by the disk when it is used. What runs of others write since is read as it comes: only who
//! writes to what they name waits until all is read anew (`others`).

mod others;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use crate::base::{Base, Index, JOURNAL};
use crate::engine::EngineError;
use crate::engine::records::History;
use crate::engine::records::writers::object_names::ObjectNames;
use crate::ledger::journal::{self, OpenBatch};
use crate::model::{FileId, GuestPath, ObjectId, RunId, RunKind};
use crate::sys::own::papers;
use crate::sys::{SysError, SysResult};
use others::OtherRuns;

pub(super) use others::ToldSince;

/// So many objects that are new are told from the others.
const MOST_ADDED: usize = 1 << 16;

/// What the base says of itself.
pub(super) struct Knowledge {
    pub index: Arc<Index>,
    pub names: ObjectNames,
    /// When it began to be read.
    pub since: Instant,
    /// Objects that there were not when it was read before; `None` where there are too many.
    pub added: Option<Arc<HashSet<ObjectId>>>,
    others: OtherRuns,
}

/// What a reading begins with: how far runs of others are, and what was known before.
pub(super) struct ReadingGround {
    others: OtherRuns,
    before: Arc<Index>,
}

impl ReadingGround {
    /// As it is now. The base is that of who answers: its own turn is nobody else's.
    pub fn look(base: &Base, own: &[RunId], before: &Arc<Index>) -> SysResult<ReadingGround> {
        Ok(ReadingGround {
            others: OtherRuns::look(base, own)?,
            before: Arc::clone(before),
        })
    }
}

impl Knowledge {
    /// What is in flight in runs of our own is found on the disk. `watch` is called as it gets on; its error ends the
    /// reading.
    pub fn read(
        base: &Base,
        ReadingGround { others, before }: ReadingGround,
        watch: &dyn Fn() -> SysResult<()>,
    ) -> Result<Knowledge, EngineError> {
        let since = Instant::now();
        let batches: Vec<OpenBatch> = others
            .unfinished()
            .map(|run| open_batch(base, run))
            .collect::<SysResult<_>>()?;
        let index = Arc::new(Index::read_watched(base, watch)?);
        let mut names = ObjectNames::read(base, &History::read_watched(base, watch)?, watch)?;
        batches
            .iter()
            .try_for_each(|batch| add_announced(batch, &mut names))?;
        let added: HashSet<ObjectId> = index.added_since(&before).take(MOST_ADDED).collect();
        Ok(Knowledge {
            added: (added.len() < MOST_ADDED).then(|| Arc::new(added)),
            index,
            names,
            since,
            others,
        })
    }

    /// Did it know of this run?
    pub fn knows_of(&self, run: &RunId) -> bool {
        self.others.knows_of(run)
    }

    /// May this inode have become an object since, by a run that is none of these of our own?
    pub fn may_lack(
        &mut self,
        inode: FileId,
        base: &Base,
        own: &[RunId],
    ) -> Result<bool, EngineError> {
        self.others.follow(base, own, &self.names)?;
        Ok(self.others.may_have_added(inode))
    }

    /// What runs have said of an object since that are none of these of our own.
    pub fn told_since(
        &mut self,
        object: &ObjectId,
        base: &Base,
        own: &[RunId],
    ) -> Result<ToldSince<'_>, EngineError> {
        self.others.follow(base, own, &self.names)?;
        Ok(self.others.told_of(object))
    }
}

/// What a run has announced and not written down as done.
fn open_batch(base: &Base, run: &RunId) -> SysResult<OpenBatch> {
    let path = base.run_paper(run, JOURNAL);
    let Some(file) = SysError::absent(papers::open_for_reading(&path))? else {
        return Ok(OpenBatch::default());
    };
    journal::read_open_batch(file).map_err(|e| SysError::new("read", &path, e))
}

/// A run that was cut short may have linked names that stand in no receipt. Each file of them is one of its own: what
/// is written to another file of the guest, which is on the same object, is not for it.
fn add_announced(batch: &OpenBatch, names: &mut ObjectNames) -> SysResult<()> {
    if !matches!(batch.run, Some((_, RunKind::Apply))) {
        return Ok(());
    }
    let mut objects: BTreeMap<ObjectId, BTreeMap<_, Vec<GuestPath>>> = BTreeMap::new();
    for intent in &batch.intents {
        let files = objects.entry(intent.object).or_default();
        let file = files.entry((&intent.guest, intent.was)).or_default();
        file.push(intent.path.clone());
    }
    for (object, files) in objects {
        let files = files.into_iter();
        let files = files.map(|((guest, _), paths)| (guest, paths));
        names.add(&object, files.collect())?;
    }
    Ok(())
}
