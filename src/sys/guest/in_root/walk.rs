//! Follows a path inside the root, one component and one link at a time.
//!
//! The kernel is only ever asked for a link-free name beneath the root, so whatever a guest renames or links
//! meanwhile, every descriptor held here lies in the root. What may be wrong after a race is only *where* in the
//! root; the callers compare the inode again before they believe a place.
//!
//! There is no stack of directories: `..` opens the shorter name afresh. One descriptor is held, however deep a
//! guest has nested its directories.

use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::root::{InRoot, id_of, io_error, is_absent, kind_of};
use crate::model::{FileKind, GuestPath, LinkMet};
use crate::sys::guest::error::{GuestError, shown};
use crate::sys::guest::files::{Resolved, Trail, TrailEnd};

/// Links followed for one path, as in the kernel (path_resolution(7)).
const MAX_LINKS: usize = 40;
/// Components looked at for one path, links and `..` included: what a path of PATH_MAX bytes can hold, twice.
const MAX_STEPS: usize = 4_096;

/// The end of a path: an `O_PATH` descriptor, its state, and its name without links.
pub(super) struct PathEnd {
    pub(super) fd: OwnedFd,
    pub(super) stat: Stat,
    pub(super) path: GuestPath,
}

impl PathEnd {
    pub(super) fn resolved(self) -> Resolved {
        Resolved {
            id: id_of(&self.stat),
            kind: kind_of(&self.stat),
            path: self.path,
        }
    }
}

/// A path half followed: where we are, and what is left to do (the next component last).
struct PathWalk<'a> {
    root: &'a InRoot,
    asked: &'a [u8],
    place: PathEnd,
    pending: Vec<Box<[u8]>>,
    links: Vec<LinkMet>,
    /// What ended it before its end.
    stopped: Option<TrailEnd>,
}

impl InRoot {
    /// `None`: some component does not exist, or is no directory.
    pub(super) fn walk(&self, path: &[u8]) -> Result<Option<PathEnd>, GuestError> {
        match self.direct(path)? {
            Some(answer) => Ok(answer),
            None => self.follow(path),
        }
    }

    /// Follows the path component by component, link by link.
    pub(super) fn follow(&self, path: &[u8]) -> Result<Option<PathEnd>, GuestError> {
        let mut walk = PathWalk::begin(self, path)?;
        let reached = walk.run()?;
        Ok(reached.then_some(walk.place))
    }

    /// The same, with the links that were met.
    pub(super) fn way(&self, path: &[u8]) -> Result<Trail, GuestError> {
        if path.contains(&0) {
            return Err(GuestError::BadPath { path: shown(path) });
        }
        let mut walk = PathWalk::begin(self, path)?;
        let reached = walk.run()?;
        let PathWalk { place, links, .. } = walk;
        let found = reached.then(|| TrailEnd::Found(place.resolved()));
        // A name that no path can hold is missing without a path.
        let end = found.or(walk.stopped);
        let end = end.ok_or_else(|| GuestError::BadPath { path: shown(path) })?;
        Ok(Trail { links, end })
    }

    /// The whole path in one call, where no component of it is a link; `None` where the walk must say.
    pub(super) fn direct(&self, path: &[u8]) -> Result<Option<Option<PathEnd>>, GuestError> {
        if path.contains(&0) {
            return Err(GuestError::BadPath { path: shown(path) });
        }
        let relative = path.strip_prefix(b"/").unwrap_or(path);
        let mut components = relative.split(|&b| b == b'/');
        if components.any(|component| matches!(component, b"" | b"." | b"..")) {
            return Ok(None);
        }
        let Ok(plain) = GuestPath::new(&[b"/", relative].concat()) else {
            return Ok(None);
        };
        match self.open_plain(&plain, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(fd) => {
                let place = self.place(path, fd, plain)?;
                let is_link = kind_of(&place.stat) == FileKind::Symlink;
                Ok((!is_link).then_some(Some(place)))
            }
            Err(Errno::NOENT) => Ok(Some(None)),
            Err(_) => Ok(None),
        }
    }

    /// Opens a name that has no link in it.
    pub(super) fn open_plain(&self, path: &GuestPath, flags: OFlags) -> Result<OwnedFd, Errno> {
        let relative = if path.is_root() {
            b"."
        } else {
            path.relative()
        };
        open_beneath(&self.root, relative, flags)
    }

    fn top(&self, asked: &[u8]) -> Result<PathEnd, GuestError> {
        self.place_at(asked, GuestPath::root())
    }

    fn place_at(&self, asked: &[u8], path: GuestPath) -> Result<PathEnd, GuestError> {
        let fd = self
            .open_plain(&path, OFlags::PATH | OFlags::NOFOLLOW)
            .map_err(|e| io_error(asked, e))?;
        self.place(asked, fd, path)
    }

    /// A mount is caught by `NO_XDEV`; a btrfs subvolume is not, but has a device number of its own.
    fn place(&self, asked: &[u8], fd: OwnedFd, path: GuestPath) -> Result<PathEnd, GuestError> {
        let stat = rustix::fs::fstat(&fd).map_err(|e| io_error(asked, e))?;
        if stat.st_dev != self.dev {
            return Err(io_error(asked, Errno::XDEV));
        }
        Ok(PathEnd { fd, stat, path })
    }
}

impl<'a> PathWalk<'a> {
    fn begin(root: &'a InRoot, asked: &'a [u8]) -> Result<PathWalk<'a>, GuestError> {
        let mut walk = PathWalk {
            root,
            asked,
            place: root.top(asked)?,
            pending: Vec::new(),
            links: Vec::new(),
            stopped: None,
        };
        walk.push(asked);
        Ok(walk)
    }

    /// `false`: some component does not exist, or is no directory.
    fn run(&mut self) -> Result<bool, GuestError> {
        for _ in 0..MAX_STEPS {
            let Some(component) = self.pending.pop() else {
                return Ok(true);
            };
            if !self.step(&component)? {
                return Ok(false);
            }
        }
        Err(GuestError::Loop {
            path: shown(self.asked),
        })
    }

    /// One component; `false` if it does not exist.
    fn step(&mut self, component: &[u8]) -> Result<bool, GuestError> {
        let in_directory = kind_of(&self.place.stat) == FileKind::Directory;
        match component {
            _ if !in_directory => Ok(self.stop(TrailEnd::NoDirectory(self.place.path.clone()))),
            b"" | b"." => Ok(true),
            b".." => self.up(),
            name => self.down(name),
        }
    }

    fn stop(&mut self, end: TrailEnd) -> bool {
        self.stopped = Some(end);
        false
    }

    fn up(&mut self) -> Result<bool, GuestError> {
        let parent = self.place.path.parent();
        self.place = match self.root.place_at(self.asked, parent) {
            Err(GuestError::Io { path, source }) if source.kind() == ErrorKind::NotFound => {
                return Err(GuestError::Unstable { path }); // we came from there a moment ago
            }
            other => other?,
        };
        Ok(true)
    }

    fn down(&mut self, name: &[u8]) -> Result<bool, GuestError> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW;
        let path = self.place.path.join(name);
        let fd = match open_beneath(&self.place.fd, name, flags) {
            Ok(fd) => fd,
            Err(e) if is_absent(e) => {
                self.stopped = path.ok().map(TrailEnd::Missing);
                return Ok(false);
            }
            Err(e) => return Err(io_error(self.asked, e)),
        };
        let path = path.map_err(|_| self.bad_path())?;
        let found = self.root.place(self.asked, fd, path)?;
        if kind_of(&found.stat) == FileKind::Symlink {
            return self.follow(&found);
        }
        self.place = found;
        Ok(true)
    }

    fn follow(&mut self, link: &PathEnd) -> Result<bool, GuestError> {
        if self.links.len() == MAX_LINKS {
            let path = shown(self.asked);
            return Err(GuestError::Loop { path });
        }
        let target = rustix::fs::readlinkat(&link.fd, c"", Vec::new())
            .map_err(|e| io_error(self.asked, e))?;
        if target.to_bytes().starts_with(b"/") {
            self.place = self.root.top(self.asked)?;
        }
        self.push(target.to_bytes());
        self.links.push(LinkMet {
            at: link.path.clone(),
            target: target.into_bytes(),
        });
        Ok(true)
    }

    /// Puts components in front of what is left. A leading slash adds an empty one, which is no step.
    fn push(&mut self, path: &[u8]) {
        let parts = path.rsplit(|&b| b == b'/').map(Box::from);
        self.pending.extend(parts);
    }

    fn bad_path(&self) -> GuestError {
        GuestError::BadPath {
            path: shown(self.asked),
        }
    }
}

fn open_beneath(dir: impl AsFd, relative: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV;
    let flags = flags | OFlags::CLOEXEC;
    rustix::fs::openat2(dir, relative, flags, Mode::empty(), resolve)
}
