//! Floor 3: what the container managers of this host say of a guest, by their own configuration. They tell whether
//! what they start in it could take the immutable flag off a file (`CAP_LINUX_IMMUTABLE`), and where a line against
//! that is written.
//!
//! A guest that several managers know is judged by the one that gives it most. What is not understood, unsafe to
//! believe or too much to read is "not known", never "it could not". That a manager's command line may say otherwise
//! is known to whoever types it.
//!
//! What is assumed: the guest's root is a path of this host without links. What is never done: read anything in a
//! guest, start a manager, or ask a daemon.

mod answer;
mod host;
mod lxc;
mod lxc_paths;
mod nspawn;
mod oci;
mod places;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::model::FlagClearing;
use host::HostFiles;
use lxc_paths::LxcPaths;

pub use places::ManagerPlaces;

/// The root that LXC's configuration in this directory, that of a container, names; `None` where there is none, or
/// where it is not known.
pub fn root_of_container(directory: &Path) -> Option<PathBuf> {
    let files = HostFiles { guests: Vec::new() };
    lxc::root_named(&files, &directory.join("config")).ok()?
}

/// The managers of this host, asked about some guests.
pub struct Managers {
    files: HostFiles,
    places: ManagerPlaces,
    containers: LxcPaths,
}

impl Managers {
    /// `guests` are the roots of all guests of the run: nothing is read from within them.
    pub fn new(places: ManagerPlaces, guests: Vec<PathBuf>) -> Managers {
        Managers {
            files: HostFiles { guests },
            places,
            containers: LxcPaths::default(),
        }
    }

    /// Could what they start in the guest at `root` take the flag off?
    pub fn flag_clearing(&self, root: &Path) -> FlagClearing {
        let elsewhere = self.containers.configs_of(&self.files, &self.places, root);
        let found = [
            lxc::ask(&self.files, root, elsewhere),
            oci::ask(&self.files, root),
            nspawn::ask(&self.files, &self.places, root),
        ];
        let found = found.into_iter().flatten();
        found
            .max_by_key(|one| one.answer)
            .or_else(|| self.containers.doubt())
            .unwrap_or_else(answer::no_manager)
    }
}
