//! The names of one job in flight: exchanged one by one, rolled back together.

use std::rc::Rc;

use super::directories::Parent;
use super::ground::Ground;
use super::job::{Fate, Job};
use crate::ledger::journal::Intent;
use crate::link::{Exchange, Exchanged, exchange_names};
use crate::model::{Before, FileId, FileState, GuestName, GuestPath, Ignored, Moved, Refusal};
use crate::protect::Lifted;
use crate::rules::precondition::{metadata_differs, moved, moved_but_for_names};
use crate::sys::{Dir, SysError, SysResult};

/// One name on its way.
#[derive(Debug)]
pub struct NameChange {
    pub intent: Intent,
    pub parent: Rc<Parent>,
    /// Is something of ours, or what came out, in staging?
    staged: bool,
    /// Does the name refer to the new inode?
    exchanged: bool,
}

/// All names of one job.
#[derive(Debug, Default)]
pub struct FileChange {
    pub names: Vec<NameChange>,
    pub fate: Fate,
    /// Entries that were put into quarantine.
    pub quarantined: u64,
    /// Has the new inode had a name? One that was made without any has none again once it was dropped.
    pub was_named: bool,
}

impl NameChange {
    /// That of a name of the job in this directory; `seq` is its number in the journal.
    pub fn of(
        seq: u64,
        guest: &GuestName,
        job: &Job,
        path: &GuestPath,
        parent: Rc<Parent>,
    ) -> NameChange {
        NameChange {
            intent: Intent {
                seq,
                guest: guest.clone(),
                path: path.clone(),
                parent: parent.id,
                was: job.state.id,
                becomes: job.new.as_ref().map_or(job.state.id, |new| new.id),
                object: job.object,
            },
            parent,
            staged: false,
            exchanged: false,
        }
    }

    fn staged_name(&self) -> String {
        self.intent.seq.to_string()
    }

    fn name(&self) -> &[u8] {
        self.intent.path.file_name()
    }

    /// Exchanges: `put` is in staging and shall go to the name, `expected` shall come out.
    fn exchange_names(&self, staging: &Dir, put: FileId, expected: FileId) -> SysResult<Exchanged> {
        let staged = self.staged_name();
        let exchange = Exchange {
            staging,
            staged: staged.as_bytes(),
            parent: &self.parent.dir,
            name: self.name(),
            put,
            expected,
        };
        self.parent.touch(|| exchange_names(&exchange))
    }
}

impl FileChange {
    /// Exchanges all names of the job, or none. Only an error that leaves a name in an unknown state is an error.
    pub fn move_names(&mut self, job: &Job, at: &Ground<'_>) -> SysResult<()> {
        if self.fate != Fate::Done {
            return Ok(());
        }
        // All are staged before the first exchange: as long as a name waits, what waits for it is there, and no
        // other file has its inode's number.
        for number in 0..self.names.len() {
            (at.pulse)();
            if let Err(fate) = self.stage_one(number, job, at) {
                return self.roll_back(job, at, fate);
            }
        }
        for number in 0..self.names.len() {
            (at.pulse)();
            if let Err(fate) = self.move_one(number, job, at)? {
                return self.roll_back(job, at, fate);
            }
        }
        Ok(())
    }

    /// Once all guests are quiet and nothing is exchanged: is the file what it was when it was prepared? An
    /// attribute that was set since, or one more name, shows only in ctime and the link count. An adopted inode
    /// got a name in the base since, and no other: another base may have given it one.
    pub fn check_unchanged(
        &mut self,
        job: &Job,
        now: SysResult<FileState>,
        at: &Ground<'_>,
    ) -> SysResult<()> {
        if self.fate != Fate::Done {
            return Ok(());
        }
        let now = now?;
        let fields = match &job.new {
            Some(_) => moved(&Before::from(&job.state), &now),
            None if now.nlink == job.state.nlink.saturating_add(1) => Vec::new(),
            None => vec![Moved::Nlink],
        };
        if fields.is_empty() {
            return Ok(());
        }
        let fate = Fate::Refused(Refusal::Changed { fields });
        self.roll_back(job, at, fate)
    }

    /// The last look before the commit: a writer that waits for our lease must find its file in place.
    pub fn check_lease(
        &mut self,
        job: &Job,
        stands: SysResult<bool>,
        at: &Ground<'_>,
    ) -> SysResult<()> {
        if self.fate != Fate::Done || stands? {
            return Ok(());
        }
        self.roll_back(job, at, Fate::Refused(Refusal::OpenForWriting {}))
    }

    /// Do names of the job refer to this inode, before or after?
    pub fn is_about(&self, inode: FileId) -> bool {
        self.names
            .iter()
            .any(|change| change.intent.was == inode || change.intent.becomes == inode)
    }

    /// Something was mounted on a name, in another namespace, after the look at the mounts and before the exchange: it
    /// went into staging with what it is mounted on, and would be unmounted by dropping that.
    pub fn check_mounts(
        &mut self,
        job: &Job,
        at: &Ground<'_>,
        covered: &[GuestPath],
    ) -> SysResult<()> {
        let below = |change: &NameChange| {
            let name = format!("/{}", change.staged_name());
            covered
                .iter()
                .any(|path| path.as_bytes() == name.as_bytes())
        };
        if self.fate != Fate::Done || !self.names.iter().any(below) {
            return Ok(());
        }
        self.roll_back(job, at, Fate::Refused(Refusal::MountedOver {}))
    }

    /// Puts the old inode back under every name that was exchanged, and clears staging.
    pub fn roll_back(&mut self, job: &Job, at: &Ground<'_>, fate: Fate) -> SysResult<()> {
        self.fate = fate;
        // Where nothing is in staging no flag needs to come off.
        let touched = self
            .names
            .iter()
            .any(|change| change.staged || change.exchanged);
        let lifted = if touched { at.lift(&job.object)? } else { None };
        let has_led = self.names.iter().any(|change| change.exchanged);
        for change in self.names.iter_mut().rev() {
            (at.pulse)();
            self.quarantined += clear(change, at, has_led.then_some(job))?;
        }
        lifted.map_or(Ok(()), Lifted::restore)
    }

    /// Once guests went on: a process that had the file open before, even only by its path, can open it for
    /// writing by that descriptor. It waits for our lease, and what it will write is not lost. A process that
    /// does so after the drop writes to a file without a name, as after every package upgrade: no lease lasts for
    /// ever.
    pub fn notice_writer(&mut self, job: &Job, stands: SysResult<bool>) -> SysResult<()> {
        if job.new.is_some() && !stands? {
            self.keep_old();
        }
        Ok(())
    }

    /// What came out for it shall not be dropped.
    pub fn keep_old(&mut self) {
        if self.fate == Fate::Done {
            self.fate = Fate::DoneAndKept;
        }
    }

    /// Drops what came out: it is durable that nothing refers to it any more. Returns the names whose file is kept.
    pub fn drop_staged(&mut self, at: &Ground<'_>) -> SysResult<Vec<GuestPath>> {
        let mut kept = Vec::new();
        for change in self.names.iter_mut().filter(|change| change.staged) {
            (at.pulse)();
            if self.fate == Fate::DoneAndKept {
                self.quarantined += quarantine(change, at)?;
                kept.push(change.intent.path.clone());
            } else {
                at.run.staging.unlink(change.staged_name().as_bytes())?;
            }
        }
        Ok(kept)
    }

    fn stage_one(&mut self, number: usize, job: &Job, at: &Ground<'_>) -> Result<(), Fate> {
        let (Some(change), Some(new)) = (self.names.get_mut(number), &job.new) else {
            return Ok(());
        };
        refers(&change.parent, &change.intent.path, change.intent.was)?;
        let linked = at
            .run
            .staging
            .link(&new.file, change.staged_name().as_bytes());
        linked.map_err(|error| Fate::from_name_error(&error))?;
        change.staged = true;
        self.was_named = true;
        Ok(())
    }

    fn move_one(
        &mut self,
        number: usize,
        job: &Job,
        at: &Ground<'_>,
    ) -> SysResult<Result<(), Fate>> {
        let Some(change) = self.names.get_mut(number).filter(|_| job.new.is_some()) else {
            return Ok(Ok(()));
        };
        let (put, expected) = (change.intent.becomes, change.intent.was);
        match change.exchange_names(&at.run.staging, put, expected) {
            Ok(Exchanged::Done) => change.exchanged = true,
            Ok(Exchanged::Deleted) => return Ok(Err(Fate::Refused(Refusal::Gone {}))),
            Ok(Exchanged::Newer) => return Ok(Err(another_file())),
            Ok(Exchanged::Stray | Exchanged::Unsettled) => {
                self.quarantined += quarantine(change, at)?;
                return Ok(Err(another_file()));
            }
            // Nothing happened if what we put there is still in staging; otherwise the state is unknown.
            Err(error) if at.run.staging.look(change.staged_name().as_bytes())?.id == put => {
                return Ok(Err(Fate::from_name_error(&error)));
            }
            Err(error) => return Err(error),
        }
        Ok(Ok(()))
    }
}

/// Does the name in this directory refer to this inode?
pub(super) fn refers(parent: &Parent, path: &GuestPath, inode: FileId) -> Result<(), Fate> {
    match parent.dir.look(path.file_name()) {
        Ok(state) if state.id == inode => Ok(()),
        Ok(_) => Err(another_file()),
        Err(error) => Err(Fate::from_path_error(&error)),
    }
}

/// The name refers to a file that is not the one of the plan.
fn another_file() -> Fate {
    Fate::Refused(Refusal::Changed {
        fields: vec![Moved::Ino],
    })
}

/// Looks at metadata and lease of the file once more, after the exchange, which changes ctime itself. Link counts
/// do not change by it.
pub(super) fn still_the_same(job: &Job) -> Result<(), Fate> {
    if job.old.is_spoiled() {
        return Ok(());
    }
    let failed = |error: SysError| Fate::Failed(error.to_string());
    let now = job.old.file().state().map_err(failed)?;
    let fields = moved_but_for_names(&Before::from(&job.state), &now);
    if !fields.is_empty() {
        return Err(Fate::Refused(Refusal::Changed { fields }));
    }
    if job.old.stands().map_err(failed)? {
        Ok(())
    } else {
        Err(Fate::Refused(Refusal::OpenForWriting {}))
    }
}

/// Rolls one name back and clears its staging entry; returns how many entries went into quarantine. `led` is the job
/// where a name has led to the new inode: a guest that runs may have written to it.
fn clear(change: &mut NameChange, at: &Ground<'_>, led: Option<&Job>) -> SysResult<u64> {
    if change.exchanged {
        change.exchanged = false;
        match change.exchange_names(&at.run.staging, change.intent.was, change.intent.becomes)? {
            Exchanged::Done => {}
            // The guest has deleted the name or put its own there since: the old file belongs to no name any
            // more.
            Exchanged::Deleted | Exchanged::Newer => {}
            Exchanged::Stray | Exchanged::Unsettled => return quarantine(change, at),
        }
    }
    if change.staged {
        // What cannot be looked at is kept.
        if led.is_some_and(|job| holds_what_was_written(change, job, at).unwrap_or(true)) {
            return quarantine(change, at);
        }
        change.staged = false;
        at.run.staging.unlink(change.staged_name().as_bytes())?;
    }
    Ok(0)
}

/// Is this the last name of a new inode that is not any more what it was made as, or that a process has open?
fn holds_what_was_written(change: &NameChange, job: &Job, at: &Ground<'_>) -> SysResult<bool> {
    let staged = at.run.staging.look(change.staged_name().as_bytes())?;
    let Some(new) = job.new.as_ref().filter(|new| new.id == staged.id) else {
        return Ok(false);
    };
    if staged.nlink > 1 {
        return Ok(false);
    }
    let (new, old) = (&new.file, job.old.file());
    if new.is_open_elsewhere()? {
        return Ok(true);
    }
    let ignore = [Ignored::Mtime];
    let differs = metadata_differs(&old.metadata(&ignore)?, &new.metadata(&ignore)?, &ignore);
    let size = old.state()?.size;
    Ok(staged.size != size || !differs.is_empty() || !new.same_content(old, size)?)
}

/// Keeps what is not ours to drop.
fn quarantine(change: &mut NameChange, at: &Ground<'_>) -> SysResult<u64> {
    let name = change.staged_name();
    at.base.move_to_quarantine(at.run, name.as_bytes())?;
    change.staged = false;
    Ok(1)
}
