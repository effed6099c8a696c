//! An entry as the parser and the blocks before it say together, checked by what both say.

use tar_core::parse::ParsedEntry;
use tar_core::{EntryType, SparseEntry};

use super::header::BlockFacts;
use super::name::{normal, target};
use super::pax::PaxFacts;
use super::sparse::{StoredStretch, checked};
use crate::images::fault::BadEntry;
use crate::model::{Time, Xattr};

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarEntry {
    /// Its number, from 1 on.
    pub number: u64,
    /// Without a slash in front; the root is empty.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: TarKind,
    /// Whose it is.
    pub owner: TarOwner,
}

impl TarEntry {
    /// Bytes of it that are kept in memory.
    pub(super) fn kept_bytes(&self) -> usize {
        let target = match &self.kind {
            TarKind::Symlink(target) | TarKind::HardLink(target) => target.len(),
            _ => 0,
        };
        let attributes = self.owner.attributes.iter();
        let attributes: usize = attributes.map(|one| one.name.len() + one.value.len()).sum();
        self.path.len() + target + attributes
    }
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TarKind {
    /// A file of so many bytes, of which so many are in the archive.
    File {
        /// Its length.
        size: u64,
        /// Bytes in the archive.
        stored: u64,
        /// Where they are in the file, if it has holes.
        map: Option<SparseMap>,
    },
    Directory,
    /// A symbolic link, and what it says.
    Symlink(Vec<u8>),
    /// Another name of what has this name.
    HardLink(Vec<u8>),
    /// A device or FIFO. The device 0, 0 is a mark of an overlay.
    Special {
        is_mark: bool,
    },
}

/// The stretches of a sparse file that are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparseMap(pub(super) Vec<StoredStretch>);

/// Mode, owner and their like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarOwner {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub mtime: Time,
    /// Sorted by name.
    pub attributes: Vec<Xattr>,
}

/// What all headers of one entry say.
pub(super) struct Headers<'a> {
    pub number: u64,
    pub block: BlockFacts,
    pub pax: &'a PaxFacts,
    pub parsed: &'a ParsedEntry<'a>,
    /// Map and length of a sparse file.
    pub sparse: Option<(&'a [SparseEntry], u64)>,
}

impl Headers<'_> {
    /// The entry, and how many bytes of content follow.
    pub fn entry(&self) -> Result<(TarEntry, u64), BadEntry> {
        let parsed = self.parsed;
        let is_slashed = parsed.path.ends_with(b"/");
        let path = normal(&parsed.path)?;
        let kind = self.kind(is_slashed)?;
        if path.is_empty() && kind != TarKind::Directory {
            return Err(BadEntry::Name("is that of the root, which is a directory"));
        }
        let stored = match &kind {
            TarKind::File { stored, .. } => *stored,
            _ => 0,
        };
        let entry = TarEntry {
            number: self.number,
            path,
            kind,
            owner: self.owner(),
        };
        Ok((entry, stored))
    }

    fn owner(&self) -> TarOwner {
        let (block, pax) = (&self.block, self.pax);
        TarOwner {
            mode: block.mode,
            uid: pax.uid.unwrap_or(block.uid),
            gid: pax.gid.unwrap_or(block.gid),
            mtime: pax.mtime.unwrap_or(block.mtime),
            attributes: pax.attributes.clone(),
        }
    }

    fn kind(&self, is_slashed: bool) -> Result<TarKind, BadEntry> {
        let parsed = self.parsed;
        let links_to = parsed.link_target.as_deref().unwrap_or_default();
        match self.block.kind {
            EntryType::Directory => self
                .without_content("a directory")
                .map(|()| TarKind::Directory),
            EntryType::Regular if is_slashed && self.block.is_old_file => self
                .without_content("a directory")
                .map(|()| TarKind::Directory),
            _ if is_slashed => Err(BadEntry::Name(
                "ends with a slash, and it is no directory: some programs make one of it",
            )),
            EntryType::Symlink => {
                self.without_content("a symbolic link")?;
                Ok(TarKind::Symlink(target(links_to)?))
            }
            EntryType::Link => {
                self.without_content("a hard link")?;
                let why = "which no name can be";
                let bad = |_| BadEntry::Link {
                    target: links_to.to_vec(),
                    why,
                };
                Ok(TarKind::HardLink(normal(links_to).map_err(bad)?))
            }
            EntryType::Fifo => self.special("a FIFO"),
            EntryType::Char | EntryType::Block => self.special("a device"),
            _ => self.file(),
        }
    }

    fn special(&self, kind: &'static str) -> Result<TarKind, BadEntry> {
        self.without_content(kind)?;
        let numbers = (self.parsed.dev_major, self.parsed.dev_minor);
        let is_mark = self.block.kind == EntryType::Char && numbers == (Some(0), Some(0));
        Ok(TarKind::Special { is_mark })
    }

    /// Both lengths count: which of them does differs between programs.
    fn without_content(&self, kind: &'static str) -> Result<(), BadEntry> {
        match self.block.size.max(self.pax.size.unwrap_or(0)) {
            0 if self.sparse.is_none() && !self.pax.sparse => Ok(()),
            size => Err(BadEntry::Content { kind, size }),
        }
    }

    fn file(&self) -> Result<TarKind, BadEntry> {
        let stored = self.parsed.size;
        let said = self.pax.size.unwrap_or(self.block.size);
        match self.sparse {
            None if self.pax.sparse => Err(BadEntry::Sparse("it is not there")),
            None if stored != said => Err(BadEntry::Number("length")),
            None => Ok(TarKind::File {
                size: stored,
                stored,
                map: None,
            }),
            Some(_) if self.pax.size.is_some() => {
                Err(BadEntry::Sparse("its length stands in a record of its own"))
            }
            Some((map, real)) => Ok(TarKind::File {
                size: real,
                stored,
                map: Some(SparseMap(checked(map, real, stored)?)),
            }),
        }
    }
}
