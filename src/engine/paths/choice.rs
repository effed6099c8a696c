//! Globs that choose names of guests, as `--path` takes them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::links::GuestLinks;
use super::near::{Spelt, spelt};
use crate::engine::{EngineError, Guest};
use crate::model::{ChoseNothing, GuestName, GuestPath, Pattern, PatternKind};
use crate::rules::pattern::Patterns;

/// Globs that choose names of guests, as `--path` takes them: those of a command, and of which guest each is.
#[derive(Debug, Default)]
pub struct PathChoice {
    globs: Vec<Pattern>,
    for_all: Option<Patterns>,
    followed: BTreeMap<GuestName, Patterns>,
    /// Which globs have chosen something.
    used: RefCell<Vec<bool>>,
}

impl PathChoice {
    /// Compiles globs; `GUEST:/GLOB` is for one guest. None at all choose everything.
    pub fn new(globs: &[String]) -> Result<PathChoice, EngineError> {
        let pattern = |glob: &String| Pattern::of(PatternKind::Include, glob, false, "--path");
        let globs: Vec<Pattern> = globs.iter().map(pattern).collect();
        let for_all = match globs.is_empty() {
            true => None,
            false => Some(Patterns::new(&globs)?),
        };
        Ok(PathChoice {
            used: RefCell::new(vec![false; globs.len()]),
            globs,
            for_all,
            followed: BTreeMap::new(),
        })
    }

    /// Does it choose everything?
    pub fn is_everything(&self) -> bool {
        self.for_all.is_none()
    }

    /// Follows the globs through the links of a guest. Names of a guest that was not seen are chosen as they are spelt.
    pub fn see(&mut self, guest: &Guest) -> Result<(), EngineError> {
        if let Some(patterns) = &self.for_all {
            let files = guest.files()?;
            let links = GuestLinks::of(&*files);
            let followed = patterns.of_guest(&guest.name, &links);
            self.followed.insert(guest.name.clone(), followed);
        }
        Ok(())
    }

    /// Is this name chosen?
    pub fn chooses(&self, guest: &GuestName, path: &GuestPath) -> bool {
        let Some(all) = &self.for_all else {
            return true;
        };
        let patterns = self.followed.get(guest).unwrap_or(all);
        let mut chosen = false;
        for number in patterns.all_that_cover(path.as_bytes()) {
            let is_for = self.globs.get(number).is_some_and(|one| one.is_for(guest));
            if let Some(used) = self.used.borrow_mut().get_mut(number).filter(|_| is_for) {
                *used = true;
                chosen = true;
            }
        }
        chosen
    }

    /// Is one of these names of a file chosen?
    pub fn chooses_any(&self, guest: &GuestName, paths: &[GuestPath]) -> bool {
        paths.iter().any(|path| self.chooses(guest, path))
    }

    /// The globs that have chosen nothing so far, with what these guests have instead.
    pub fn unused(&self, guests: &[&Guest]) -> Vec<ChoseNothing> {
        let used = self.used.borrow();
        let unused = self
            .globs
            .iter()
            .zip(used.iter())
            .filter(|(_, used)| !**used);
        unused
            .map(|(glob, _)| chose_nothing(glob, guests))
            .collect()
    }
}

fn chose_nothing(glob: &Pattern, guests: &[&Guest]) -> ChoseNothing {
    let mut told = ChoseNothing {
        glob: glob.text(),
        no_guest: glob.guest.is_some() && !guests.iter().any(|guest| glob.is_for(&guest.name)),
        there: None,
        near: Vec::new(),
    };
    let meant = guests.iter().filter(|guest| glob.is_for(&guest.name));
    for guest in meant {
        let Ok(files) = guest.files() else { continue };
        let own = |path| (guest.name.clone(), path);
        match spelt(&*files, &glob.glob) {
            Spelt::There(path) => told.there = told.there.or_else(|| Some(own(path))),
            Spelt::Near(paths) if told.near.is_empty() => {
                told.near = paths.into_iter().map(own).collect();
            }
            Spelt::Near(_) => {}
        }
    }
    told
}
