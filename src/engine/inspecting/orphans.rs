//! What package managers left behind: names of shared files that a package had when they were linked, and none has now.
//!
//! Where objects are immutable, dpkg and rpm forget a package that they remove, report success, and every shared file
//! of it stays: nothing that asks the database sees such a file any more. Who had it is known from the plan that was
//! executed, whose line tells the owner of a file's first name; of a guest that was known otherwise then, from an
//! earlier one. So a file that never had an owner is none of these, and where a plan or a database cannot be read, that
//! is said, and nothing else.
//!
//! Only databases and plans are read here, and of a plan the lines only where it linked files that have no owner now.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::executed_plans::{ExecutedPlans, NotKnown, Who, root_of};
use super::former_owners::FormerOwners;
use super::owners;
use crate::base::Base;
use crate::engine::Guest;
use crate::engine::records::{History, Linked};
use crate::model::{
    FileId, GuestName, GuestPath, ObjectId, Orphan, Orphans, Owner, PlannedGuest, RunId, Tree,
};
use crate::sys::guest::GuestFiles;

/// The first name of a file in a guest.
type FirstName = (GuestName, GuestPath);

/// Files of guests that no package owns, until it is known which of them packages had.
pub(super) struct OrphanSearch<'a> {
    plans: ExecutedPlans<'a>,
    /// By the run that linked them, and the guest with the first name.
    unowned: BTreeMap<RunId, HashMap<FirstName, Unowned>>,
    /// The roots of all guests that are there.
    standing: BTreeSet<FileId>,
    found: BTreeMap<GuestName, Orphans>,
}

/// A file that was linked, and those of its names that refer to its object still.
pub(super) struct HeldFile<'a> {
    pub file: &'a Linked,
    pub names: Vec<&'a GuestPath>,
}

/// A file whose first name no package owns, and all its names of which this is true.
struct Unowned {
    who: Who,
    names: Vec<GuestPath>,
    object: ObjectId,
}

impl<'a> OrphanSearch<'a> {
    /// Nothing was looked at yet.
    pub fn of(base: &'a Base, history: &History) -> OrphanSearch<'a> {
        let known = history.guests.iter();
        let standing = known.filter_map(|(name, known)| Some(known.open(name)?.id));
        OrphanSearch {
            plans: ExecutedPlans::of(base, &history.runs),
            unowned: BTreeMap::new(),
            standing: standing.collect(),
            found: BTreeMap::new(),
        }
    }

    /// Asks the guest's databases, and keeps the files that no package owns.
    pub fn look(
        &mut self,
        guest: &Guest,
        files: &dyn GuestFiles,
        tree: &Tree,
        held: &[HeldFile<'_>],
    ) {
        let who = Who {
            name: guest.name.clone(),
            id: guest.id,
        };
        let Some(managers) = self.managers(&who, held) else {
            return;
        };
        let owners = match owners::ask(files, &managers, &|path| tree.has_directory(path)) {
            Ok(owners) => owners,
            Err(why) => return self.say(&who.name, &NotKnown { why, unread: true }),
        };
        for held in held {
            let owned = |path: &GuestPath| owners::owned(&owners, path.as_bytes());
            if let Some((first, names)) = unowned(held, owned) {
                let unowned = Unowned {
                    who: who.clone(),
                    names,
                    object: held.file.object,
                };
                let of_run = self.unowned.entry(held.file.run.clone()).or_default();
                of_run.insert((who.name.clone(), first), unowned);
            }
        }
    }

    /// Managers whose databases listed files of the guest when these were linked. Where the plans of that time say of
    /// none, it may have been known otherwise before; `None` where there is nothing to ask for.
    fn managers(&mut self, who: &Who, held: &[HeldFile<'_>]) -> Option<BTreeSet<String>> {
        let runs: BTreeSet<&RunId> = held.iter().map(|held| &held.file.run).collect();
        let (mut unread, mut managers) = (None, BTreeSet::new());
        for run in runs.iter().copied() {
            match self.managers_in(run, |planned| who.is(planned)) {
                Ok(of_run) => managers.extend(of_run),
                Err(why) => unread = Some(why),
            }
        }
        let mut others = BTreeSet::new();
        if managers.is_empty() && !runs.is_empty() {
            let standing = self.standing.clone();
            for run in self.plans.runs() {
                let of_run = self.managers_in(&run, |planned| who.is(planned));
                managers.extend(of_run.unwrap_or_default());
                let is_gone = |planned: &PlannedGuest| !standing.contains(&root_of(planned));
                others.extend(self.managers_in(&run, is_gone).unwrap_or_default());
            }
        }
        if managers.is_empty() && others.is_empty() {
            unread.iter().for_each(|why| self.say(&who.name, why));
            return None;
        }
        Some(managers)
    }

    fn managers_in(
        &mut self,
        run: &RunId,
        is_it: impl Fn(&PlannedGuest) -> bool,
    ) -> Result<Vec<String>, NotKnown> {
        let planned = self.plans.guests(run).map_err(NotKnown::clone)?;
        let planned = planned.iter().filter(|planned| is_it(planned));
        let managers = planned.flat_map(owners::managers);
        Ok(managers.map(str::to_owned).collect())
    }

    /// Names of each guest that packages had, in order; and why they are not known where that is so.
    pub fn finish(mut self) -> BTreeMap<GuestName, Orphans> {
        let mut before = FormerOwners::new();
        for (run, mut unowned) in std::mem::take(&mut self.unowned) {
            let why = match self.owners(&run, &unowned) {
                Ok(owners) => {
                    for (file, owner) in owners {
                        let file = unowned.remove(&file);
                        file.into_iter()
                            .for_each(|file| self.find(file, owner.as_ref()));
                    }
                    NotKnown {
                        why: "no plan that is kept says whose some of its files were".to_owned(),
                        unread: false,
                    }
                }
                Err(why) => why,
            };
            for ((_, first), file) in unowned {
                let (who, object) = (file.who.clone(), file.object);
                before.want(who, first, &object, (file, why.clone()));
            }
        }
        for (guest, (file, why), told) in before.ask(&mut self.plans, &self.standing) {
            match told {
                Some(owner) => self.find(file, owner.as_ref()),
                None => self.say(&guest, &why),
            }
        }
        for orphans in self.found.values_mut() {
            orphans.names.sort_by(|a, b| a.path.cmp(&b.path));
        }
        self.found
    }

    /// What the plan of the run says of those of these files that it has a line of.
    fn owners(
        &self,
        run: &RunId,
        wanted: &HashMap<FirstName, Unowned>,
    ) -> Result<Vec<(FirstName, Option<Owner>)>, NotKnown> {
        let mut owners = Vec::new();
        self.plans.links(run, |link| {
            for name in link.names() {
                let file = (link.guest.clone(), name.clone());
                if wanted.contains_key(&file) {
                    owners.push((file, link.owner.clone()));
                }
            }
        })?;
        Ok(owners)
    }

    fn find(&mut self, file: Unowned, owner: Option<&Owner>) {
        let Some(owner) = owner else {
            return;
        };
        let Unowned { who, names, object } = file;
        let orphan = |path| Orphan {
            path,
            object,
            owner: owner.clone(),
        };
        let of_guest = self.found.entry(who.name).or_default();
        of_guest.names.extend(names.into_iter().map(orphan));
    }

    /// One reason a guest is enough.
    fn say(&mut self, guest: &GuestName, not_known: &NotKnown) {
        let of_guest = self.found.entry(guest.clone()).or_default();
        let why = &not_known.why;
        of_guest.unknown.get_or_insert_with(|| why.to_owned());
        of_guest.unread |= not_known.unread;
    }
}

/// The first name of the file and all its names that no package owns, where none owns the first.
fn unowned(
    held: &HeldFile<'_>,
    owned: impl Fn(&GuestPath) -> bool,
) -> Option<(GuestPath, Vec<GuestPath>)> {
    let first = held.file.paths.first().filter(|first| !owned(first))?;
    let names = held.names.iter().filter(|name| !owned(name));
    let names: Vec<GuestPath> = names.map(|name| (*name).clone()).collect();
    (!names.is_empty()).then(|| (first.clone(), names))
}
