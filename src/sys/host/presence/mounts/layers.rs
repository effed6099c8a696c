//! Does an overlay have a layer that touches a tree?
//!
//! The kernel tells layers as they were given: in the namespace, below the root and from the working directory that
//! the mounting process had. An absolute path is looked up in our view, where overlays of container managers were
//! made, and in the view of the namespace that has the mount. A relative one is looked for from every directory above
//! the place where we have the same overlay, as Docker mounts it. Where that leads nowhere, names decide: a layer may
//! be a guest if one of its names is the guest's last one, if it ends in a name of the guest's path, if the guest has
//! a directory of that name, or if it is nothing but dots. A link, or a directory deep within a guest that was the
//! working directory, can therefore hide a layer that is given by a relative path in a namespace of its own.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::layer_names::{LayerFrame, Overlay};
use super::own_table::OwnTable;
use super::paths::ancestors;
use super::places::{BlockDevice, MountedTree};
use super::real_paths::RealPaths;
use crate::model::Escaped;

/// Compares layers with trees.
pub struct LayerJudge<'a> {
    own: &'a OwnTable,
    trees: &'a [MountedTree],
    links: &'a mut RealPaths,
}

impl<'a> LayerJudge<'a> {
    /// Nothing was asked yet.
    pub fn new(
        own: &'a OwnTable,
        trees: &'a [MountedTree],
        links: &'a mut RealPaths,
    ) -> LayerJudge<'a> {
        LayerJudge { own, trees, links }
    }

    /// For every tree the first layer of the overlay that touches it, or may.
    pub fn touched(&mut self, overlay: &Overlay, frame: &LayerFrame) -> Vec<(usize, String)> {
        let mut found: Vec<(usize, String)> = Vec::new();
        for (name, layer) in &overlay.layers {
            for tree in self.touched_by(overlay, layer, frame) {
                if found.iter().all(|(known, _)| *known != tree) {
                    let shown = Escaped(layer);
                    found.push((tree, format!("its {name} is {shown}")));
                }
            }
        }
        found
    }

    fn touched_by(&mut self, overlay: &Overlay, layer: &[u8], frame: &LayerFrame) -> Vec<usize> {
        let own = self.own;
        let mut places: Vec<(BlockDevice, Vec<u8>)> = Vec::new();
        let mut is_known = false;
        if layer.starts_with(b"/") {
            let there = frame.resolve(layer);
            is_known = there
                .as_ref()
                .is_some_and(|(device, _)| !self.is_watched(*device));
            places.extend(own.resolve(layer).map(|(mount, path)| (mount.device, path)));
            places.extend(there);
            is_known |= self.real(layer).is_some();
            places.extend(self.real(layer));
        } else {
            for point in own.overlay(overlay.device) {
                for above in ancestors(point) {
                    let path = [above.strip_suffix(b"/").unwrap_or(above), b"/", layer].concat();
                    is_known |= self.real(&path).is_some();
                    places.extend(self.real(&path));
                }
            }
        }
        let touches = |tree: &MountedTree| places.iter().any(|(at, path)| tree.touches(*at, path));
        let all = self.trees.iter().enumerate();
        let named = |tree: &MountedTree| !is_known && may_be(tree, layer);
        all.filter(|(_, tree)| touches(tree) || named(tree))
            .map(|(at, _)| at)
            .collect()
    }

    fn is_watched(&self, device: BlockDevice) -> bool {
        self.trees.iter().any(|tree| tree.device == device)
    }

    /// The place that a path of ours leads to through links, where it is on a file system that no server answers for.
    fn real(&mut self, path: &[u8]) -> Option<(BlockDevice, Vec<u8>)> {
        let is_local = self.own.resolve(path).is_some_and(|(at, _)| at.is_local);
        let real = is_local.then(|| self.links.of(path))??;
        let (mount, place) = self.own.resolve(&real)?;
        Some((mount.device, place))
    }
}

/// May a layer of this name be the tree, or above or below it, as far as names go?
fn may_be(tree: &MountedTree, layer: &[u8]) -> bool {
    let names = |path: &[u8]| -> Vec<Vec<u8>> {
        let parts = path.split(|&byte| byte == b'/');
        let parts = parts.filter(|part| !matches!(*part, b"" | b"." | b".."));
        parts.map(<[u8]>::to_vec).collect()
    };
    let (layer, here) = (names(layer), [names(&tree.path), names(&tree.shown)]);
    let Some(last) = layer.last() else {
        return true;
    };
    let is_above = here.iter().flatten().any(|name| name == last);
    let is_guest = here.iter().filter_map(|names| names.last());
    let is_below = is_guest.into_iter().any(|name| layer.contains(name));
    is_above || is_below || has(&tree.shown, &layer)
}

/// Has the tree such a directory? It is on a file system of this machine.
fn has(tree: &[u8], names: &[Vec<u8>]) -> bool {
    let mut path = PathBuf::from(OsStr::from_bytes(tree));
    for name in names {
        path.push(Path::new(OsStr::from_bytes(name)));
        if fs::symlink_metadata(&path).map_or(true, |meta| !meta.is_dir()) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide_where_nothing_else_does() {
        let tree = MountedTree {
            device: BlockDevice { major: 8, minor: 1 },
            path: b"/guests/web".to_vec(),
            shown: b"/srv/guests/web".to_vec(),
        };
        for like in [&b"web"[..], b"../web/usr", b"guests", b".", b"..", b"srv"] {
            assert!(may_be(&tree, like), "{like:?}");
        }
        for unlike in [&b"lo"[..], b"../db", b"l/ABC", b"guests/db"] {
            assert!(!may_be(&tree, unlike), "{unlike:?}");
        }
    }
}
