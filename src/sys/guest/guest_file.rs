//! `GuestFile`: a file of a guest that can be compared with others, be it by its bytes or by what is known of them.

use std::path::PathBuf;

use rustix::io::Errno;

use super::extents::Sharing;
use super::file::Regular;
use super::page_cache::PageCache;
use crate::model::{
    Digest, DigestKind, DiskRoom, FileBlocks, FileState, Fingerprint, Ignored, Metadata,
    PackageDigest,
};
use crate::sys::{SysError, SysResult};

/// The part of a file that tells most files apart.
pub const BEGINNING: usize = 4096;

/// How ext4 stores nearly all files (`FS_EXTENT_FL`): digests of metadata have it, and a file of an image shall have
/// that of the directory that the image was made of.
pub const STORED: u32 = 0x8_0000;

/// A file of a guest.
#[derive(Debug)]
pub enum GuestFile {
    /// It is open on this host.
    Open(Regular),
    /// It is nowhere on this host, and was read before.
    Known(Box<KnownFile>),
}

/// What is kept of a file that was read before, and whose bytes are not there any more.
#[derive(Debug, Clone)]
pub struct KnownFile {
    /// How the file is called in messages.
    pub path: PathBuf,
    /// As the tree has it.
    pub state: FileState,
    /// All metadata that a link would merge.
    pub metadata: Metadata,
    /// The digest of its content.
    pub content: Digest,
    /// The same by other kinds of digests, where it was known beforehand that these would be asked for.
    pub packages: Vec<PackageDigest>,
    /// The fast hash of its [`BEGINNING`].
    pub beginning: Fingerprint,
}

/// Where two contents begin to differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstDifference {
    /// They do not.
    None,
    /// At this byte, from 0 on.
    At(u64),
    /// They do, and only their digests are known.
    Somewhere,
}

impl GuestFile {
    /// What is known of it without reading.
    pub fn known(&self) -> Option<&KnownFile> {
        match self {
            GuestFile::Open(_) => None,
            GuestFile::Known(known) => Some(known),
        }
    }

    /// The same file of an image, whose inode flags say nothing of the guest.
    pub fn of_image(self) -> GuestFile {
        match self {
            GuestFile::Open(file) => GuestFile::Open(file.counting_as(STORED)),
            known @ GuestFile::Known(_) => known,
        }
    }

    fn regular(&self) -> Option<&Regular> {
        match self {
            GuestFile::Open(file) => Some(file),
            GuestFile::Known(_) => None,
        }
    }

    /// What the file is now.
    pub fn state(&self) -> SysResult<FileState> {
        match self {
            GuestFile::Open(file) => file.state(),
            GuestFile::Known(known) => Ok(known.state),
        }
    }

    /// Inode flags; `None` where the file system has none, or where this is a FIFO.
    pub fn flags_if_told(&self) -> SysResult<Option<u32>> {
        match self {
            GuestFile::Open(file) => file.flags_if_told(),
            GuestFile::Known(known) => Ok(Some(known.metadata.flags)),
        }
    }

    /// All metadata that a link would merge. With [`Ignored::Mtime`] the time is left out.
    pub fn metadata(&self, ignore: &[Ignored]) -> SysResult<Metadata> {
        match self {
            GuestFile::Open(file) => file.metadata(ignore),
            GuestFile::Known(known) => Ok(known.metadata.without(ignore)),
        }
    }

    /// The same, where state and inode flags are known already.
    pub fn metadata_of(
        &self,
        state: &FileState,
        flags: u32,
        ignore: &[Ignored],
    ) -> SysResult<Metadata> {
        match self {
            GuestFile::Open(file) => file.metadata_of(state, flags, ignore),
            GuestFile::Known(known) => Ok(known.metadata.without(ignore)),
        }
    }

    /// The same file, about to be read once: a large one leaves the page cache as it was, if that is the wish.
    pub fn passing(self, size: u64, wish: PageCache) -> GuestFile {
        match self {
            GuestFile::Open(file) => GuestFile::Open(file.passing(size, wish)),
            known @ GuestFile::Known(_) => known,
        }
    }

    /// Number of extents; `None` where nobody tells.
    pub fn extents(&self) -> Option<u32> {
        self.regular()?.extents()
    }

    /// Where its content begins on a device of this host, where that is told.
    pub fn place(&self) -> Option<u64> {
        self.regular()?.place()
    }

    /// Where all its data lie on a device of this host, where it shares all of them with others and that is told.
    pub fn shared_extents(&self, sharing: &Sharing) -> Option<Digest> {
        let file = self.regular().filter(|file| sharing.is_possible(file))?;
        file.shared_extents()
    }

    /// What comes back when it goes, of so many allocated bytes, and has no other name.
    pub fn room(&self, allocated: u64, sharing: &Sharing) -> DiskRoom {
        let file = self.regular();
        file.map_or(DiskRoom::own(allocated), |file| {
            sharing.room(file, allocated)
        })
    }

    /// Its blocks, of so many bytes and so many allocated ones. Where no two files can have blocks in common, all are
    /// taken for its own.
    pub fn blocks(&self, size: u64, allocated: u64, sharing: &Sharing) -> FileBlocks {
        let file = self.regular().filter(|file| sharing.is_possible(file));
        file.map_or(FileBlocks::untold(allocated), |file| {
            file.blocks(size, allocated)
        })
    }

    /// Bytes that are read at once from `at` on, where `usual` would be.
    pub fn stride(&self, at: u64, usual: usize) -> usize {
        let file = self.regular();
        file.map_or(usual, |file| file.stride(at, usual))
    }

    /// Tells the kernel that the content will be read soon.
    pub fn expect_soon(&self, size: u64) {
        if let GuestFile::Open(file) = self {
            file.expect_soon(size);
        }
    }

    /// Tells the kernel that the content will be read once, front to back.
    pub fn expect_sequential(&self) {
        if let GuestFile::Open(file) = self {
            file.expect_sequential();
        }
    }

    /// Exactly `buffer.len()` bytes at `offset`; a file that ends before is an error, and so is one without bytes.
    pub fn piece(&self, offset: u64, buffer: &mut [u8]) -> SysResult<()> {
        match self {
            GuestFile::Open(file) => file.piece(offset, buffer),
            GuestFile::Known(known) => Err(known.has_no_bytes()),
        }
    }

    /// The first bytes, at most `limit`, at most up to `size`.
    pub fn beginning(&self, size: u64, limit: usize) -> SysResult<Vec<u8>> {
        match self {
            GuestFile::Open(file) => file.beginning(size, limit),
            GuestFile::Known(known) => Err(known.has_no_bytes()),
        }
    }

    /// The digest of the first `size` bytes, which for a known file are all.
    pub fn digest(&self, size: u64) -> SysResult<Digest> {
        match self {
            GuestFile::Open(file) => file.digest(size),
            GuestFile::Known(known) => Ok(known.content),
        }
    }

    /// Where the first `size` bytes, which are all, begin to differ; without the place where one of the two has no
    /// bytes.
    pub fn first_difference(&self, other: &GuestFile, size: u64) -> SysResult<FirstDifference> {
        match (self, other) {
            (GuestFile::Open(file), GuestFile::Open(other)) => {
                let at = file.first_difference(other, size)?;
                Ok(at.map_or(FirstDifference::None, FirstDifference::At))
            }
            _ if self.digest(size)? == other.digest(size)? => Ok(FirstDifference::None),
            _ => Ok(FirstDifference::Somewhere),
        }
    }

    /// Are the first `size` bytes, which are all, the same in both?
    pub fn same_content(&self, other: &GuestFile, size: u64) -> SysResult<bool> {
        match (self, other) {
            (GuestFile::Open(file), GuestFile::Open(other)) => file.same_content(other, size),
            _ => Ok(self.digest(size)? == other.digest(size)?),
        }
    }
}

impl KnownFile {
    /// The digest of this kind, where it was made.
    pub fn digest_of(&self, kind: DigestKind) -> Option<PackageDigest> {
        match kind {
            DigestKind::Sha256 => PackageDigest::of_bytes(&self.content.0),
            _ => self.packages.iter().find(|one| one.kind() == kind).cloned(),
        }
    }

    fn has_no_bytes(&self) -> SysError {
        SysError::new("read", &self.path, Errno::OPNOTSUPP)
    }
}
