//! What is known of a base while writers wait: objects by inode, and their names by object. It is read in the
//! background, and confirmed by the disk when it is used.

use std::sync::Arc;
use std::time::Instant;

use crate::base::{Base, Index};
use crate::engine::EngineError;
use crate::engine::records::History;
use crate::engine::records::writers::object_names::ObjectNames;
use crate::model::RunId;
use crate::sys::SysResult;

/// What the base says of itself.
pub(super) struct Knowledge {
    pub index: Arc<Index>,
    pub names: ObjectNames,
    /// When it began to be read.
    pub since: Instant,
    /// The last run then; none of a later one is known.
    last: Option<RunId>,
    /// Was a run at work, whose receipt has grown since?
    at_work: bool,
}

impl Knowledge {
    /// What is in flight in runs of our own is found on the disk. `watch` is called as it gets on; its error ends the
    /// reading.
    pub fn read(
        base: &Base,
        own: &[RunId],
        watch: &dyn Fn() -> SysResult<()>,
    ) -> Result<Knowledge, EngineError> {
        let since = Instant::now();
        let last = base.runs()?.pop();
        let is_own = |name: &Vec<u8>| {
            let mut own = own.iter();
            own.any(|run| run.to_string().as_bytes() == name.as_slice())
        };
        let at_work = !base.staging().list()?.iter().all(is_own);
        Ok(Knowledge {
            index: Arc::new(Index::read_watched(base, watch)?),
            names: ObjectNames::read(base, &History::read_watched(base, watch)?, watch)?,
            since,
            last,
            at_work,
        })
    }

    /// Did it know of this run?
    pub fn knows_of(&self, run: &RunId) -> bool {
        Some(run) <= self.last.as_ref()
    }

    /// Has no run but these of our own begun since, and was none at work?
    pub fn is_current(&self, base: &Base, own: &[RunId]) -> Result<bool, EngineError> {
        let newer = base.runs()?.into_iter();
        let mut newer = newer.filter(|run| Some(run) > self.last.as_ref());
        Ok(!self.at_work && newer.all(|run| own.contains(&run)))
    }
}
