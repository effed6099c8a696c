//! Copies that take long are made in threads of their own, few at once and one for each guest, and put in place when
//! they are there. Meanwhile others have their files parted: the threads are ordinary ones, which take no processor
//! from the answers. A copy is charged when it is begun, whatever comes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::allowance::CopyCharge;
use super::line::asker::Asker;
use super::part::{CopyKey, CopyProgress, NotParted, PrivateCopy, UnfilledCopy};
use crate::model::GuestName;

/// A file of so many bytes is copied while others are answered.
pub(super) const LONG: u64 = 4 << 20;

/// So many are under way or wait to be put in place at once.
const MOST_AT_ONCE: usize = 4;

/// A copy that gets on by nothing for so long is waited for no more.
const STUCK: Duration = Duration::from_secs(600);

/// A copy that nobody asks for is kept for so long.
const UNCLAIMED: Duration = Duration::from_secs(10);

/// A copy that is to be made in a thread of its own.
pub(super) struct CopyJob {
    key: CopyKey,
    copy: UnfilledCopy,
    progress: Arc<CopyProgress>,
}

impl CopyJob {
    /// Makes it.
    pub fn run(self) -> (CopyKey, Result<PrivateCopy, NotParted>) {
        let made = self.copy.fill(&self.progress);
        (self.key, made)
    }
}

struct UnderWay {
    key: CopyKey,
    by: Asker,
    progress: Arc<CopyProgress>,
    charge: CopyCharge,
    /// How far it was when it was looked at last, and since when it has been there.
    seen: (u64, Instant),
}

/// All that are under way, and those that are ready.
#[derive(Default)]
pub(super) struct LongCopies {
    under_way: Vec<UnderWay>,
    ready: Vec<(CopyKey, PrivateCopy, Instant)>,
    /// Those that could not be put in place yet, because a name had moved: one for each guest, and in nobody's way.
    left: Vec<(CopyKey, PrivateCopy, Instant)>,
}

impl LongCopies {
    /// May one more be made for this guest, and for who asks? One at a time for each.
    pub fn may_begin(&self, guest: &GuestName, by: Asker) -> bool {
        let mut under_way = self.under_way.iter();
        let mut ready = self.ready.iter();
        let most = MOST_AT_ONCE.saturating_sub(self.ready.len());
        by.may_begin(under_way.clone().map(|one| one.by), most)
            && !under_way.any(|one| one.key.guest == *guest)
            && !ready.any(|(key, ..)| key.guest == *guest)
    }

    pub fn is_under_way(&self, key: &CopyKey) -> bool {
        self.under_way.iter().any(|one| one.key == *key)
    }

    /// One that is charged is begun.
    pub fn begin(
        &mut self,
        key: CopyKey,
        by: Asker,
        (copy, charge): (UnfilledCopy, CopyCharge),
    ) -> CopyJob {
        let progress = Arc::new(CopyProgress::default());
        self.under_way.push(UnderWay {
            key: key.clone(),
            by,
            progress: Arc::clone(&progress),
            charge,
            seen: (0, Instant::now()),
        });
        CopyJob {
            key,
            copy,
            progress,
        }
    }

    /// It has ended; why there is none and what was charged for it, if so.
    pub fn end(
        &mut self,
        key: &CopyKey,
        made: Result<PrivateCopy, NotParted>,
    ) -> Result<(), (NotParted, Option<CopyCharge>)> {
        let at = self.under_way.iter().position(|one| one.key == *key);
        let ended = at.map(|at| self.under_way.swap_remove(at));
        let made = made.map_err(|why| (why, ended.map(|one| one.charge)))?;
        self.ready.push((key.clone(), made, Instant::now()));
        Ok(())
    }

    /// One that is ready.
    pub fn take(&mut self, key: &CopyKey) -> Option<PrivateCopy> {
        let from = |all: &mut Vec<(CopyKey, PrivateCopy, Instant)>| {
            let at = all.iter().position(|(ready, ..)| ready == key)?;
            Some(all.swap_remove(at).1)
        };
        from(&mut self.ready).or_else(|| from(&mut self.left))
    }

    /// Its writer looks again, and shall not wait for a copy once more.
    pub fn keep(&mut self, key: CopyKey, copy: PrivateCopy) {
        self.left.retain(|(one, ..)| one.guest != key.guest);
        self.left.push((key, copy, Instant::now()));
    }

    /// Those that have got on by nothing for too long. What nobody asks for any more goes.
    pub fn stuck(&mut self) -> Vec<CopyKey> {
        for all in [&mut self.ready, &mut self.left] {
            all.retain(|(.., at)| at.elapsed() < UNCLAIMED);
        }
        let mut stuck = Vec::new();
        for one in &mut self.under_way {
            let pieces = one.progress.pieces();
            if pieces != one.seen.0 {
                one.seen = (pieces, Instant::now());
            } else if one.seen.1.elapsed() >= STUCK {
                stuck.push(one.key.clone());
            }
        }
        stuck
    }

    /// None is wanted any more.
    pub fn give_up(&self) {
        for one in &self.under_way {
            one.progress.give_up();
        }
    }
}
