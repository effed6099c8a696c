//! One file of a guest that runs gets an inode of its own, by itself and at once: somebody waits to write to it.
//!
//! The steps of a batch that are left where the old inode is an object that nobody can change, or that a lease watches:
//! nothing is lifted, nobody stands still, no time of a directory is put back, and what comes out is one more name of
//! the object, of which nothing is lost when it goes. The copy is durable before its first name leads to it, and the
//! intents are before that. That the exchange itself is durable is not waited for: until then the name leads to the
//! object, which is equal.
//!
//! The caller has the turn. After an error a name is in a state that is not known, and the run is one to be healed.

use super::directories::Parents;
use super::ground::Ground;
use super::job::{Fate, Job};
use super::journal::JournalFile;
use super::names::{FileChange, NameChange, refers, still_the_same};
use crate::base::{Base, Run};
use crate::engine::Guest;
use crate::ledger::journal::Record;
use crate::model::GuestPath;
use crate::sys::SysResult;
use crate::sys::guard::InodeMark;

/// Where a file is parted from its object.
pub struct SingleParting<'a> {
    pub base: &'a Base,
    pub run: &'a Run,
    pub journal: &'a mut JournalFile,
    /// Called for each name that gets on.
    pub pulse: &'a dyn Fn(),
    /// The directory of this name, where it was seen: guests rename what is above it while we are at work.
    pub seen: &'a dyn Fn(&GuestPath) -> Option<InodeMark>,
}

/// What came of it.
pub struct PartingEnd {
    pub fate: Fate,
    /// So many files of the guest went into quarantine.
    pub quarantined: u64,
    /// Nothing was done with the copy: it may be put in place yet.
    pub is_copy_left: bool,
}

impl SingleParting<'_> {
    /// Exchanges all names of the file, or none.
    pub fn part(&mut self, guest: &Guest, job: &Job) -> SysResult<PartingEnd> {
        let mut change = self.announced(guest, job)?;
        let ground = Ground {
            base: self.base,
            run: self.run,
            journal: self.journal,
            pulse: self.pulse,
        };
        change.move_names(job, &ground)?;
        if change.fate == Fate::Done
            && let Err(fate) = still_the_same(job)
        {
            change.roll_back(job, &ground, fate)?;
        }
        change.drop_staged(&ground)?;
        Ok(PartingEnd {
            is_copy_left: !change.was_named,
            quarantined: change.quarantined,
            fate: change.fate,
        })
    }

    fn announced(&mut self, guest: &Guest, job: &Job) -> SysResult<FileChange> {
        let (mut parents, mut change) = (Parents::of_running(), FileChange::default());
        for name in &job.names {
            let seen = (self.seen)(name);
            let found = parents.of_seen(job.guest, &guest.root, name, seen);
            let found = found.map_err(|error| Fate::from_path_error(&error));
            // What is not there is not announced either.
            let parent = found.and_then(|parent| {
                refers(&parent, name, job.state.id)?;
                Ok(parent)
            });
            match parent {
                Ok(parent) => {
                    let number = self.journal.number();
                    let named = NameChange::of(number, &guest.name, job, name, parent);
                    change.names.push(named);
                }
                Err(fate) => {
                    change.fate = fate;
                    change.names.clear();
                    return Ok(change);
                }
            }
        }
        let intents = change.names.iter();
        let intents: Vec<Record> = intents
            .map(|name| Record::Intent(name.intent.clone()))
            .collect();
        self.journal.write_durably(&intents)?;
        Ok(change)
    }
}
