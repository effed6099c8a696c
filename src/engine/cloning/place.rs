//! Where the new guest goes: a name in a directory that is there, apart from all guests and the base.

use std::path::{Path, PathBuf};

use crate::base::Base;
use crate::engine::error::BadUse;
use crate::engine::guest::{base_path, name_for};
use crate::engine::records::History;
use crate::engine::{EngineError, Guest, GuestArg};
use crate::model::GuestName;
use crate::sys::own::stage::TreeStage;
use crate::sys::{Dir, SysError, SysResult, canonical};

/// The place of a guest that is not there yet.
pub(super) struct NewPlace {
    pub name: GuestName,
    pub path: PathBuf,
    parent: Dir,
}

impl NewPlace {
    /// Refuses a place where something is, be it a link that leads nowhere, and one within the guest or the base.
    pub fn of(
        arg: &GuestArg,
        source: &Guest,
        base: Option<&Path>,
    ) -> Result<NewPlace, EngineError> {
        let Some(own) = arg.path.file_name() else {
            return Err(BadUse::CloneExists(arg.path.clone()).into());
        };
        let above = arg
            .path
            .parent()
            .filter(|above| !above.as_os_str().is_empty());
        let above = canonical(above.unwrap_or(Path::new(".")))?;
        let path = above.join(own);
        let parent = Dir::open(&above)?;
        let base = base.map(base_path).transpose()?;
        for other in [Some(&source.path), base.as_ref()].into_iter().flatten() {
            if path.starts_with(other) && path != *other {
                return Err(BadUse::Nested(path, other.clone()).into());
            }
        }
        // The same directories may be reached through other mounts.
        for directory in above.ancestors() {
            let here = Dir::open(directory)?.state()?.id;
            if here == source.id {
                return Err(BadUse::Nested(path, source.path.clone()).into());
            }
        }
        let place = NewPlace {
            name: name_for(arg, &path)?,
            path,
            parent,
        };
        if place.is_taken()? {
            return Err(BadUse::CloneExists(place.path).into());
        }
        if place.name == source.name {
            return Err(BadUse::SameName {
                name: place.name,
                one: source.path.clone(),
                other: place.path,
            }
            .into());
        }
        Ok(place)
    }

    fn is_taken(&self) -> SysResult<bool> {
        let name = self.path.file_name().unwrap_or_default();
        let seen = self.parent.glance(name.as_encoded_bytes());
        Ok(SysError::absent(seen)?.is_some())
    }

    /// Is the name free in the base, and the place in no guest that it knows?
    pub fn is_no_others(&self, history: &History) -> Result<(), EngineError> {
        for (name, known) in &history.guests {
            if !history.has_files(known) {
                continue;
            }
            if *name == self.name {
                return Err(BadUse::Namesake {
                    name: name.clone(),
                    other: known.root.clone(),
                }
                .into());
            }
            if self.path.starts_with(&known.root) {
                return Err(BadUse::Nested(self.path.clone(), known.root.clone()).into());
            }
        }
        Ok(())
    }

    /// The directory that it will be in.
    pub fn parent(&self) -> &Dir {
        &self.parent
    }

    /// As a plan is told of it.
    pub fn as_guest(&self) -> GuestArg {
        GuestArg {
            name: Some(self.name.clone()),
            path: self.path.clone(),
        }
    }

    /// Why no name there can be one of the base's objects, if that is so.
    pub fn cannot_link(&self, base: Option<&Base>) -> SysResult<Option<String>> {
        let Some(base) = base else { return Ok(None) };
        let same_disk = self.parent.state()?.id.dev == base.dir().state()?.id.dev;
        let same_mount = self.parent.mount_id()? == base.dir().mount_id()?;
        Ok(match (same_disk, same_mount) {
            (true, true) => None,
            (false, _) => Some("the new guest is on another file system than the base".to_owned()),
            (true, false) => Some("the new guest is on another mount than the base".to_owned()),
        })
    }

    /// Puts a whole tree there.
    pub fn take(&self, stage: TreeStage) -> Result<(), EngineError> {
        let name = self.path.file_name().unwrap_or_default();
        match stage.publish(name.as_encoded_bytes())? {
            true => Ok(()),
            false => Err(BadUse::CloneExists(self.path.clone()).into()),
        }
    }
}
