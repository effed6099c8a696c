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
//! [`Dir`], [`Regular`], [`papers`](own::papers), [`guard`] or, on nothing that lasts, in `host/trials`, and goes
//! through `fault`, where tests make each of them fail.

#[cfg(test)]
pub mod effort;
mod error;
mod fault;
mod ffi;
pub mod guard;
pub mod guest;
pub mod hash;
pub mod host;
mod layouts;
pub mod own;
pub mod package_hash;

pub use error::{Meaning, SysError, SysResult};
pub use guest::dir::{Dir, canonical, path_of};
pub use guest::file::Regular;
pub use guest::lease::{Leased, lease_break_time};
pub use guest::page_cache::PageCache;
pub use guest::stat::{from_entry, from_metadata};
pub use guest::view::{View, name_bytes};
pub use host::freezer::{Cgroup, Freezer};
pub use host::landlock::{Bounds, Reads, confine, keeps_from_writing};
pub use host::presence::{
    DiskPlace, FilesInUse, HostMounts, Inside, LeftInode, Patience, Presence, swap_files,
};
pub use host::rotation::rotates;
pub use host::watchdog::{Heard, Helper, Watchdog, WatchdogEar, end_parent};
pub use host::workers::has_workers;
pub use own::shelf::{SHARE, Shelf};
