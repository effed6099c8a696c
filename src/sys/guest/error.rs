//! Why a path of a guest could not be read, in words that are true of a directory and of an image.

use crate::model::{FileKind, GuestPath};

/// Why a path of a guest could not be looked at. `path` is as it was asked for, made safe to print.
#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    /// The bytes cannot be a path: a NUL in it, or a result that no [`GuestPath`] can hold.
    #[error("{path}: not a usable path")]
    BadPath {
        /// As asked for.
        path: String,
    },
    /// A FIFO, device, socket or directory stands where a file is expected, or a file in place of a directory.
    #[error("{path}: expected {}, found {}", word(*expected), word(*found))]
    WrongKind {
        /// As asked for.
        path: String,
        /// What the caller wants to read.
        expected: FileKind,
        /// What is there.
        found: FileKind,
    },
    /// The file is larger than the caller's bound.
    #[error("{path}: {size} bytes, at most {max} are read")]
    TooLarge {
        /// As asked for.
        path: String,
        /// Its length, in bytes.
        size: u64,
        /// The bound, in bytes.
        max: u64,
    },
    /// The directory has more entries than the caller's bound.
    #[error("{path}: more than {max} entries")]
    TooMany {
        /// As asked for.
        path: String,
        /// The bound.
        max: usize,
    },
    /// An image is read once, and this was not among what is kept of it.
    #[error(
        "{path}: an image is read once, and this is not kept of it; unpack the image, and name the directory"
    )]
    NotKept {
        /// As asked for.
        path: String,
    },
    /// It changed at each of three looks.
    #[error("{path}: changed while it was read, three times; stop the guest or try again")]
    Unstable {
        /// As asked for.
        path: String,
    },
    /// More than 40 links (the kernel's limit, path_resolution(7)) or 4,096 components: a loop, or meant to delay.
    #[error("{path}: too many symbolic links")]
    Loop {
        /// As asked for.
        path: String,
    },
    /// The way leads to another file system, which is not part of the guest's root.
    #[error("{path}: lies on another file system than the guest's root")]
    OtherFilesystem {
        /// As asked for.
        path: String,
    },
    /// The system said no.
    #[error("{path}: {source}")]
    Io {
        /// As asked for.
        path: String,
        /// The system's word.
        source: std::io::Error,
    },
}

/// Any bytes, made safe to print: a path as [`GuestPath`] shows it, anything else with escapes.
pub fn shown(path: &[u8]) -> String {
    let absolute = [b"/", path.strip_prefix(b"/").unwrap_or(path)].concat();
    match GuestPath::new(&absolute) {
        Ok(good) if path.starts_with(b"/") => good.to_string(),
        Ok(good) => good.to_string().split_off(1),
        Err(_) => path.escape_ascii().to_string(),
    }
}

fn word(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Regular => "a regular file",
        FileKind::Directory => "a directory",
        FileKind::Symlink => "a symbolic link",
        FileKind::Special => "a FIFO, socket or device",
    }
}
