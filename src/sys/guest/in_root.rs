//! Small files of a guest, read as the guest itself would see them: links are followed, but inside its root.
//!
//! For package databases and config files only; the files that are linked are never reached this way. Such
//! paths run through links that are part of every guest (`/lib` -> `usr/lib`, `/var/lib/rpm` -> …) and through
//! links that a hostile guest planted, so:
//!
//! * every link is followed by our own walk, a component at a time: an absolute target begins again at the
//!   root and `..` stops there. The kernel follows none, so all of this works on a `nosymfollow` mount;
//! * nothing is opened for reading before it is known to be a regular file or a directory, a FIFO is never
//!   waited for, and other file systems are refused;
//! * nothing is read before its size was compared with the caller's bound;
//! * a file that changes while it is read is read again, and after three tries refused.
//!
//! Nothing is ever written, not even an access time (where we own the file or are root).

mod root;
mod walk;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

use rustix::fs::{OFlags, Stat};
use rustix::io::Errno;

use super::error::{GuestError, shown};
use super::files::{Resolved, Trail, TrailEnd};
use crate::model::{FileKind, GuestPath};
use root::{id_of, io_error, is_absent, kind_of};
use walk::PathEnd;

pub use root::InRoot;

/// How often a file or name that changes under our eyes is looked at again.
const TRIES: usize = 3;

impl InRoot {
    /// The whole content of a regular file of at most `max` bytes; `None` if there is none of that name.
    ///
    /// The content is that of one moment: inode, size and times were the same before and after.
    pub fn read(&self, path: &[u8], max: u64) -> Result<Option<Vec<u8>>, GuestError> {
        for _ in 0..TRIES {
            let Some(place) = self.walk(path)? else {
                return Ok(None);
            };
            if let Some(content) = self.read_once(path, &place, max)? {
                return Ok(Some(content));
            }
        }
        Err(GuestError::Unstable { path: shown(path) })
    }

    /// The sorted names in a directory, without `.` and `..`; `None` if there is no such directory.
    pub fn list(&self, dir: &[u8], max: usize) -> Result<Option<Vec<Vec<u8>>>, GuestError> {
        for _ in 0..TRIES {
            let Some(place) = self.walk(dir)? else {
                return Ok(None);
            };
            expect_kind(dir, FileKind::Directory, &place.stat)?;
            if let Some(open) = self.reopen(dir, &place, OFlags::DIRECTORY)? {
                return names(open, max, dir).map(Some);
            }
        }
        Err(GuestError::Unstable { path: shown(dir) })
    }

    /// Where a path leads in the end; `None` if nowhere.
    pub fn resolve(&self, path: &[u8]) -> Result<Option<Resolved>, GuestError> {
        if let Some(answer) = self.direct(path)? {
            // This is one look, so nothing could have changed between two.
            return Ok(answer.map(PathEnd::resolved));
        }
        for _ in 0..TRIES {
            let Some(place) = self.follow(path)? else {
                return Ok(None);
            };
            if self.is_still_there(path, &place)? {
                return Ok(Some(place.resolved()));
            }
        }
        Err(GuestError::Unstable { path: shown(path) })
    }

    /// What a link says; `None` if the name refers to nothing, or to anything else. No link on the way is followed.
    pub fn link(&self, name: &[u8]) -> Result<Option<Vec<u8>>, GuestError> {
        let opened = GuestPath::new(&[b"/", name].concat())
            .map_err(|_| GuestError::BadPath { path: shown(name) })
            .map(|path| self.open_plain(&path, OFlags::PATH | OFlags::NOFOLLOW))?;
        let fd = match opened {
            Ok(fd) => fd,
            Err(e) if is_absent(e) || e == Errno::LOOP => return Ok(None),
            Err(e) => return Err(io_error(name, e)),
        };
        let stat = rustix::fs::fstat(&fd).map_err(|e| io_error(name, e))?;
        if kind_of(&stat) != FileKind::Symlink {
            return Ok(None);
        }
        let target = rustix::fs::readlinkat(&fd, c"", Vec::new());
        Ok(Some(target.map_err(|e| io_error(name, e))?.into_bytes()))
    }

    /// The way that a path goes: every link on it, and where it leads.
    pub fn trace(&self, path: &[u8]) -> Result<Trail, GuestError> {
        for _ in 0..TRIES {
            let trail = self.way(path)?;
            let steady = match &trail.end {
                TrailEnd::Found(end) => {
                    let now = self.resolve(path)?;
                    now.is_some_and(|now| now == *end)
                }
                TrailEnd::Missing(_) | TrailEnd::NoDirectory(_) => self.resolve(path)?.is_none(),
            };
            if steady {
                return Ok(trail);
            }
        }
        Err(GuestError::Unstable { path: shown(path) })
    }

    /// `None`: it changed, look again.
    fn read_once(
        &self,
        path: &[u8],
        place: &PathEnd,
        max: u64,
    ) -> Result<Option<Vec<u8>>, GuestError> {
        expect_kind(path, FileKind::Regular, &place.stat)?;
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let Some(open) = self.reopen(path, place, flags)? else {
            return Ok(None);
        };
        let before = rustix::fs::fstat(&open).map_err(|e| io_error(path, e))?;
        expect_kind(path, FileKind::Regular, &before)?;
        let size = size_of(&before);
        if size > max {
            let path = shown(path);
            return Err(GuestError::TooLarge { path, size, max });
        }
        let file = File::from(open);
        let mut content = Vec::new();
        (&file)
            .take(max.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|source| GuestError::Io {
                path: shown(path),
                source,
            })?;
        let after = rustix::fs::fstat(&file).map_err(|e| io_error(path, e))?;
        let whole = same_moment(&before, &after) && content.len() as u64 == size;
        Ok(whole.then_some(content))
    }

    /// Opens for reading what the walk found. `None`: the name refers to something else now.
    fn reopen(
        &self,
        asked: &[u8],
        place: &PathEnd,
        flags: OFlags,
    ) -> Result<Option<OwnedFd>, GuestError> {
        let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW;
        let opened = match self.open_plain(&place.path, flags | OFlags::NOATIME) {
            Err(Errno::PERM) => self.open_plain(&place.path, flags), // neither owner nor root
            other => other,
        };
        match opened {
            Ok(fd) => {
                let stat = rustix::fs::fstat(&fd).map_err(|e| io_error(asked, e))?;
                Ok((id_of(&stat) == id_of(&place.stat)).then_some(fd))
            }
            Err(e) if is_absent(e) || matches!(e, Errno::LOOP | Errno::AGAIN) => Ok(None),
            Err(e) => Err(io_error(asked, e)),
        }
    }

    /// Does the link-free name still lead to what the walk found?
    fn is_still_there(&self, asked: &[u8], place: &PathEnd) -> Result<bool, GuestError> {
        match self.open_plain(&place.path, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(fd) => {
                let stat = rustix::fs::fstat(&fd).map_err(|e| io_error(asked, e))?;
                Ok(id_of(&stat) == id_of(&place.stat))
            }
            Err(e) if is_absent(e) || e == Errno::LOOP => Ok(false),
            Err(e) => Err(io_error(asked, e)),
        }
    }
}

fn names(open: OwnedFd, max: usize, asked: &[u8]) -> Result<Vec<Vec<u8>>, GuestError> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(open).map_err(|e| io_error(asked, e))? {
        let entry = entry.map_err(|e| io_error(asked, e))?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        if names.len() == max {
            let path = shown(asked);
            return Err(GuestError::TooMany { path, max });
        }
        names.push(name.to_vec());
    }
    names.sort_unstable();
    Ok(names)
}

/// Nothing that a writer can do leaves all of these as they were.
fn same_moment(a: &Stat, b: &Stat) -> bool {
    let times = |s: &Stat| (s.st_mtime, s.st_mtime_nsec, s.st_ctime, s.st_ctime_nsec);
    a.st_ino == b.st_ino && a.st_size == b.st_size && times(a) == times(b)
}

fn size_of(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

fn expect_kind(path: &[u8], expected: FileKind, stat: &Stat) -> Result<(), GuestError> {
    match kind_of(stat) {
        found if found == expected => Ok(()),
        found => Err(wrong_kind(path, expected, found)),
    }
}

fn wrong_kind(path: &[u8], expected: FileKind, found: FileKind) -> GuestError {
    GuestError::WrongKind {
        path: shown(path),
        expected,
        found,
    }
}
