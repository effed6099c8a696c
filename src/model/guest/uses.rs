//! What processes do with a file that its guest would notice when it gets an inode of its own.

/// How a process, or a mount, uses a file; the first of several is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileUse {
    /// A lock of any kind is on it, or a lease.
    Locked,
    /// An inotify or fanotify mark is on its inode.
    Watched,
    /// A descriptor, or a mapping that all see, by which it can be written to.
    OpenForWriting,
    /// The same, to read from.
    Open,
    /// It is mounted itself, at another name.
    Mounted,
}
