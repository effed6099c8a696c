//! Where LXC keeps its containers, and which of their configurations name a root that lies elsewhere.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::host::{HostFile, HostFiles};
use super::lxc::{pairs, root_of};
use super::places::ManagerPlaces;

/// By the root that they name, the configurations of all containers; read when they are wanted first.
#[derive(Default)]
pub(super) struct LxcPaths(OnceCell<BTreeMap<PathBuf, Vec<PathBuf>>>);

impl LxcPaths {
    /// The configurations that name this root. It stands in the file itself, not in what that includes.
    pub fn configs_of(&self, files: &HostFiles, places: &ManagerPlaces, root: &Path) -> &[PathBuf] {
        let all = self.0.get_or_init(|| all(files, places));
        all.get(root).map_or(&[], Vec::as_slice)
    }
}

/// What cannot be read names no root.
fn all(files: &HostFiles, places: &ManagerPlaces) -> BTreeMap<PathBuf, Vec<PathBuf>> {
    let mut found: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    let top = containers(files, places);
    if let Ok(Some(HostFile::Directory(names))) = files.read(&top) {
        for name in names {
            let config = top.join(name).join("config");
            if let Some(root) = root_in(files, &config) {
                found.entry(root).or_default().push(config);
            }
        }
    }
    found
}

fn root_in(files: &HostFiles, config: &Path) -> Option<PathBuf> {
    let text = files.text(config).ok()??;
    let root = last(&text, "lxc.rootfs.path")?;
    files.real(&root_of(root)?)
}

fn containers(files: &HostFiles, places: &ManagerPlaces) -> PathBuf {
    let text = files.text(&places.lxc).ok().flatten().unwrap_or_default();
    let said = last(&text, "lxc.lxcpath").map(PathBuf::from);
    let said = said.filter(|path| path.is_absolute());
    said.unwrap_or_else(|| places.containers.clone())
}

fn last<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let all = pairs(text).filter(|(known, _)| *known == key);
    all.last().map(|(_, value)| value)
}
