//! Floor 3, a guest that is a directory: [`GuestDirectory`] answers for it, and a walk reads every name of its tree in
//! one pass.
//!
//! [`MountedImage`] is the same for a file system in a file that was mounted for us alone.
//!
//! The walk is by path and may be fooled where a guest moves its directories meanwhile; what it finds is a
//! *proposal*. Code that acts on a name opens it again beneath the root and looks at what it is at that point.
//! The walk opens nothing but directories, reads nothing but names and `lstat`, and leaves nothing out in
//! silence: what could not be read is in [`Scan::unread`](crate::model::Scan::unread).
//!
//! Who wants to know names of few inodes has a walk that keeps nothing ([`seek`]).

mod directory;
mod mounted;
mod seek;
mod walk;

pub use directory::GuestDirectory;
pub use mounted::MountedImage;
pub use seek::{Sought, seek};
pub use walk::scan;
