//! The tree of an image in memory: what would be on a disk if the image were unpacked. Nothing is unpacked.
//!
//! Entries are put in one by one ([`ImageTree::put`]), by rules on which all programs agree; where they do not, the
//! entry is refused. Removed names leave their nodes, whose other names may stay.
//!
//! Memory: about 200 bytes a name, freed with the image.

mod follow;
mod node;
mod put;
#[cfg(test)]
mod tests;
mod walk;

use indexmap::IndexSet;

use crate::images::fault::BadEntry;
use crate::model::{Time, Xattr};

pub use follow::{PathStop, PathWay};
pub use node::{Child, Children, FileHolds, ImageNode, NodeHolds, NodeId, ROOT};
pub use put::{NewEntry, NewHolds};

/// All that an image holds.
#[derive(Debug)]
pub struct ImageTree {
    nodes: Vec<ImageNode>,
    /// Sets of extended attributes: nearly all nodes have one of a few. The first is empty.
    attributes: IndexSet<Vec<Xattr>>,
    /// Paths that stood there twice, and the last one counts.
    pub twice: u64,
    /// Is any time between two seconds?
    pub has_fractions: bool,
}

impl ImageTree {
    /// An empty root. An image may leave its root out, which is then anybody's to enter.
    pub fn new() -> ImageTree {
        let mut tree = ImageTree {
            nodes: Vec::new(),
            attributes: IndexSet::from([Vec::new()]),
            twice: 0,
            has_fractions: false,
        };
        tree.nodes.push(implied());
        tree
    }

    /// A node.
    pub fn node(&self, node: NodeId) -> &ImageNode {
        &self.nodes[node as usize]
    }

    /// Number of nodes, with those that have lost all their names.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The extended attributes of a node.
    pub fn attributes(&self, node: &ImageNode) -> &[Xattr] {
        let set = self.attributes.get_index(node.attributes as usize);
        set.map(Vec::as_slice).unwrap_or_default()
    }

    /// All sets of attributes of the image.
    pub fn all_attributes(&self) -> impl Iterator<Item = &Xattr> {
        self.attributes.iter().flatten()
    }

    /// The names in a directory; none in anything else.
    pub fn children(&self, node: NodeId) -> Option<&Children> {
        match &self.node(node).holds {
            NodeHolds::Directory(children) => Some(children),
            _ => None,
        }
    }

    fn children_mut(&mut self, node: NodeId) -> Option<&mut Children> {
        match &mut self.nodes[node as usize].holds {
            NodeHolds::Directory(children) => Some(children),
            _ => None,
        }
    }

    /// What a name refers to, without following any link.
    pub fn find(&self, path: &[u8]) -> Option<NodeId> {
        let mut at = ROOT;
        for component in path
            .split(|byte| *byte == b'/')
            .filter(|one| !one.is_empty())
        {
            at = self.children(at)?.get(component)?.node;
        }
        Some(at)
    }

    /// The image within a directory of this one, which alone is kept.
    pub fn beneath(mut self, directory: &[u8]) -> ImageTree {
        let Some(top) = self.find(directory) else {
            return self;
        };
        self.nodes.swap(ROOT as usize, top as usize);
        self
    }

    fn add(&mut self, node: ImageNode) -> Result<NodeId, BadEntry> {
        let most = u64::from(u32::MAX);
        let what = "files and directories";
        let id = u32::try_from(self.nodes.len()).map_err(|_| BadEntry::TooMuch { most, what })?;
        self.nodes.push(node);
        Ok(id)
    }

    fn attribute_set(&mut self, set: Vec<Xattr>) -> u32 {
        let (number, _) = self.attributes.insert_full(set);
        u32::try_from(number).unwrap_or(0)
    }
}

/// A directory on the way to an entry, of which no entry says anything.
fn implied() -> ImageNode {
    ImageNode {
        mode: 0o755,
        uid: 0,
        gid: 0,
        mtime: Time { sec: 0, nsec: 0 },
        names: 1,
        attributes: 0,
        holds: NodeHolds::empty_directory(),
    }
}
