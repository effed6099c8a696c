//! Which guests a batch concerns, asked before anything is done: while guests wait, no table is read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::job::{Flagged, Job};
use crate::engine::records::holders::Holding;
use crate::model::ObjectId;
use crate::sys::SysResult;

/// Guests that are not quiet, by their number, and what runs inside.
pub(super) type RunningGuests = BTreeMap<usize, String>;

/// Guests whose names change, or that hold names of an object that is touched: quiet, or made so.
pub(super) struct Affected {
    pub guests: Vec<usize>,
    holders: HashMap<ObjectId, Vec<usize>>,
}

impl Affected {
    /// An object that stays protected is kept from its holders the whole time: it does not matter what they do.
    pub fn of(
        jobs: &[Job],
        flags: &[Flagged],
        holding: &Holding<'_>,
        stays_protected: &dyn Fn(&ObjectId) -> SysResult<bool>,
    ) -> SysResult<Affected> {
        let of_jobs = jobs.iter().map(|job| job.object);
        let objects: BTreeSet<ObjectId> = flags.iter().map(|flag| flag.id).chain(of_jobs).collect();
        let mut guests: BTreeSet<usize> = jobs.iter().map(|job| job.guest).collect();
        let mut holders = HashMap::new();
        for object in objects {
            let of_object = match stays_protected(&object)? {
                true => Vec::new(),
                false => holding.holders(&object)?,
            };
            guests.extend(&of_object);
            holders.insert(object, of_object);
        }
        Ok(Affected {
            guests: guests.into_iter().collect(),
            holders,
        })
    }

    /// A guest that has names of the object and runs, where that matters; the inode that becomes an object has those of
    /// its own job.
    pub fn running_holder(
        &self,
        object: &ObjectId,
        jobs: &[Job],
        running: &RunningGuests,
    ) -> Option<(usize, String)> {
        if running.is_empty() {
            return None;
        }
        let adopted = jobs.iter().filter(|job| job.new.is_none());
        let makers = adopted.filter(|job| job.object == *object);
        let holders = self.holders.get(object).into_iter().flatten().copied();
        let mut all = holders.chain(makers.map(|job| job.guest));
        all.find_map(|at| Some((at, running.get(&at)?.clone())))
    }
}
