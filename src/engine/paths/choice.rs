//! Globs that choose names of guests, as `--path` takes them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::links::GuestLinks;
use super::near::{near_of, there};
use crate::engine::{EngineError, Guest};
use crate::model::{ChoseNothing, GuestName, GuestPath, Pattern, PatternKind};
use crate::rules::pattern::Patterns;
use crate::sys::guest::GuestFiles;

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
            if let Some((_, bad)) = followed.cut_short(&guest.name).next() {
                return Err(bad.into());
            }
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

    /// The globs that have chosen nothing so far, with what these guests have instead: near names for the first ones.
    pub fn unused(&self, guests: &[&Guest]) -> Vec<ChoseNothing> {
        let used = self.used.borrow();
        let globs = self.globs.iter().zip(used.iter());
        let unused: Vec<&Pattern> = globs
            .filter(|(_, used)| !**used)
            .map(|(glob, _)| glob)
            .collect();
        if unused.is_empty() {
            return Vec::new();
        }
        let open = guests
            .iter()
            .filter_map(|guest| Some((&guest.name, guest.files().ok()?)));
        let open: Vec<OpenFiles<'_>> = open.collect();
        let told = unused.into_iter().zip(0..);
        told.map(|(glob, number)| chose_nothing(glob, &open, number < MOST_WITH_NEAR))
            .collect()
    }
}

/// Globs of which near names are looked for.
const MOST_WITH_NEAR: usize = 20;

/// A guest's name, and its files.
type OpenFiles<'a> = (&'a GuestName, Box<dyn GuestFiles>);

fn chose_nothing(glob: &Pattern, guests: &[OpenFiles<'_>], with_near: bool) -> ChoseNothing {
    let meant = || guests.iter().filter(|(name, _)| glob.is_for(name));
    let mut told = ChoseNothing {
        glob: glob.text(),
        no_guest: glob.guest.is_some() && meant().next().is_none(),
        there: None,
        near: Vec::new(),
    };
    for (name, files) in meant() {
        let own = |path| ((*name).clone(), path);
        match there(&**files, &glob.glob) {
            Some(path) => told.there = told.there.or_else(|| Some(own(path))),
            None if with_near && told.near.is_empty() => {
                let near = near_of(&**files, &glob.glob).into_iter();
                told.near = near.map(own).collect();
            }
            None => {}
        }
    }
    told
}
