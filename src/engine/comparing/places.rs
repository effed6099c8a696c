//! Which guest is meant, and where it is: by its root, by a plan that names it, or by what the base has met.

use std::path::Path;

use crate::base::Base;
use crate::engine::error::BadUse;
use crate::engine::guest::name_for;
use crate::engine::records::known_roots::known_roots;
use crate::engine::{EngineError, Guest, GuestArg, PlanFile};
use crate::model::{Escaped, GuestName};
use crate::sys::guest::GuestFiles;
use crate::sys::{Dir, SysResult, canonical};

/// A guest that is read, and nothing else.
#[derive(Debug)]
pub struct GuestPlace {
    /// How it is called here.
    pub name: GuestName,
    guest: Guest,
}

impl GuestPlace {
    /// The guest whose root this is. It need not look like one.
    pub fn at(arg: &GuestArg) -> Result<GuestPlace, EngineError> {
        let path = canonical(&arg.path)?;
        let name = name_for(arg, &path)?;
        GuestPlace::open(name, &path)
    }

    fn open(name: GuestName, path: &Path) -> Result<GuestPlace, EngineError> {
        let guest = Guest::open(name.clone(), path)?;
        Ok(GuestPlace { name, guest })
    }

    /// The guest that a plan calls so.
    pub fn in_plan(plan: &Path, name: &GuestName) -> Result<GuestPlace, EngineError> {
        let found = PlanFile::open(plan)?.guest(name)?;
        GuestPlace::open(name.clone(), &found.root)
    }

    /// The guest that a base has met by this name, where it was last.
    pub fn in_base(base: &Path, name: &GuestName) -> Result<GuestPlace, EngineError> {
        let known = known_roots(&Base::existing(base)?)?;
        match known.root_of(name) {
            Some(root) => GuestPlace::open(name.clone(), root),
            None => Err(BadUse::UnknownGuest(name.clone()).into()),
        }
    }

    /// Is it the same directory?
    pub fn is_same_as(&self, other: &GuestPlace) -> bool {
        self.guest.id == other.guest.id
    }

    /// Where it is, as people are shown it.
    pub fn shown(&self) -> String {
        Escaped::of(&self.guest.path).to_string()
    }

    /// Its files, through a view that leaves no trace.
    pub fn files(&self) -> SysResult<Box<dyn GuestFiles>> {
        self.guest.files()
    }
}

/// Two guests whose directories are called alike get names that tell them apart.
pub fn told_apart(old: &mut GuestPlace, new: &mut GuestPlace) {
    if old.name != new.name {
        return;
    }
    for (place, word) in [(old, "old"), (new, "new")] {
        let name = GuestName::new(&format!("{} ({word})", place.name.as_str()));
        place.name = name.unwrap_or_else(|_| place.name.clone());
    }
}

/// Is there a directory at this place?
pub fn is_directory(path: &Path) -> bool {
    Dir::open(path).is_ok()
}
