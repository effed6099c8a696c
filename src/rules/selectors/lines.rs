//! Which lines of one plan are selected: links of its guests are followed, and flags go with the lines that name their
//! objects.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::{Links, Selection, WantedNames, WantedPaths};
use crate::model::{Action, FlagReason, GuestName, GuestPath, ObjectId};

/// Paths that are wanted, also as the links of guests lead that were looked at.
#[derive(Debug)]
pub struct FollowedPaths<'s> {
    spelt: &'s WantedPaths,
    followed: BTreeMap<GuestName, WantedPaths>,
}

impl<'s> FollowedPaths<'s> {
    /// No guest was looked at yet.
    pub fn of(selection: &'s Selection) -> FollowedPaths<'s> {
        FollowedPaths {
            spelt: &selection.paths,
            followed: BTreeMap::new(),
        }
    }

    /// Takes the links of a guest.
    pub fn follow(&mut self, guest: &GuestName, links: &dyn Links) {
        let followed = self.spelt.followed(guest, links);
        self.followed.insert(guest.clone(), followed);
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
        self.followed.get(guest).unwrap_or(self.spelt)
    }
}

/// The lines of one plan that are selected, flag lines among them. The plan is read twice: once to learn, once to ask.
/// Memory: eight bytes for each object that is selected. Where two objects have one hash, a flag line too many is
/// selected, and no other line.
pub struct SelectedLines<'s> {
    selection: &'s Selection,
    paths: FollowedPaths<'s>,
    objects: HashSet<u64>,
    hasher: RandomState,
}

impl<'s> SelectedLines<'s> {
    /// Has learned nothing yet.
    pub fn of(selection: &'s Selection) -> SelectedLines<'s> {
        SelectedLines {
            selection,
            paths: FollowedPaths::of(selection),
            objects: HashSet::new(),
            hasher: RandomState::new(),
        }
    }

    /// The paths that are wanted, to take links of guests before a line is learned.
    pub fn paths(&mut self) -> &mut FollowedPaths<'s> {
        &mut self.paths
    }

    fn has_line(&self, action: &Action) -> bool {
        let paths_in = |guest: &GuestName| self.paths.within(guest);
        self.selection.has_line_by(action, paths_in)
    }

    /// Takes in a line of the first reading.
    pub fn learn(&mut self, action: &Action) {
        if self.selection.is_all() || !self.has_line(action) {
            return;
        }
        let object = match action {
            Action::Link(link) => Some(&link.object),
            Action::Skip(skip) => skip.object(),
            Action::Flag(_) => None,
        };
        if let Some(object) = object {
            self.objects.insert(self.hash(object));
        }
    }

    /// Is this line selected? All lines must have been learned.
    pub fn has(&self, action: &Action) -> bool {
        let object = match action {
            _ if self.selection.is_all() => return true,
            Action::Flag(flag) => &flag.object,
            Action::Skip(skip) if skip.guest().is_none() => match skip.object() {
                Some(object) => object,
                None => return false,
            },
            other => return self.has_line(other),
        };
        let codes = &self.selection.reasons;
        let flag = FlagReason::ProtectShared.code();
        let is_asked_for = codes.only.iter().any(|code| code == flag) && !self.narrows_names();
        let goes_along = self.objects.contains(&self.hash(object));
        (is_asked_for || goes_along) && !codes.not.iter().any(|code| code == flag)
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
