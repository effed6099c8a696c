//! Which guest is meant, and where it is: by its root or its image, by a plan that names it, or by what the base has
//! met.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::base::Base;
use crate::engine::error::BadUse;
use crate::engine::guest::name_for;
use crate::engine::records::known_roots::known_roots;
use crate::engine::sources::{image_error, open_images, open_planned};
use crate::engine::{EngineError, Guest, GuestArg, GuestSources, PlanFile, SourceArg};
use crate::model::{Escaped, GuestName};
use crate::sys::guest::GuestFiles;
use crate::sys::{Dir, SysResult, canonical};

/// A guest that is read, and nothing else.
#[derive(Debug)]
pub struct GuestPlace {
    /// How it is called here.
    pub name: GuestName,
    path: PathBuf,
    is: PlacedGuest,
}

#[derive(Debug)]
enum PlacedGuest {
    Directory(Guest),
    /// An image is read once, for whoever takes it.
    Image(Mutex<Option<Box<dyn GuestFiles>>>),
}

impl GuestPlace {
    /// The guest whose root or image this is. A root need not look like one. Among images for several machines
    /// `platform` chooses.
    pub fn at(arg: &SourceArg, platform: Option<&str>) -> Result<GuestPlace, EngineError> {
        let found = GuestSources::of(std::slice::from_ref(arg), platform, false)?;
        if let Some(directory) = found.directories.first() {
            return GuestPlace::root(directory);
        }
        let opened = open_images(&found.images)?.into_iter().next();
        let image = opened.ok_or(BadUse::NamelessInput)?;
        Ok(GuestPlace::image(
            image.identity.name,
            image.identity.path,
            image.files,
        ))
    }

    fn root(arg: &GuestArg) -> Result<GuestPlace, EngineError> {
        let path = canonical(&arg.path)?;
        let name = name_for(arg, &path)?;
        Ok(GuestPlace::open(name, &path)?)
    }

    fn open(name: GuestName, path: &Path) -> SysResult<GuestPlace> {
        let guest = Guest::open(name.clone(), path)?;
        Ok(GuestPlace {
            name,
            path: guest.path.clone(),
            is: PlacedGuest::Directory(guest),
        })
    }

    fn image(name: GuestName, path: PathBuf, files: Box<dyn GuestFiles>) -> GuestPlace {
        GuestPlace {
            name,
            path,
            is: PlacedGuest::Image(Mutex::new(Some(files))),
        }
    }

    /// The guest that a plan calls so.
    pub fn in_plan(plan: &Path, name: &GuestName) -> Result<GuestPlace, EngineError> {
        let found = PlanFile::open(plan)?.guest(name)?;
        match found.image {
            None => Ok(GuestPlace::open(name.clone(), &found.root)?),
            Some(_) => {
                let files = open_planned(&found)?;
                Ok(GuestPlace::image(name.clone(), found.root, files))
            }
        }
    }

    /// The guest that a base has met by this name, where it was last.
    pub fn in_base(base: &Path, name: &GuestName) -> Result<GuestPlace, EngineError> {
        let known = known_roots(&Base::existing(base)?)?;
        match known.root_of(name) {
            Some(root) => Ok(GuestPlace::open(name.clone(), root)?),
            None => Err(BadUse::UnknownGuest(name.clone()).into()),
        }
    }

    /// Is it the same directory?
    pub fn is_same_as(&self, other: &GuestPlace) -> bool {
        match (&self.is, &other.is) {
            (PlacedGuest::Directory(one), PlacedGuest::Directory(other)) => one.id == other.id,
            _ => self.path == other.path && self.name == other.name,
        }
    }

    /// Where it is, as people are shown it.
    pub fn shown(&self) -> String {
        Escaped::of(&self.path).to_string()
    }

    /// Its files: of a directory through a view that leaves no trace. Those of an image are taken once, and all of it
    /// is read here.
    pub(super) fn files(&self) -> Result<Box<dyn GuestFiles>, EngineError> {
        let files = match &self.is {
            PlacedGuest::Directory(guest) => return Ok(guest.files()?),
            PlacedGuest::Image(files) => files,
        };
        let taken = files.lock().unwrap_or_else(PoisonError::into_inner).take();
        let files = taken.ok_or_else(|| BadUse::GivenTwice(self.path.clone()))?;
        let read = files.look(b"etc");
        read.map_err(|error| image_error(&self.name, error))?;
        Ok(files)
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
