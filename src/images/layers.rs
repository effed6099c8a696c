//! The layers of an image: what each adds, and what it removes of those beneath (OCI image specification, "Image Layer
//! Filesystem Changeset").
//!
//! A layer is read whole before it is applied: what it removes is removed of lower layers alone, wherever the marks
//! stand in it. A layer that adds and removes one path is refused.

use std::collections::{BTreeSet, HashSet};

use super::content::Sinks;
use super::fault::{BadEntry, ImageFault};
use super::tar::{TarEntry, TarKind, TarReader};
use super::tree::{ImageTree, NewEntry, NewHolds};

/// What begins the name of a mark, and what is the mark that a directory hides all that is beneath.
const MARK: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// What aufs kept for itself at the top of its layers.
const AUFS: &[&[u8]] = &[b".wh..wh.aufs", b".wh..wh.plnk", b".wh..wh.orph"];

/// Names of attributes by which an overlay tells its own.
const OVERLAY: &[&[u8]] = &[b"trusted.overlay.", b"user.overlay."];

/// A layer.
#[derive(Debug, Default)]
pub struct Layer {
    /// How messages call it.
    name: String,
    entries: Vec<NumberedEntry>,
    removed: BTreeSet<Vec<u8>>,
    /// Directories that hide what is beneath.
    opaque: Vec<Vec<u8>>,
}

/// Layers that are put on top of each other. A layer that an image lists again and again costs the image nothing, and
/// us all its names each time: that has a bound.
#[derive(Debug, Default)]
pub struct LayerStack {
    seen: HashSet<*const Layer>,
    /// Names of all layers, each counted once.
    names: usize,
}

/// Nodes of a tree for each name that was read, and so many more.
const NODES_A_NAME: usize = 4;
const NODES_BESIDE: usize = 100_000;

impl LayerStack {
    /// Puts one more on top; `number` rises.
    pub fn put(
        &mut self,
        layer: &Layer,
        tree: &mut ImageTree,
        number: u32,
    ) -> Result<(), ImageFault> {
        if self.seen.insert(std::ptr::from_ref(layer)) {
            self.names += layer.entries.len();
        }
        layer.apply(tree, number)?;
        match tree.len() > self.names * NODES_A_NAME + NODES_BESIDE {
            true => Err(ImageFault::Image(format!(
                "its layers put {} names in place and have {}: it lists the same ones again and again",
                tree.len(),
                self.names
            ))),
            false => Ok(()),
        }
    }
}

/// An entry, and its number in the archive.
#[derive(Debug)]
struct NumberedEntry {
    number: u64,
    entry: NewEntry,
}

/// What an entry of a layer does.
enum Does {
    Adds,
    Removes(Vec<u8>),
    Hides(Vec<u8>),
    Nothing,
}

/// An entry as the tree takes it. Its content is read on the way.
pub fn new_entry(
    archive: &mut TarReader<'_>,
    entry: TarEntry,
    sinks: &Sinks<'_>,
) -> Result<NewEntry, ImageFault> {
    let holds = match &entry.kind {
        TarKind::File { .. } => NewHolds::File(sinks.file(archive, &entry)?),
        TarKind::Directory => NewHolds::Directory,
        TarKind::Symlink(target) => NewHolds::Symlink(target.clone()),
        TarKind::HardLink(target) => NewHolds::HardLink(target.clone()),
        TarKind::Special { .. } => NewHolds::Special,
    };
    let TarEntry { path, owner, .. } = entry;
    Ok(NewEntry { path, owner, holds })
}

impl Layer {
    /// Reads a layer to its end.
    pub fn read(
        name: &str,
        archive: &mut TarReader<'_>,
        sinks: &Sinks<'_>,
    ) -> Result<Layer, ImageFault> {
        let mut layer = Layer {
            name: name.to_owned(),
            ..Layer::default()
        };
        while let Some(entry) = archive.next()? {
            match does(&entry).map_err(|why| archive.fault(why))? {
                Does::Nothing => {}
                Does::Removes(path) => drop(layer.removed.insert(path)),
                Does::Hides(path) => layer.opaque.push(path),
                Does::Adds => {
                    let number = entry.number;
                    let entry = new_entry(archive, entry, sinks)?;
                    layer.entries.push(NumberedEntry { number, entry });
                }
            }
        }
        Ok(layer)
    }

    /// Puts the layer on top of those that are in the tree already; `number` rises.
    pub fn apply(&self, tree: &mut ImageTree, number: u32) -> Result<(), ImageFault> {
        for path in &self.removed {
            let slash = path.iter().rposition(|byte| *byte == b'/');
            let (above, name) = path.split_at(slash.map_or(0, |at| at + 1));
            if let Some(above) = tree.find(above) {
                tree.remove(above, name);
            }
        }
        for path in &self.opaque {
            if let Some(directory) = tree.find(path) {
                tree.empty(directory);
            }
        }
        for NumberedEntry { number: at, entry } in &self.entries {
            let put = self.not_removed(&entry.path);
            let put = put.and_then(|()| tree.put(entry.clone(), number));
            put.map_err(|why| why.at(*at, &entry.path, &self.name))?;
        }
        Ok(())
    }

    /// Neither the path nor a directory on its way is removed by the same layer.
    fn not_removed(&self, path: &[u8]) -> Result<(), BadEntry> {
        if self.removed.is_empty() {
            return Ok(());
        }
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let mut prefixes = slashes.map(|(at, _)| &path[..at]).chain([path]);
        match prefixes.find(|prefix| self.removed.contains(*prefix)) {
            Some(removed) => Err(BadEntry::AddedAndRemoved(removed.to_vec())),
            None => Ok(()),
        }
    }
}

fn does(entry: &TarEntry) -> Result<Does, BadEntry> {
    let path = &entry.path;
    if AUFS
        .iter()
        .any(|own| path.split(|byte| *byte == b'/').next() == Some(own))
    {
        return Ok(Does::Nothing);
    }
    let slash = path.iter().rposition(|byte| *byte == b'/');
    let (above, name) = path.split_at(slash.map_or(0, |at| at + 1));
    let mut on_the_way = above.split(|byte| *byte == b'/');
    if on_the_way.any(|component| component.starts_with(MARK)) {
        return Err(BadEntry::Whiteout("something lies beneath it"));
    }
    let Some(removed) = name.strip_prefix(MARK) else {
        return no_overlay(entry).map(|()| Does::Adds);
    };
    match entry.kind {
        TarKind::File { size: 0, .. } => {}
        _ => return Err(BadEntry::Whiteout("it is no empty file")),
    }
    match removed {
        _ if name == OPAQUE => {
            let directory = above.strip_suffix(b"/").unwrap_or(above);
            Ok(Does::Hides(directory.to_vec()))
        }
        b"" | b"." | b".." => Err(BadEntry::Whiteout("it names no file")),
        removed if removed.starts_with(MARK) => {
            Err(BadEntry::Whiteout("what it means is known to few programs"))
        }
        removed => Ok(Does::Removes([above, removed].concat())),
    }
}

/// What an overlay takes for its own marks stays what it is where no overlay is used.
fn no_overlay(entry: &TarEntry) -> Result<(), BadEntry> {
    if matches!(entry.kind, TarKind::Special { is_mark: true }) {
        return Err(BadEntry::Overlay("the device 0, 0"));
    }
    let is_own = |name: &[u8]| OVERLAY.iter().any(|own| name.starts_with(own));
    match entry.owner.attributes.iter().any(|one| is_own(&one.name)) {
        true => Err(BadEntry::Overlay("an attribute of overlays")),
        false => Ok(()),
    }
}
