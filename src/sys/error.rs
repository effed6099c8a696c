//! An error of the machine: which operation, on what, and what it means. The errno is read here and nowhere else;
//! no code above `sys` sees a number.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::model::Escaped;

/// A call that failed.
#[derive(Debug)]
pub struct SysError {
    /// What was tried, as a verb: `open`, `link`, …
    pub op: &'static str,
    /// On what, as a person knows it.
    pub path: PathBuf,
    /// What the kernel said.
    pub source: io::Error,
}

/// The result of anything that asks the machine.
pub type SysResult<T> = Result<T, SysError>;

/// What an error means to the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The name does not exist.
    Gone,
    /// A directory on the way is not one, is a link, or leads out of the root.
    PathChanged,
    /// Another mount or file system.
    OtherFilesystem,
    /// A process holds a lease or has the file open.
    Busy,
    /// The inode cannot have another name.
    TooManyLinks,
    /// No space or quota.
    NoSpace,
    /// Not permitted, or read-only.
    Denied,
    /// It is there already.
    Exists,
    /// The kernel or file system does not know the operation.
    Unsupported,
    /// Anything else.
    Other,
}

impl SysError {
    /// Wraps what a call returned.
    pub fn new(
        op: &'static str,
        path: impl Into<PathBuf>,
        source: impl Into<io::Error>,
    ) -> SysError {
        SysError {
            op,
            path: path.into(),
            source: source.into(),
        }
    }

    /// Another process has it.
    pub fn busy(op: &'static str, path: impl Into<PathBuf>) -> SysError {
        SysError::new(op, path, Errno::AGAIN)
    }

    /// Is it a quota that is used up, and not the disk?
    pub fn is_over_quota(&self) -> bool {
        Errno::from_io_error(&self.source) == Some(Errno::DQUOT)
    }

    /// What the error means.
    pub fn meaning(&self) -> Meaning {
        let Some(errno) = Errno::from_io_error(&self.source) else {
            return Meaning::Other;
        };
        match errno {
            Errno::NOENT => Meaning::Gone,
            Errno::LOOP | Errno::NOTDIR => Meaning::PathChanged,
            Errno::XDEV => Meaning::OtherFilesystem,
            Errno::AGAIN | Errno::BUSY | Errno::TXTBSY => Meaning::Busy,
            Errno::MLINK => Meaning::TooManyLinks,
            Errno::NOSPC | Errno::DQUOT => Meaning::NoSpace,
            Errno::PERM | Errno::ACCESS | Errno::ROFS => Meaning::Denied,
            Errno::EXIST => Meaning::Exists,
            Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::NOTTY => Meaning::Unsupported,
            _ => Meaning::Other,
        }
    }

    /// The kernel's own word, where the call and its path tell a person nothing.
    pub fn said(&self) -> String {
        strip_code(&self.source.to_string()).to_owned()
    }

    /// `Ok(None)` where the name does not exist.
    pub fn absent<T>(result: SysResult<T>) -> SysResult<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.meaning() == Meaning::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// For people and terminals: `cannot open /srv/web/etc/x: Permission denied`.
impl fmt::Display for SysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = Escaped(self.path.as_os_str().as_bytes());
        match Errno::from_io_error(&self.source) {
            Some(_) => write!(f, "cannot {} {path}: {}", self.op, self.said()),
            None => write!(f, "cannot {} {path}: {}", self.op, self.source),
        }
    }
}

impl std::error::Error for SysError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

fn strip_code(text: &str) -> &str {
    text.split(" (os error").next().unwrap_or(text)
}

/// `base` with more bytes after it: how a name beneath a handle is shown.
pub(super) fn shown(base: &Path, relative: &[u8]) -> PathBuf {
    base.join(OsString::from_vec(relative.to_vec()))
}
