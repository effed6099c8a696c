//! `MountedImage`: a guest that is a file system in a file, mounted for us alone and read as a directory.

use std::path::Path;
use std::sync::OnceLock;

use super::GuestDirectory;
use crate::model::{FileId, FileState, ImageFacts, ImageForm, ImageLack, Observer, Scan, TooLarge};
use crate::rules::root::{FileSystem, HeldXattrs};
use crate::sys::guest::mounted::mount_image;
use crate::sys::guest::{
    GuestError, GuestFile, GuestFiles, KnownBy, Precision, Resolved, TimeStep, Trail,
};
use crate::sys::{SysResult, View};

/// A mounted image. It is unmounted when it goes.
#[derive(Debug)]
pub struct MountedImage {
    directory: GuestDirectory,
    id: FileId,
    holds: FileSystem,
    /// Has any of its files a time between two seconds? Who makes images may drop that where the file system does not.
    has_fractions: OnceLock<bool>,
}

impl MountedImage {
    /// Mounts the file system in a file.
    pub fn of(path: &Path, holds: &FileSystem) -> SysResult<MountedImage> {
        let root = mount_image(path, holds.name, holds.options)?;
        let id = root.state()?.id;
        let directory = GuestDirectory::through(View::of_private_mount(root))?;
        Ok(MountedImage {
            directory,
            id,
            holds: *holds,
            has_fractions: OnceLock::new(),
        })
    }

    /// Device and inode of its root, as long as it is mounted.
    pub fn id(&self) -> FileId {
        self.id
    }

    fn has_fractions(&self) -> bool {
        self.holds.has_fractions && self.has_fractions.get() != Some(&false)
    }
}

impl GuestFiles for MountedImage {
    fn precision(&self) -> Precision {
        Precision {
            mtime: match self.has_fractions() {
                true => TimeStep::Nanoseconds,
                false => TimeStep::Seconds,
            },
            ctime: false,
            blocks: false,
            acls: self.holds.xattrs == HeldXattrs::All,
            labels: self.holds.xattrs != HeldXattrs::None,
            attributes: self.holds.xattrs != HeldXattrs::None,
            content: KnownBy::Bytes,
        }
    }

    fn image(&self) -> Option<ImageFacts> {
        Some(ImageFacts {
            form: ImageForm::MountedImage,
            name: None,
            digest: None,
            lacks: match self.has_fractions() {
                true => Vec::new(),
                false => vec![ImageLack::Nanoseconds],
            },
            twice: 0,
        })
    }

    fn is_private(&self) -> bool {
        self.directory.is_private()
    }

    fn tree(&self, observer: &dyn Observer) -> SysResult<Result<Scan, TooLarge>> {
        let read = self.directory.tree(observer)?;
        // EROFS calls everything immutable, for nothing in it can change.
        Ok(read.map(|scan| {
            let any = scan.tree.states().any(|state| state.mtime.nsec != 0);
            self.has_fractions.get_or_init(|| any);
            Scan {
                tree: scan.tree.without_fixed(),
                ..scan
            }
        }))
    }

    fn look(&self, name: &[u8]) -> SysResult<Option<FileState>> {
        self.directory.look(name)
    }

    fn open(&self, name: &[u8]) -> SysResult<Option<GuestFile>> {
        Ok(self.directory.open(name)?.map(GuestFile::of_image))
    }

    fn read(&self, path: &[u8], max: u64) -> Result<Option<Vec<u8>>, GuestError> {
        self.directory.read(path, max)
    }

    fn list(&self, directory: &[u8], max: usize) -> Result<Option<Vec<Vec<u8>>>, GuestError> {
        self.directory.list(directory, max)
    }

    fn link(&self, name: &[u8]) -> Result<Option<Vec<u8>>, GuestError> {
        self.directory.link(name)
    }

    fn resolve(&self, path: &[u8]) -> Result<Option<Resolved>, GuestError> {
        self.directory.resolve(path)
    }

    fn trace(&self, path: &[u8]) -> Result<Trail, GuestError> {
        self.directory.trace(path)
    }
}
