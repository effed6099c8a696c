//! What package managers left behind: names of shared files that a package had when they were linked, and none has now.
//!
//! Where objects are immutable, dpkg and rpm forget a package that they remove, report success, and every shared file
//! of it stays: nothing that asks the database sees such a file any more. Who had it is known from the plan that was
//! executed, whose line tells the owner of a file's first name. So a file that never had an owner is none of these,
//! and where a plan or a database cannot be read, that is said, and nothing else.
//!
//! Only databases and plans are read here, and of a plan the lines only where it linked files that have no owner now.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::executed_plans::{ExecutedPlans, FirstName};
use super::owners;
use crate::base::Base;
use crate::engine::records::Linked;
use crate::model::{GuestName, GuestPath, ObjectId, Orphan, Orphans, Owner, RunId, Tree};
use crate::sys::guest::GuestFiles;

/// Files of guests that no package owns, until it is known which of them packages had.
pub(super) struct OrphanSearch<'a> {
    plans: ExecutedPlans<'a>,
    /// By the run that linked them.
    unowned: BTreeMap<RunId, HashMap<FirstName, Unowned>>,
    found: BTreeMap<GuestName, Orphans>,
}

/// A file that was linked, and those of its names that refer to its object still.
pub(super) struct HeldFile<'a> {
    pub file: &'a Linked,
    pub names: Vec<&'a GuestPath>,
}

/// A file whose first name no package owns, and all its names of which this is true.
struct Unowned {
    names: Vec<GuestPath>,
    object: ObjectId,
}

impl<'a> OrphanSearch<'a> {
    /// Nothing was looked at yet.
    pub fn of(base: &'a Base) -> OrphanSearch<'a> {
        OrphanSearch {
            plans: ExecutedPlans::of(base),
            unowned: BTreeMap::new(),
            found: BTreeMap::new(),
        }
    }

    /// Asks the guest's databases, and keeps the files that no package owns.
    pub fn look(
        &mut self,
        guest: &GuestName,
        files: &dyn GuestFiles,
        tree: &Tree,
        held: &[HeldFile<'_>],
    ) {
        let managers = self.managers(guest, held);
        if managers.is_empty() {
            return;
        }
        let owners = match owners::ask(files, &managers, &|path| tree.has_directory(path)) {
            Ok(owners) => owners,
            Err(why) => return self.say(guest, &why),
        };
        for held in held {
            let owned = |path: &GuestPath| owners::owned(&owners, path.as_bytes());
            if let Some((first, unowned)) = unowned(held, owned) {
                let of_run = self.unowned.entry(held.file.run.clone()).or_default();
                of_run.insert((guest.clone(), first), unowned);
            }
        }
    }

    /// Managers whose databases listed files of the guest when these were linked.
    fn managers(&mut self, guest: &GuestName, held: &[HeldFile<'_>]) -> BTreeSet<String> {
        let mut managers = BTreeSet::new();
        let mut unread = None;
        let runs: BTreeSet<&RunId> = held.iter().map(|held| &held.file.run).collect();
        for run in runs {
            match self.plans.guests(run) {
                Ok(planned) => {
                    let planned = planned.iter().filter(|planned| planned.name == *guest);
                    managers.extend(planned.flat_map(owners::managers).map(str::to_owned));
                }
                Err(why) => unread = Some(why.to_owned()),
            }
        }
        if let Some(why) = unread {
            self.say(guest, &why);
        }
        managers
    }

    /// Names of each guest that packages had, in order; and why they are not known where that is so.
    pub fn finish(mut self) -> BTreeMap<GuestName, Orphans> {
        for (run, mut unowned) in std::mem::take(&mut self.unowned) {
            match self.plans.owners(&run, |file| unowned.contains_key(file)) {
                Ok(owners) => {
                    for (first, owner) in owners {
                        let file = unowned.remove(&first);
                        self.find(first.0, file, &owner);
                    }
                }
                Err(why) => unowned.keys().for_each(|(guest, _)| self.say(guest, &why)),
            }
        }
        for orphans in self.found.values_mut() {
            orphans.names.sort_by(|a, b| a.path.cmp(&b.path));
        }
        self.found
    }

    fn find(&mut self, guest: GuestName, file: Option<Unowned>, owner: &Owner) {
        let Some(Unowned { names, object }) = file else {
            return;
        };
        let orphan = |path| Orphan {
            path,
            object,
            owner: owner.clone(),
        };
        let of_guest = self.found.entry(guest).or_default();
        of_guest.names.extend(names.into_iter().map(orphan));
    }

    /// One reason a guest is enough.
    fn say(&mut self, guest: &GuestName, why: &str) {
        let of_guest = self.found.entry(guest.clone()).or_default();
        of_guest.unknown.get_or_insert_with(|| why.to_owned());
    }
}

/// The file with its first name, where no package owns that.
fn unowned(
    held: &HeldFile<'_>,
    owned: impl Fn(&GuestPath) -> bool,
) -> Option<(GuestPath, Unowned)> {
    let first = held.file.paths.first().filter(|first| !owned(first))?;
    let names = held.names.iter().filter(|name| !owned(name));
    let names: Vec<GuestPath> = names.map(|name| (*name).clone()).collect();
    let object = held.file.object;
    (!names.is_empty()).then(|| (first.clone(), Unowned { names, object }))
}
