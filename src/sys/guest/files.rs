//! `GuestFiles`: all that a plan asks of a guest, wherever the guest comes from.
//!
//! A directory of this host is asked by opening its names. An image is read once, from front to back, and then
//! answers from what it kept: it has no directory that could be held open and no inodes on this host, and of most
//! files it knows the digest and not the bytes. So nothing here hands out a directory, a file may be
//! [`GuestFile::Known`] instead of open, and the [`Precision`] says what the form of the guest cannot hold.
//!
//! Every byte that comes out of a guest is an attacker's, whatever its form.

use std::fmt::Debug;

use super::error::GuestError;
use super::guest_file::GuestFile;
use crate::model::{
    FileId, FileKind, FileState, GuestPath, ImageFacts, LinkMet, Observer, Scan, TooLarge,
};
use crate::sys::SysResult;

/// A guest whose names and files can be read, by several threads at once.
///
/// A `name` is a path beneath the root, without a slash in front and without any link in it: nothing is followed. A
/// `path` is any bytes that the guest itself would take for a path: its links are followed, and none leads out of the
/// root.
pub trait GuestFiles: Debug + Send + Sync {
    /// What the form of this guest cannot hold.
    fn precision(&self) -> Precision;

    /// What the guest is, if it is no directory. An image that was not read yet is read for it.
    fn image(&self) -> Option<ImageFacts> {
        None
    }

    /// Does reading leave no trace in the guest, and need nothing of the disk that is not open already?
    fn is_private(&self) -> bool;

    /// Reads all names, in byte order of the full paths. The observer is told how many were met.
    fn tree(&self, observer: &dyn Observer) -> SysResult<Result<Scan, TooLarge>>;

    /// Says what a name refers to now; `None` if the guest has no such name.
    fn look(&self, name: &[u8]) -> SysResult<Option<FileState>>;

    /// Opens what a name refers to. Only its [state](GuestFile::state) says whether it is a regular file, and the one
    /// that was meant; a caller who asks for the state anyhow, after reading, is spared a second question here. `None`
    /// if it is known to be anything else.
    fn open(&self, name: &[u8]) -> SysResult<Option<GuestFile>>;

    /// Opens what a name refers to if it is a regular file; `None` if it is anything else.
    fn open_regular(&self, name: &[u8]) -> SysResult<Option<GuestFile>> {
        let Some(file) = self.open(name)? else {
            return Ok(None);
        };
        let regular = file.state()?.kind == FileKind::Regular;
        Ok(regular.then_some(file))
    }

    /// Reads the whole content of a regular file of at most `max` bytes, as it was at one moment; `None` if there is
    /// none of that path. This is for package databases and their like, which an image keeps for it.
    fn read(&self, path: &[u8], max: u64) -> Result<Option<Vec<u8>>, GuestError>;

    /// The bytes of a regular file of at most `max` of them. An image is read once more for what it has not kept;
    /// `None` where that cannot be, as from standard input.
    fn bytes_again(&self, name: &[u8], max: u64) -> Result<Option<Vec<u8>>, GuestError> {
        self.read(name, max)
    }

    /// Lists the sorted names in a directory of at most `max` entries; `None` if there is no such directory.
    fn list(&self, directory: &[u8], max: usize) -> Result<Option<Vec<Vec<u8>>>, GuestError>;

    /// What a link says, wherever it leads; `None` if the name refers to nothing, or to anything else.
    fn link(&self, name: &[u8]) -> Result<Option<Vec<u8>>, GuestError>;

    /// Says where a path leads in the end; `None` if it leads nowhere.
    fn resolve(&self, path: &[u8]) -> Result<Option<Resolved>, GuestError>;

    /// Follows a path as [`GuestFiles::resolve`] does, and tells the way: every link on it, and what is missing where
    /// it leads nowhere.
    fn trace(&self, path: &[u8]) -> Result<Trail, GuestError>;
}

/// The way that a path goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// Every link that was followed, in order.
    pub links: Vec<LinkMet>,
    /// Where it leads.
    pub end: TrailEnd,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrailEnd {
    /// To this.
    Found(Resolved),
    /// Nowhere: there is no such name, which is the first on the way that is missing.
    Missing(GuestPath),
    /// Nowhere: this is no directory, and the path goes on behind it.
    NoDirectory(GuestPath),
}

/// What a path refers to in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The name without any link in it, as `realpath` in a chroot would say.
    pub path: GuestPath,
    /// Device and inode, as the tree has them. A guest that is no directory numbers its files under a device that no
    /// host has: Linux gives 32 bits to the numbers of devices. So none is taken for an inode of the base.
    pub id: FileId,
    /// Never [`FileKind::Symlink`].
    pub kind: FileKind,
}

/// What a form of guests can hold. A plan asks for `content`; the others are for the day when guests of two forms are
/// compared, which can only be by what both hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Precision {
    /// The smallest step between two modification times.
    pub mtime: TimeStep,
    /// Does the time of the last change of anything show that a file was changed? A form without it says zero.
    pub ctime: bool,
    /// Are the allocated blocks those of a disk? A form without them rounds the size.
    pub blocks: bool,
    /// Does it keep access control lists?
    pub acls: bool,
    /// Does it keep the labels of security modules?
    pub labels: bool,
    /// Does it keep all other extended attributes, capabilities among them?
    pub attributes: bool,
    /// What it says of the content of files.
    pub content: KnownBy,
}

/// Which modification times a form tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeStep {
    /// All that Linux knows.
    Nanoseconds,
    /// Whole seconds.
    Seconds,
}

/// By what the content of a guest's files is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// Each file can be opened, and read as far as it is needed.
    Bytes,
    /// Each file's digest is known, and its bytes are not there any more.
    Digest,
}

impl Precision {
    /// A directory of this host holds everything.
    pub const DISK: Precision = Precision {
        mtime: TimeStep::Nanoseconds,
        ctime: true,
        blocks: true,
        acls: true,
        labels: true,
        attributes: true,
        content: KnownBy::Bytes,
    };

    /// Does it keep every extended attribute? Where it does not, a difference in them may be one of forms.
    pub fn keeps_xattrs(&self) -> bool {
        self.attributes && self.acls && self.labels
    }
}
