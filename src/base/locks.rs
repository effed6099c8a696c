//! Who may change something: the lock of a run, and whose turn it is to move names.
//!
//! A run holds `lock` from its beginning to its end, which may be minutes, and a writer in a guest cannot wait so long.
//! So names are moved under a second lock, `turn`, which is held for a batch, a healing, or some breaks in a row: never
//! is a name in flight by two at once, and never does one process take what another has in staging for litter. Between
//! two batches of a run a break has its turn, and what that changes the next batch finds by the inodes, as it finds
//! whatever else a guest has done. Who waits for the turn is the next to have it: who lets it go and wants it again
//! at once, as runs and daemons do, comes after him.
//!
//! Within a process a turn that is taken is shared: a healing parts the holders of what is spoiled by a batch of its
//! own.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::{Base, BaseError, places};
use crate::sys::own::papers;
use crate::sys::own::papers::Lock;
use crate::sys::own::turns::{TurnLine, await_turn, is_turn_taken, take_turn};
use crate::sys::{SysError, SysResult};

/// A batch is over sooner, and so are breaks. A healing may take longer, and a run that waits for one begins anew.
const PATIENCE: Duration = Duration::from_secs(300);

/// As long as some breaks in a row last.
const A_WHILE: Duration = Duration::from_secs(3);

impl Base {
    /// The lock file, made where it is missing.
    pub fn lock_file(&self) -> SysResult<PathBuf> {
        let path = self.path().join("lock");
        drop(papers::Growing::open(&path)?);
        Ok(path)
    }

    /// Excludes every other run until the guard is dropped.
    pub fn lock(&self, holder: &str) -> Result<Lock, BaseError> {
        let taken = papers::lock(&self.path().join("lock"), holder)?;
        taken.map_err(|holder| BaseError::Locked {
            path: self.path().to_owned(),
            holder: holder.trim().to_owned(),
        })
    }

    /// Keeps every run from beginning until the guard is dropped, which must be soon. It writes nothing. `None` where
    /// the base never had a run.
    pub fn hold_still(&self) -> Result<Option<Lock>, BaseError> {
        let taken = papers::hold_still(&self.path().join("lock"))?;
        taken.map_err(|holder| BaseError::Locked {
            path: self.path().to_owned(),
            holder: holder.trim().to_owned(),
        })
    }

    /// Waits for the turn, and has it as long as what is returned, or another of the same turn, is kept.
    pub fn turn(&self) -> SysResult<Arc<Lock>> {
        let taken = self.shared_turn(|| take_turn(&self.paper(places::TURN), PATIENCE))?;
        taken.ok_or_else(|| SysError::busy("lock", self.paper(places::TURN)))
    }

    /// A place in the line for it, for who has other things to do meanwhile.
    pub fn turn_line(&self) -> TurnLine {
        TurnLine::at(&self.paper(places::TURN))
    }

    /// The turn, if it is ours by now. Does not wait.
    pub fn turn_in_line(&self, line: &mut TurnLine) -> SysResult<Option<Arc<Lock>>> {
        self.shared_turn(|| line.step_up())
    }

    fn shared_turn(
        &self,
        take: impl FnOnce() -> SysResult<Option<Lock>>,
    ) -> SysResult<Option<Arc<Lock>>> {
        let own = self.own_turn().0.lock();
        let mut own = own.unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = own.upgrade() {
            return Ok(Some(held));
        }
        let taken = take()?.map(Arc::new);
        if let Some(taken) = &taken {
            *own = Arc::downgrade(taken);
        }
        Ok(taken)
    }

    /// Is nothing in flight? Breaks that are under way are waited for, but not for long. Writes nothing.
    pub fn is_settled(&self) -> SysResult<bool> {
        if self.staging().list()?.is_empty() {
            return Ok(true);
        }
        if !self.has_turn() {
            // Who may not look at it has seen what there is.
            drop(await_turn(&self.paper(places::TURN), A_WHILE));
        }
        Ok(self.staging().list()?.is_empty())
    }

    /// Does another process move names now? Writes nothing.
    pub fn is_in_turn(&self) -> bool {
        !self.has_turn() && is_turn_taken(&self.paper(places::TURN)).unwrap_or(false)
    }

    /// Is somebody the next to have the turn, and waits for it? Who has it must be in no line himself.
    pub fn is_turn_wanted(&self) -> SysResult<bool> {
        is_turn_taken(&self.paper(places::NEXT_TURN))
    }

    /// Does this process have the turn?
    fn has_turn(&self) -> bool {
        let own = self.own_turn().0.lock();
        let own = own.unwrap_or_else(PoisonError::into_inner);
        own.upgrade().is_some()
    }
}
