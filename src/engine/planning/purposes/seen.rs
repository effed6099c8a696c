//! Somebody looks at what a plan would do, while the guests are open and before anything is written.

use std::path::Path;

use super::{Decided, Purpose};
use crate::engine::EngineError;
use crate::engine::planning::classify::{Classified, Decision};
use crate::engine::planning::evidence::Evidence;
use crate::engine::planning::near_misses::Miss;
use crate::engine::planning::options::PlanOptions;
use crate::engine::planning::plan_for;
use crate::engine::planning::survey::Survey;
use crate::engine::threads::Threads;
use crate::model::{Header, Observer, Skip, SkipReason};
use crate::sys::PageCache;

/// Who looks.
pub trait LookAtGuests {
    /// What comes of it.
    type Made;

    /// As [`Purpose::prepare`].
    fn prepare(&mut self, places: &[&Path]) -> Result<(), EngineError>;

    /// As [`Purpose::renames_in`].
    fn renames_in(&self) -> Vec<&Path>;

    /// Looks.
    fn look(self, seen: &SeenGuests<'_>) -> Result<Self::Made, EngineError>;
}

/// Guests that were read, and what was decided of their files.
pub struct SeenGuests<'a> {
    /// The guests, in order.
    pub surveys: &'a [Survey],
    /// Files that could share an inode but for their metadata.
    pub misses: &'a [Miss],
    /// The threads that read.
    pub threads: &'a Threads,
    /// What becomes of pages that are read.
    pub page_cache: PageCache,
    classified: &'a [Classified],
}

impl SeenGuests<'_> {
    /// The number of the group whose object a file would get; the same for all its equals.
    pub fn group(&self, guest: usize, file: usize) -> Option<u32> {
        let judged = self.classified.get(guest)?;
        match judged.decisions.get(file)? {
            Decision::Linked { group, .. } => Some(*group),
            _ => None,
        }
    }

    /// What of a guest could not be read while it was planned, with the reason.
    pub fn unreadable(&self, guest: usize) -> impl Iterator<Item = &Skip> {
        let judged = self.classified.get(guest).into_iter();
        let skips = judged.flat_map(|judged| judged.lines.values().chain(&judged.extra));
        skips.filter(|skip| skip.reason == SkipReason::Unreadable)
    }
}

/// Reads guests as a plan does, and hands them to who looks.
pub fn look_at<L: LookAtGuests>(
    options: &PlanOptions,
    look: L,
    observer: &dyn Observer,
) -> Result<L::Made, EngineError> {
    plan_for(options, LookPurpose(look), observer)
}

struct LookPurpose<L>(L);

impl<L: LookAtGuests> Purpose for LookPurpose<L> {
    const KEEPS_MISSES: bool = true;
    type Made = L::Made;

    fn prepare(&mut self, places: &[&Path]) -> Result<(), EngineError> {
        self.0.prepare(places)
    }

    fn renames_in(&self) -> Vec<&Path> {
        self.0.renames_in()
    }

    fn finish(
        self,
        found: &Evidence<'_>,
        _: Header,
        decided: Decided<'_>,
    ) -> Result<L::Made, EngineError> {
        self.0.look(&SeenGuests {
            surveys: found.surveys,
            misses: &decided.misses,
            threads: found.threads,
            page_cache: found.options.page_cache,
            classified: &decided.classified,
        })
    }
}
