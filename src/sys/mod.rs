//! Floor 2, the hands: the only room that touches the machine. It touches and does not decide.
//!
//! What is assumed of the machine:
//!
//! 1. Linux 5.14 or newer on a real `/proc`: `openat2`, `statx`, `renameat2` with exchange, leases.
//! 2. A handle pins what it was opened on; a name means nothing between two calls.
//! 3. A failed sync says nothing about what is on disk, and a second sync that succeeds says nothing either.
//! 4. Everything in a guest may change at any time, and every byte read from it is an attacker's.
//!
//! What is never done here: follow a link in a guest, wait for a FIFO or a lock of a guest, map a guest's file,
//! believe a flag that was set without reading it back. Every call that changes anything stands in
//! [`Dir`], [`Regular`] or [`papers`], and goes through `fault`, where tests make each of them fail.

mod behind;
mod confine;
mod content;
mod dir;
mod error;
mod fault;
mod ffi;
mod file;
mod freezer;
mod helper;
mod lease;
mod mounts;
mod processes;
mod rotation;
mod shelf;
mod stat;
mod view;
mod xattr;

pub mod hash;
pub mod inroot;
pub mod machine;
pub mod new_file;
pub mod paged;
pub mod papers;
pub mod signals;

pub use behind::PageCache;
pub use confine::{Bounds, Confinement, Reads, confine};
pub use dir::{Dir, canonical, last_component};
pub use error::{Meaning, SysError, SysResult};
pub use fault::{Weak, weak};
pub use file::Regular;
pub use freezer::{Cgroup, Freezer};
pub use helper::{ALL_IS_WELL, Helper};
pub use lease::Leased;
pub use mounts::{MountTable, Tree};
pub use processes::{Inside, inside, is_inside};
pub use rotation::rotates;
pub use shelf::{SHARE, Shelf};
pub use stat::from_metadata;
pub use view::{View, name_bytes};
