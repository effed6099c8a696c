//! Names in watched trees that are mounted themselves, at another place: a mount of a single file keeps showing its
//! inode, whatever becomes of the name. Directories are among them and do no harm: what is opened beneath one is found
//! by its name.

use std::collections::BTreeMap;

use super::paths::strip;
use super::places::{MountedTree, ShownMount};
use crate::model::{Escaped, GuestPath};

/// Those of one namespace: the tree, the name, and the mount point there.
#[derive(Debug, Default)]
pub struct FileMounts(Vec<(usize, GuestPath, Vec<u8>)>);

impl FileMounts {
    /// Notes a mount that shows a name in a tree and not the tree.
    pub fn note(&mut self, trees: &[MountedTree], mount: &ShownMount) {
        for (at, tree) in trees.iter().enumerate() {
            let rest = strip(&tree.path, &mount.root).filter(|rest| !rest.is_empty());
            let name = rest.filter(|_| tree.device == mount.device);
            let name = name.and_then(|name| GuestPath::new(name).ok());
            self.0
                .extend(name.map(|name| (at, name, mount.point.clone())));
        }
    }

    /// Adds the names of one tree to those that are known, each with the first of its points in order.
    pub fn add_to(&self, tree: usize, names: &mut BTreeMap<GuestPath, String>) {
        for (_, name, point) in self.0.iter().filter(|(at, ..)| *at == tree) {
            let point = format!("at {}", Escaped(point));
            let known = names.entry(name.clone()).or_insert_with(|| point.clone());
            if point < *known {
                *known = point;
            }
        }
    }
}
