//! Where LXC keeps its containers, and which of their configurations name a root that lies elsewhere.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::host::{HostFile, HostFiles};
use super::lxc::{doubt, pairs, root_named};
use super::places::ManagerPlaces;
use crate::model::FlagClearing;

/// The configurations of all containers; read when they are wanted first.
#[derive(Default)]
pub(super) struct LxcPaths(OnceCell<Containers>);

#[derive(Default)]
struct Containers {
    /// By the root that they name.
    by_root: BTreeMap<PathBuf, Vec<PathBuf>>,
    /// Why a root may be named that is not known, if so.
    unread: Option<String>,
}

impl LxcPaths {
    /// The configurations that name this root, in themselves or in what they include.
    pub fn configs_of(&self, files: &HostFiles, places: &ManagerPlaces, root: &Path) -> &[PathBuf] {
        let all = self.0.get_or_init(|| Containers::read(files, places));
        all.by_root.get(root).map_or(&[], Vec::as_slice)
    }

    /// What is to be said of a guest that no manager is known of. It is asked after the configurations were read.
    pub fn doubt(&self) -> Option<FlagClearing> {
        let unread = self.0.get()?.unread.as_deref();
        unread.map(doubt)
    }
}

impl Containers {
    fn read(files: &HostFiles, places: &ManagerPlaces) -> Containers {
        let mut found = Containers::default();
        if let Err(why) = found.read_all(files, places) {
            found.unread.get_or_insert(why);
        }
        found
    }

    /// An error is about all that was not read yet.
    fn read_all(&mut self, files: &HostFiles, places: &ManagerPlaces) -> Result<(), String> {
        let top = top(files, places)?;
        let Some(HostFile::Directory(names)) = files.read(&top)? else {
            return Ok(());
        };
        for name in names {
            let config = top.join(name).join("config");
            match root_named(files, &config) {
                Ok(Some(root)) => {
                    if let Some(real) = files.real(&root) {
                        self.by_root.entry(real).or_default().push(config);
                    }
                }
                Ok(None) => {}
                Err(why) => {
                    self.unread.get_or_insert(why);
                }
            }
        }
        Ok(())
    }
}

/// The directory of all containers.
fn top(files: &HostFiles, places: &ManagerPlaces) -> Result<PathBuf, String> {
    let text = files.text(&places.lxc)?.unwrap_or_default();
    let said = pairs(&text).filter(|(known, _)| *known == "lxc.lxcpath");
    let said = said.last().map(|(_, path)| PathBuf::from(path));
    let said = said.filter(|path| path.is_absolute());
    Ok(said.unwrap_or_else(|| places.containers.clone()))
}
