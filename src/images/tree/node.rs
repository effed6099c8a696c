//! What is in an image: nodes, as inodes are on a disk, and names in directories.

use std::collections::BTreeMap;

use crate::images::kept::KeptPart;
use crate::model::{Digest, FileKind, Fingerprint, PackageDigest, Time};

/// A node, by its place among all.
pub type NodeId = u32;

/// The directory that all others are in.
pub const ROOT: NodeId = 0;

/// What a name refers to.
#[derive(Debug)]
pub struct ImageNode {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub mtime: Time,
    /// Names that it has. A directory has one.
    pub names: u32,
    /// Its extended attributes, by their place among all sets.
    pub attributes: u32,
    pub holds: NodeHolds,
}

/// What a node is.
#[derive(Debug)]
pub enum NodeHolds {
    Directory(Children),
    File(Box<FileHolds>),
    /// What the link says.
    Symlink(Box<[u8]>),
    Special,
}

/// The names in a directory.
pub type Children = BTreeMap<Box<[u8]>, Child>;

/// A name in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Child {
    pub node: NodeId,
    /// The layer that gave the name last. No entry of it gave a directory that is only on the way to one.
    pub layer: u32,
    pub is_implied: bool,
}

/// The content of a file, as far as it is known.
#[derive(Debug, Clone)]
pub struct FileHolds {
    /// Its length.
    pub size: u64,
    /// Bytes of it that are no holes.
    pub stored: u64,
    pub content: Digest,
    /// The fast hash of its first bytes.
    pub beginning: Fingerprint,
    /// The same by digests of other kinds, where these were asked for.
    pub others: Box<[PackageDigest]>,
    /// Where its bytes are kept, if they are.
    pub kept: Option<KeptPart>,
}

impl NodeHolds {
    /// A directory without anything in it.
    pub fn empty_directory() -> NodeHolds {
        NodeHolds::Directory(Children::new())
    }

    /// The kind of the node.
    pub fn kind(&self) -> FileKind {
        match self {
            NodeHolds::Directory(_) => FileKind::Directory,
            NodeHolds::File(_) => FileKind::Regular,
            NodeHolds::Symlink(_) => FileKind::Symlink,
            NodeHolds::Special => FileKind::Special,
        }
    }

    /// With its article, for messages.
    pub fn word(&self) -> &'static str {
        match self {
            NodeHolds::Directory(_) => "a directory",
            NodeHolds::File(_) => "a file",
            NodeHolds::Symlink(_) => "a symbolic link",
            NodeHolds::Special => "a device or FIFO",
        }
    }
}
