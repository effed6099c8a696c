//! What the base remembers of a guest that is planned again: how much was in it, and by which names it was known.

use std::cell::OnceCell;

use crate::base::{Base, PLAN};
use crate::engine::Guest;
use crate::engine::plan_file::open_copy;
use crate::engine::records::History;
use crate::engine::records::known_roots::{KnownRoots, known_roots};
use crate::model::{DatabaseState, GuestName, PlannedGuest, RootNote};

/// So many of the last executed plans are looked into.
const MOST_PLANS: usize = 8;

/// What the last executed plans saw of a guest.
#[derive(Debug, Default)]
pub(super) struct LastPlanned {
    /// The most files that it had.
    pub files: u64,
    /// The package databases that it had last.
    pub databases: Vec<String>,
}

/// What a base remembers of guests. What cannot be read is not remembered.
pub(super) struct KnownBefore<'a> {
    base: Option<&'a Base>,
    roots: KnownRoots,
    plans: Vec<Vec<PlannedGuest>>,
    history: OnceCell<Option<History>>,
}

impl<'a> KnownBefore<'a> {
    /// Reads the first lines of receipts and plans.
    pub fn read(base: Option<&'a Base>) -> KnownBefore<'a> {
        let roots = base.and_then(|base| known_roots(base).ok());
        KnownBefore {
            base,
            roots: roots.unwrap_or_default(),
            plans: base.map_or_else(Vec::new, last_plans),
            history: OnceCell::new(),
        }
    }

    /// What plans saw of the same directory.
    pub fn last(&self, guest: &Guest) -> Option<LastPlanned> {
        let same =
            |planned: &&PlannedGuest| planned.ino == guest.id.ino && planned.root == guest.path;
        let mut last: Option<LastPlanned> = None;
        for planned in self.plans.iter().flatten().filter(same) {
            let seen = last.get_or_insert_default();
            seen.files = seen.files.max(planned.files);
            if seen.databases.is_empty() {
                let whole = planned.databases.iter();
                let whole = whole.filter(|database| database.state != DatabaseState::Damaged);
                seen.databases = whole.map(|database| database.manager.clone()).collect();
            }
        }
        last
    }

    /// Names that are not as they were. Only where the first lines of receipts say so, the others are asked whether
    /// anything is held by that name.
    pub fn names(&self, guest: &Guest) -> Vec<RootNote> {
        let mut notes = Vec::new();
        let mut others = self.roots.names_of(&guest.path);
        let other = others.find(|name| **name != guest.name && self.holds(name));
        notes.extend(other.map(|name| RootNote::OtherName {
            known_as: name.clone(),
        }));
        let elsewhere = self.roots.root_of(&guest.name);
        if elsewhere.is_some_and(|root| *root != guest.path) {
            notes.extend(self.namesake(guest));
        }
        notes
    }

    /// The same question as `apply` has.
    fn namesake(&self, guest: &Guest) -> Option<RootNote> {
        let history = self.history()?;
        let known = history.guests.get(&guest.name)?;
        let other = known.open(&guest.name)?;
        let is_other = other.id != guest.id && history.has_files(known);
        is_other.then_some(RootNote::NameTaken { root: other.path })
    }

    fn holds(&self, name: &GuestName) -> bool {
        let known = self.history().and_then(|history| {
            let known = history.guests.get(name)?;
            Some(history.has_files(known))
        });
        known.unwrap_or(false)
    }

    fn history(&self) -> Option<&History> {
        let read = || History::read(self.base?).ok();
        self.history.get_or_init(read).as_ref()
    }
}

/// The guests of the last executed plans, the newest first.
fn last_plans(base: &Base) -> Vec<Vec<PlannedGuest>> {
    let runs = base.runs().unwrap_or_default();
    let plans = runs.iter().rev().filter_map(|run| {
        let plan = open_copy(&base.run_paper(run, PLAN)).ok()?;
        Some(plan.guests().to_vec())
    });
    plans.take(MOST_PLANS).collect()
}
