//! `GuestImage`: a guest that is an image, as a plan reads it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::fault::ImageFault;
use super::kept::read_part;
use super::read::{ImageInput, ImageRequest, LoadedImage, load, load_again};
use super::tree::{FileHolds, ImageNode, NodeHolds, NodeId, PathStop, PathWay};
use crate::model::{
    Event, FileId, FileKind, FileState, GuestPath, ImageFacts, ImageLack, LinkMet, Metadata,
    Observer, Scan, Time, TooLarge, TreeBuilder,
};
use crate::sys::guest::{
    GuestError, GuestFile, GuestFiles, KnownBy, KnownFile, Precision, Resolved, STORED, TimeStep,
    Trail, TrailEnd, shown,
};
use crate::sys::host::machine;
use crate::sys::own::keep::ByteStore;
use crate::sys::own::papers::SharedFile;
use crate::sys::{Dir, SysError, SysResult};

/// Devices of images begin here: no host has such numbers.
const ELSEWHERE: u64 = 1 << 32;

/// What disks allocate at a time, in bytes: the blocks of an image are estimated by it.
const BLOCK: u64 = 4096;

/// An image. It is read when it is asked for the first time, from front to back, and answers from memory then.
#[derive(Debug)]
pub struct GuestImage {
    path: PathBuf,
    source: ImageSource,
    request: ImageRequest,
    device: u64,
    store: Mutex<Option<ByteStore>>,
    loaded: OnceLock<Result<LoadedImage, ImageFault>>,
}

/// What is open of an image.
#[derive(Debug)]
enum ImageSource {
    StandardInput,
    File(SharedFile),
    Layout(Dir),
}

/// Says `-` for standard input.
pub fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

impl GuestImage {
    /// Opens an image: a file, a layout in a directory, or standard input for `-`. Nothing is read yet. Images that are
    /// compared need numbers of their own.
    pub fn open(path: &Path, request: ImageRequest, number: u32) -> SysResult<GuestImage> {
        let source = match () {
            () if is_standard_input(path) => ImageSource::StandardInput,
            () if path.is_dir() => ImageSource::Layout(Dir::open(path)?),
            () => ImageSource::File(SharedFile::open(path)?),
        };
        Ok(GuestImage {
            path: path.to_owned(),
            source,
            request,
            device: ELSEWHERE + u64::from(number),
            store: Mutex::new(Some(ByteStore::new()?)),
            loaded: OnceLock::new(),
        })
    }

    /// Device and inode number of its root, as a plan has them.
    pub fn id(&self) -> FileId {
        FileId {
            dev: self.device,
            ino: 1,
        }
    }

    fn loaded(&self) -> SysResult<&LoadedImage> {
        let loaded = self.loaded.get_or_init(|| self.load());
        loaded.as_ref().map_err(|fault| {
            let error = std::io::Error::other(fault.clone());
            SysError::new("read", &self.path, error)
        })
    }

    fn load(&self) -> Result<LoadedImage, ImageFault> {
        let store = self.store.lock();
        let store = store.unwrap_or_else(PoisonError::into_inner).take();
        let store = store.ok_or_else(|| ImageFault::Unreadable("it was read before".into()))?;
        load(self.input(), &self.request, store)
    }

    fn input(&self) -> ImageInput<'_> {
        match &self.source {
            ImageSource::StandardInput => ImageInput::Stream(Box::new(std::io::stdin().lock())),
            ImageSource::File(file) => ImageInput::Stream(Box::new(file.from(0))),
            ImageSource::Layout(directory) => ImageInput::Layout(directory),
        }
    }

    /// Reads the image once more, for the bytes of one file.
    fn read_again(&self, path: &[u8], file: &FileHolds) -> Result<Option<Vec<u8>>, GuestError> {
        if matches!(self.source, ImageSource::StandardInput) {
            return Ok(None);
        }
        let store = ByteStore::new().map_err(|error| failed(path, error))?;
        let request = ImageRequest {
            digests: &[],
            ..self.request.clone()
        };
        let wanted = (file.size, file.content);
        let again = load_again(self.input(), &request, store, wanted);
        again.map_err(|fault| GuestError::Io {
            path: shown(path),
            source: std::io::Error::other(fault),
        })
    }

    fn state(&self, id: NodeId, node: &ImageNode) -> FileState {
        let (size, stored) = match &node.holds {
            NodeHolds::File(file) => (file.size, file.stored),
            NodeHolds::Symlink(target) => (target.len() as u64, 0),
            NodeHolds::Directory(_) | NodeHolds::Special => (0, 0),
        };
        FileState {
            kind: node.holds.kind(),
            id: FileId {
                dev: self.device,
                ino: u64::from(id) + 1,
            },
            nlink: node.names,
            mode: node.mode,
            uid: node.uid,
            gid: node.gid,
            size,
            blocks: stored.div_ceil(BLOCK).saturating_mul(BLOCK / 512),
            mtime: node.mtime,
            ctime: Time { sec: 0, nsec: 0 },
        }
    }

    fn known(&self, image: &LoadedImage, name: &[u8], id: NodeId, file: &FileHolds) -> KnownFile {
        let node = image.tree.node(id);
        KnownFile {
            path: self.path.join(shown(name)),
            state: self.state(id, node),
            metadata: Metadata {
                mode: node.mode,
                uid: node.uid,
                gid: node.gid,
                mtime: Some(node.mtime),
                xattrs: image.tree.attributes(node).to_vec(),
                flags: STORED,
                project: 0,
            },
            content: file.content,
            packages: file.others.to_vec(),
            beginning: file.beginning,
        }
    }

    /// Follows a path of the guest; `None` where it leads nowhere.
    fn follow(&self, path: &[u8]) -> Result<Option<(&LoadedImage, NodeId, PathWay)>, GuestError> {
        if path.contains(&0) {
            return Err(GuestError::BadPath { path: shown(path) });
        }
        let image = self.loaded().map_err(|error| failed(path, error))?;
        let mut way = PathWay::default();
        match image.tree.follow(path, &mut way) {
            Ok(node) => Ok(Some((image, node, way))),
            Err(PathStop::Loop) => Err(GuestError::Loop { path: shown(path) }),
            Err(PathStop::Missing | PathStop::NoDirectory) => Ok(None),
        }
    }

    fn resolved(&self, image: &LoadedImage, node: NodeId, way: &PathWay) -> Resolved {
        let path = GuestPath::new(&[b"/", &*way.path].concat());
        Resolved {
            path: path.unwrap_or_else(|_| GuestPath::root()),
            id: self.state(node, image.tree.node(node)).id,
            kind: image.tree.node(node).holds.kind(),
        }
    }
}

impl GuestFiles for GuestImage {
    fn precision(&self) -> Precision {
        let facts = self.image();
        let lacks = |what| {
            facts
                .as_ref()
                .is_none_or(|facts| facts.lacks.contains(&what))
        };
        let attributes = !lacks(ImageLack::Attributes);
        Precision {
            mtime: match lacks(ImageLack::Nanoseconds) {
                true => TimeStep::Seconds,
                false => TimeStep::Nanoseconds,
            },
            ctime: false,
            blocks: false,
            acls: attributes,
            labels: attributes,
            attributes,
            content: KnownBy::Digest,
        }
    }

    fn image(&self) -> Option<ImageFacts> {
        self.loaded().ok().map(|image| image.facts.clone())
    }

    fn is_private(&self) -> bool {
        true
    }

    fn tree(&self, observer: &dyn Observer) -> SysResult<Result<Scan, TooLarge>> {
        let image = self.loaded()?;
        observer.notice(&Event::Advance(image.tree.len() as u64));
        let mut builder = TreeBuilder::of_at_most(machine::most_names());
        let state = |node| self.state(node, image.tree.node(node));
        let met = image.tree.meet_all(&mut builder, state);
        Ok(met.map(|()| Scan {
            tree: builder.finish(),
            ..Scan::default()
        }))
    }

    fn look(&self, name: &[u8]) -> SysResult<Option<FileState>> {
        let tree = &self.loaded()?.tree;
        let found = tree.find(name);
        Ok(found.map(|node| self.state(node, tree.node(node))))
    }

    fn open(&self, name: &[u8]) -> SysResult<Option<GuestFile>> {
        let image = self.loaded()?;
        let Some(node) = image.tree.find(name) else {
            return Ok(None);
        };
        Ok(match &image.tree.node(node).holds {
            NodeHolds::File(file) => {
                let known = self.known(image, name, node, file);
                Some(GuestFile::Known(Box::new(known)))
            }
            _ => None,
        })
    }

    fn read(&self, path: &[u8], max: u64) -> Result<Option<Vec<u8>>, GuestError> {
        let Some((image, node, _)) = self.follow(path)? else {
            return Ok(None);
        };
        let NodeHolds::File(file) = &image.tree.node(node).holds else {
            let found = image.tree.node(node).holds.kind();
            return Err(wrong_kind(path, FileKind::Regular, found));
        };
        if file.size > max {
            let (path, size) = (shown(path), file.size);
            return Err(GuestError::TooLarge { path, size, max });
        }
        let part = file
            .kept
            .ok_or_else(|| GuestError::NotKept { path: shown(path) })?;
        let bytes = read_part(&image.store, part).map_err(|error| failed(path, error))?;
        Ok(Some(bytes))
    }

    fn bytes_again(&self, name: &[u8], max: u64) -> Result<Option<Vec<u8>>, GuestError> {
        let image = self.loaded().map_err(|error| failed(name, error))?;
        let found = image.tree.find(name).map(|node| image.tree.node(node));
        match found.map(|node| &node.holds) {
            Some(NodeHolds::File(file)) if file.kept.is_none() && file.size <= max => {
                self.read_again(name, file)
            }
            _ => self.read(name, max),
        }
    }

    fn list(&self, directory: &[u8], max: usize) -> Result<Option<Vec<Vec<u8>>>, GuestError> {
        let Some((image, node, _)) = self.follow(directory)? else {
            return Ok(None);
        };
        let Some(children) = image.tree.children(node) else {
            let found = image.tree.node(node).holds.kind();
            return Err(wrong_kind(directory, FileKind::Directory, found));
        };
        if children.len() > max {
            let path = shown(directory);
            return Err(GuestError::TooMany { path, max });
        }
        Ok(Some(children.keys().map(|name| name.to_vec()).collect()))
    }

    fn link(&self, name: &[u8]) -> Result<Option<Vec<u8>>, GuestError> {
        let image = self.loaded().map_err(|error| failed(name, error))?;
        let found = image.tree.find(name).map(|node| image.tree.node(node));
        Ok(match found.map(|node| &node.holds) {
            Some(NodeHolds::Symlink(target)) => Some(target.to_vec()),
            _ => None,
        })
    }

    fn resolve(&self, path: &[u8]) -> Result<Option<Resolved>, GuestError> {
        let found = self.follow(path)?;
        Ok(found.map(|(image, node, way)| self.resolved(image, node, &way)))
    }

    fn trace(&self, path: &[u8]) -> Result<Trail, GuestError> {
        if path.contains(&0) {
            return Err(GuestError::BadPath { path: shown(path) });
        }
        let image = self.loaded().map_err(|error| failed(path, error))?;
        let mut way = PathWay::default();
        let followed = image.tree.follow(path, &mut way);
        let bad = |_| GuestError::BadPath { path: shown(path) };
        let guest_path = |path: &[u8]| GuestPath::new(&[b"/", path].concat()).map_err(bad);
        let end = match followed {
            Ok(node) => TrailEnd::Found(self.resolved(image, node, &way)),
            Err(PathStop::Missing) => TrailEnd::Missing(guest_path(&way.path)?),
            Err(PathStop::NoDirectory) => TrailEnd::NoDirectory(guest_path(&way.path)?),
            Err(PathStop::Loop) => return Err(GuestError::Loop { path: shown(path) }),
        };
        let links = way.links.into_iter().map(|(at, target)| {
            Ok(LinkMet {
                at: guest_path(&at)?,
                target,
            })
        });
        Ok(Trail {
            links: links.collect::<Result<_, GuestError>>()?,
            end,
        })
    }
}

fn wrong_kind(path: &[u8], expected: FileKind, found: FileKind) -> GuestError {
    GuestError::WrongKind {
        path: shown(path),
        expected,
        found,
    }
}

fn failed(path: &[u8], error: SysError) -> GuestError {
    GuestError::Io {
        path: shown(path),
        source: error.source,
    }
}
