//! Which lines of one plan are selected: links of its guests are followed, and flags go with the link lines of their
//! objects.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::{BadPattern, Links, Selection, WantedNames, WantedPaths};
use crate::model::{Action, GuestName, GuestPath, ObjectId};

/// Paths that are wanted, also as the links of guests lead that were looked at.
#[derive(Debug)]
pub struct FollowedPaths {
    spelt: WantedPaths,
    followed: BTreeMap<GuestName, WantedPaths>,
}

impl FollowedPaths {
    /// No guest was looked at yet.
    pub fn of(selection: &Selection) -> FollowedPaths {
        FollowedPaths {
            spelt: selection.paths.clone(),
            followed: BTreeMap::new(),
        }
    }

    /// Are not all paths wanted?
    pub fn are_narrow(&self) -> bool {
        !self.spelt.is_all()
    }

    /// Takes the links of a guest. Where these are more than are followed nobody can tell what is meant.
    pub fn follow(&mut self, guest: &GuestName, links: &dyn Links) -> Result<(), BadPattern> {
        let followed = self.spelt.followed(guest, links);
        let WantedPaths { only, not } = &followed;
        let mut cut = not
            .compiled
            .cut_short(guest)
            .chain(only.compiled.cut_short(guest));
        if let Some((_, bad)) = cut.next() {
            return Err(bad);
        }
        drop(cut);
        self.followed.insert(guest.clone(), followed);
        Ok(())
    }

    /// Is a file of this guest with these names meant, as far as its names go?
    pub fn has_names<'p>(
        &self,
        guest: &GuestName,
        names: impl Iterator<Item = &'p GuestPath>,
    ) -> bool {
        self.within(guest).want(guest, names)
    }

    fn within(&self, guest: &GuestName) -> &WantedPaths {
        self.followed.get(guest).unwrap_or(&self.spelt)
    }
}

/// The lines of one plan that are selected, flag lines among them. The plan is read twice: once to learn, once to ask.
/// Memory: eight bytes for each object, and as many for each that is selected.
pub struct SelectedLines {
    selection: Selection,
    paths: FollowedPaths,
    /// Objects that link lines name, those of selected ones, and those of selected skips.
    linked: HashSet<u64>,
    kept: HashSet<u64>,
    skipped: HashSet<u64>,
    hasher: RandomState,
}

impl SelectedLines {
    /// Has learned nothing yet.
    pub fn of(selection: Selection) -> SelectedLines {
        SelectedLines {
            paths: FollowedPaths::of(&selection),
            selection,
            linked: HashSet::new(),
            kept: HashSet::new(),
            skipped: HashSet::new(),
            hasher: RandomState::new(),
        }
    }

    /// The paths that are wanted, to take links of guests before a line is learned.
    pub fn paths(&mut self) -> &mut FollowedPaths {
        &mut self.paths
    }

    fn has_line(&self, action: &Action) -> bool {
        let paths_in = |guest: &GuestName| self.paths.within(guest);
        self.selection.has_line_by(action, paths_in)
    }

    /// Takes in a line of the first reading.
    pub fn learn(&mut self, action: &Action) {
        if self.selection.is_all() {
            return;
        }
        let is_kept = self.has_line(action);
        match action {
            Action::Link(link) => {
                let object = self.hash(&link.object);
                self.linked.insert(object);
                if is_kept {
                    self.kept.insert(object);
                }
            }
            Action::Skip(skip) if is_kept => {
                let object = skip.object().map(|object| self.hash(object));
                self.skipped.extend(object);
            }
            Action::Reflink(_) | Action::Skip(_) | Action::Flag(_) => {}
        }
    }

    /// Is this line selected? All lines must have been learned.
    pub fn has(&self, action: &Action) -> bool {
        match action {
            _ if self.selection.is_all() => true,
            Action::Flag(flag) => {
                let object = self.hash(&flag.object);
                match self.linked.contains(&object) {
                    true => self.kept.contains(&object),
                    false => self.has_object(object, flag.reason.code()),
                }
            }
            Action::Skip(skip) if skip.guest().is_none() => {
                let code = skip.reason.code();
                skip.object()
                    .is_some_and(|object| self.has_object(self.hash(object), code))
            }
            other => self.has_line(other),
        }
    }

    /// Is a line meant that is about an object and no guest?
    fn has_object(&self, object: u64, code: &str) -> bool {
        let codes = &self.selection.reasons;
        let goes_along = self.kept.contains(&object) || self.skipped.contains(&object);
        let is_left_out = codes.not.iter().any(|one| one == code);
        !is_left_out && (goes_along || (codes.want(code) && !self.narrows_names()))
    }

    fn narrows_names(&self) -> bool {
        let WantedNames { only, .. } = &self.selection.guests;
        let packages = &self.selection.packages.only;
        let paths = !self.selection.paths.only.typed.is_empty();
        !only.is_empty() || !packages.is_empty() || paths || self.selection.min_saves.is_some()
    }

    fn hash(&self, object: &ObjectId) -> u64 {
        self.hasher.hash_one(object)
    }
}
