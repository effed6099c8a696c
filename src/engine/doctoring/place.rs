//! Where something may be tried for a directory: in it, or beside the guest or base that it is or lies in. What lies in
//! a guest is the guest's, and a base holds nothing but what it is made of.

use std::path::{Path, PathBuf};

use super::assistant;
use crate::base::{Base, check_place};
use crate::engine::EngineError;
use crate::engine::records::bases::root_around;
use crate::model::{Escaped, Trial};
use crate::rules::root::lies_in;
use crate::sys::host::machine;
use crate::sys::host::trials::failed;
use crate::sys::own::scratch::Scratch;
use crate::sys::{Dir, SysResult, canonical};

/// How a scratch directory is called, before the number of its process.
const NAME: &str = ".unify-doctor";

/// A directory that somebody asks about.
pub(super) struct AskedPlace {
    /// Without links.
    pub path: PathBuf,
    pub dir: Dir,
    /// The root that it is, or lies in.
    pub guest: Option<PathBuf>,
    /// Where scratch files may be made; `None` where that would be on another mount.
    pub beside: Option<PathBuf>,
    pub filesystem: String,
}

impl AskedPlace {
    /// Looks where it is.
    pub fn find(given: &Path) -> Result<AskedPlace, EngineError> {
        let path = canonical(given)?;
        let dir = Dir::open(&path)?;
        let guest = root_around(&path);
        let beside = match &guest {
            Some(root) => lies_in(root).map(Path::to_owned),
            None if Base::is_at(&path) => path.parent().map(Path::to_owned),
            None => Some(path.clone()),
        };
        let filesystem = machine::filesystem(&dir)?.name;
        Ok(AskedPlace {
            beside: beside.filter(|beside| is_on_one_mount(&dir, beside)),
            path,
            dir,
            guest,
            filesystem,
        })
    }

    /// A directory for scratch files, or why there is none.
    pub fn scratch(&self) -> Result<Scratch, Trial> {
        let Some(beside) = &self.beside else {
            let root = self.guest.as_ref().unwrap_or(&self.path);
            return Err(Trial::untried(format!(
                "nothing is written into {}, and what is beside it is on another mount",
                Escaped::of(root)
            )));
        };
        match Dir::open(beside).and_then(|dir| machine::is_read_only(&dir)) {
            Ok(false) => {}
            Ok(true) => return Err(Trial::untried("it is mounted read-only")),
            Err(error) => return Err(untried(&error)),
        }
        let target = beside.join(NAME);
        if let Err(error) = check_place(&target) {
            return Err(Trial::untried(error.to_string()));
        }
        Scratch::swept(&target, assistant::sweeper).map_err(|error| untried(&error))
    }

    /// Are all names here as they are written? A directory hands the other way on to those that are made in it.
    pub fn case_sensitive(&self) -> Trial {
        self.no_directory_above(Dir::ignores_case, "ignores upper and lower case")
    }

    /// Is nothing encrypted here?
    pub fn unencrypted(&self) -> Trial {
        self.no_directory_above(Dir::is_encrypted, "is encrypted (fscrypt)")
    }

    /// Is this so of no directory from here up?
    fn no_directory_above(&self, is_so: fn(&Dir) -> SysResult<bool>, how: &str) -> Trial {
        for above in self.path.ancestors() {
            match Dir::open(above).and_then(|dir| is_so(&dir)) {
                Ok(false) => {}
                Ok(true) => return Trial::cannot(format!("{} {how}", Escaped::of(above))),
                Err(error) => return failed(&error),
            }
        }
        Trial::can("")
    }
}

/// What cannot be made says nothing of what could be done with it.
fn untried(error: &crate::sys::SysError) -> Trial {
    Trial::untried(format!("no scratch directory: {}", error.said()))
}

fn is_on_one_mount(dir: &Dir, beside: &Path) -> bool {
    let same = |other: Dir| Ok(other.mount_id()? == dir.mount_id()?);
    let same: SysResult<bool> = Dir::open(beside).and_then(same);
    same.unwrap_or(false)
}
