//! An entry is put into the tree, or a name is taken out: by the rules that all programs that unpack images share.

use super::{Child, FileHolds, ImageNode, ImageTree, NodeHolds, NodeId, ROOT, implied};
use crate::images::fault::BadEntry;
use crate::images::tar::TarOwner;

/// An entry to be put in.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Without a slash in front; the root is empty.
    pub path: Vec<u8>,
    pub owner: TarOwner,
    pub holds: NewHolds,
}

/// What it is.
#[derive(Debug, Clone)]
pub enum NewHolds {
    Directory,
    File(Box<FileHolds>),
    Symlink(Vec<u8>),
    Special,
    /// Another name of what this name refers to.
    HardLink(Vec<u8>),
}

impl ImageTree {
    /// Puts in an entry of a layer; the image itself, where it has none, is layer 0. What lower layers have gives way.
    pub fn put(&mut self, entry: NewEntry, layer: u32) -> Result<(), BadEntry> {
        self.has_fractions |= entry.owner.mtime.nsec != 0;
        let slash = entry.path.iter().rposition(|byte| *byte == b'/');
        let (above, name) = entry.path.split_at(slash.map_or(0, |at| at + 1));
        if name.is_empty() {
            self.describe(ROOT, entry.owner);
            return Ok(());
        }
        let above = self.directory(above, layer)?;
        let name = Box::from(name);
        let old = self.children(above).and_then(|all| all.get(&name)).copied();
        match entry.holds {
            NewHolds::HardLink(target) => self.link(above, name, &target, old, layer),
            NewHolds::Directory => self.put_directory(above, name, entry.owner, old, layer),
            NewHolds::File(file) => {
                self.put_new(above, name, entry.owner, NodeHolds::File(file), old, layer)
            }
            NewHolds::Symlink(target) => {
                let link = NodeHolds::Symlink(target.into());
                self.put_new(above, name, entry.owner, link, old, layer)
            }
            NewHolds::Special => {
                self.put_new(above, name, entry.owner, NodeHolds::Special, old, layer)
            }
        }
    }

    /// The directory of this path, made where it is not there.
    fn directory(&mut self, path: &[u8], layer: u32) -> Result<NodeId, BadEntry> {
        let mut at = ROOT;
        let mut length = 0;
        for component in path
            .split(|byte| *byte == b'/')
            .filter(|one| !one.is_empty())
        {
            length += component.len() + 1;
            let child = self
                .children(at)
                .and_then(|all| all.get(component))
                .copied();
            at = match child {
                Some(child) if self.children(child.node).is_some() => child.node,
                Some(_) => {
                    let place = path[..length.min(path.len())].trim_ascii_end();
                    let place = place.strip_suffix(b"/").unwrap_or(place);
                    return Err(BadEntry::BeneathNoDirectory(place.to_vec()));
                }
                None => {
                    let node = self.add(implied())?;
                    self.name(at, component.into(), node, layer, true);
                    node
                }
            };
        }
        Ok(at)
    }

    fn name(&mut self, above: NodeId, name: Box<[u8]>, node: NodeId, layer: u32, is_implied: bool) {
        let child = Child {
            node,
            layer,
            is_implied,
        };
        if let Some(children) = self.children_mut(above) {
            children.insert(name, child);
        }
    }

    /// What a directory entry says of a directory that is there: what is in it stays.
    fn put_directory(
        &mut self,
        above: NodeId,
        name: Box<[u8]>,
        owner: TarOwner,
        old: Option<Child>,
        layer: u32,
    ) -> Result<(), BadEntry> {
        match old {
            Some(old) if self.children(old.node).is_some() => {
                self.twice += u64::from(old.layer == layer && !old.is_implied);
                self.describe(old.node, owner);
                self.name(above, name, old.node, layer, false);
                Ok(())
            }
            old => {
                let empty = NodeHolds::empty_directory();
                self.put_new(above, name, owner, empty, old, layer)
            }
        }
    }

    fn put_new(
        &mut self,
        above: NodeId,
        name: Box<[u8]>,
        owner: TarOwner,
        holds: NodeHolds,
        old: Option<Child>,
        layer: u32,
    ) -> Result<(), BadEntry> {
        if let Some(old) = old {
            self.give_way(above, &name, old, &holds, layer)?;
        }
        let attributes = self.attribute_set(owner.attributes);
        let node = self.add(ImageNode {
            mode: owner.mode,
            uid: owner.uid,
            gid: owner.gid,
            mtime: owner.mtime,
            names: 1,
            attributes,
            holds,
        })?;
        self.name(above, name, node, layer, false);
        Ok(())
    }

    /// What a lower layer has goes. Within one layer the last of two files or links counts where all programs put it in
    /// the place of the first: some write into a file that has other names, or through a link.
    fn give_way(
        &mut self,
        above: NodeId,
        name: &[u8],
        old: Child,
        new: &NodeHolds,
        layer: u32,
    ) -> Result<(), BadEntry> {
        if old.layer == layer {
            let before = &self.node(old.node);
            let alike = match (&before.holds, new) {
                (NodeHolds::File(_), NodeHolds::File(_) | NodeHolds::Symlink(_)) => {
                    before.names == 1
                }
                (NodeHolds::Symlink(_), NodeHolds::Symlink(_)) => before.names == 1,
                _ => false,
            };
            if !alike {
                let before = before.holds.word();
                return Err(BadEntry::Twice { before });
            }
            self.twice += 1;
        }
        self.remove(above, name);
        Ok(())
    }

    fn link(
        &mut self,
        above: NodeId,
        name: Box<[u8]>,
        target: &[u8],
        old: Option<Child>,
        layer: u32,
    ) -> Result<(), BadEntry> {
        let bad = |why| BadEntry::Link {
            target: target.to_vec(),
            why,
        };
        let node = self.find(target);
        let node = node.ok_or_else(|| bad("which does not stand before it"))?;
        if self.children(node).is_some() {
            return Err(bad("which is a directory"));
        }
        match old {
            Some(old) if old.node == node => {
                self.twice += u64::from(old.layer == layer);
                return Ok(());
            }
            Some(old) if old.layer == layer => {
                let before = self.node(old.node).holds.word();
                return Err(BadEntry::Twice { before });
            }
            Some(_) => self.remove(above, &name),
            None => {}
        }
        self.nodes[node as usize].names += 1;
        self.name(above, name, node, layer, false);
        Ok(())
    }

    fn describe(&mut self, node: NodeId, owner: TarOwner) {
        let attributes = self.attribute_set(owner.attributes);
        let node = &mut self.nodes[node as usize];
        node.mode = owner.mode;
        node.uid = owner.uid;
        node.gid = owner.gid;
        node.mtime = owner.mtime;
        node.attributes = attributes;
    }

    /// Takes a name out, with all beneath it. Nodes stay for the sake of their other names.
    pub fn remove(&mut self, above: NodeId, name: &[u8]) {
        let gone = self.children_mut(above).and_then(|all| all.remove(name));
        let mut gone: Vec<NodeId> = gone.map(|child| child.node).into_iter().collect();
        while let Some(node) = gone.pop() {
            let node = &mut self.nodes[node as usize];
            node.names = node.names.saturating_sub(1);
            if let NodeHolds::Directory(children) = &mut node.holds {
                let children = std::mem::take(children);
                gone.extend(children.into_values().map(|child| child.node));
            }
        }
    }

    /// Takes all out that a directory holds.
    pub fn empty(&mut self, directory: NodeId) {
        let names = self
            .children(directory)
            .map(|all| all.keys().cloned().collect());
        let names: Vec<Box<[u8]>> = names.unwrap_or_default();
        names.iter().for_each(|name| self.remove(directory, name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::tree::tests::{entry, file};

    #[test]
    fn the_last_of_two_counts_only_where_all_agree() {
        let mut tree = ImageTree::new();
        let mut put = |path: &str, holds| tree.put(entry(path, holds), 0);
        put("a/f", file(1)).unwrap();
        put("a/f", file(2)).unwrap();
        put("a", NewHolds::Directory).unwrap();
        put("a", NewHolds::Directory).unwrap();
        put("a/l", NewHolds::HardLink(b"a/f".to_vec())).unwrap();
        put("a/l", NewHolds::HardLink(b"a/f".to_vec())).unwrap();
        put("s", NewHolds::Symlink(b"a".to_vec())).unwrap();
        put("s2", NewHolds::HardLink(b"s".to_vec())).unwrap();
        for (path, holds) in [
            ("a/f", file(3)),
            ("a", file(3)),
            ("s", NewHolds::Directory),
            ("s", NewHolds::Symlink(b"a".to_vec())),
            ("s/below", file(3)),
            ("a/f/below", file(3)),
            ("h", NewHolds::HardLink(b"later".to_vec())),
            ("h", NewHolds::HardLink(b"h".to_vec())),
            ("h", NewHolds::HardLink(b"a".to_vec())),
            ("a/f", NewHolds::HardLink(b"s".to_vec())),
        ] {
            assert!(put(path, holds).is_err(), "{path}");
        }
        assert_eq!(tree.twice, 3);
        let file = tree.node(tree.find(b"a/l").unwrap());
        assert_eq!((file.names, tree.find(b"a/f")), (2, tree.find(b"a/l")));
    }

    #[test]
    fn what_lower_layers_have_gives_way() {
        let mut tree = ImageTree::new();
        tree.put(entry("d/f", file(1)), 0).unwrap();
        tree.put(entry("keep", NewHolds::HardLink(b"d/f".to_vec())), 0)
            .unwrap();
        tree.put(entry("d", file(2)), 1).unwrap();
        assert_eq!(tree.find(b"d/f"), None);
        let kept = tree.node(tree.find(b"keep").unwrap());
        assert_eq!(kept.names, 1, "the other name went with its directory");
        tree.put(entry("d", NewHolds::Directory), 2).unwrap();
        tree.put(entry("d/g", file(3)), 2).unwrap();
        assert!(tree.find(b"d/g").is_some());
        assert_eq!(tree.twice, 0);
    }
}
