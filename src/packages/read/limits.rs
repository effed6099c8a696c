//! Bounds on what a guest's databases may hold. Beyond them a guest is refused, never half believed.
//! Each is far above what real systems have (a desktop with 10,000 packages: 10 MB of `status`).

use std::time::Duration;

/// Bytes of all text files of one database together.
pub const TEXT: u64 = 256 << 20;
/// Bytes of one database file that is no text; large desktops stay below half of it.
pub const DATABASE: u64 = 1 << 30;
/// Bytes of a database's write-ahead log; SQLite copies it into the main file from 4 MiB on.
pub const LOG: u64 = 512 << 20;
/// Bytes of one package's header in rpm's database; rpm itself takes four times as much.
pub const HEADER: usize = 64 << 20;
/// Files of one package in rpm's database; rpm's own bound.
pub const FILES_OF_PACKAGE: usize = 1_048_575;
/// Bytes of a line that is needed; dpkg itself takes 1,000 a conffile. Lines of other fields may be longer.
pub const LINE: usize = 64 << 10;
/// Packages a guest.
pub const PACKAGES: usize = 100_000;
/// Config files a guest, existing or not.
pub const CONFIG_FILES: usize = 1_000_000;
/// Files of all packages of a guest; a desktop that is built from source has about 1,000,000.
pub const OWNED: usize = 4_000_000;
/// Bytes of a path: the kernel's PATH_MAX without the NUL.
pub const PATH: usize = 4_095;
/// Bytes of a package's or an architecture's name: it is part of file names.
pub const NAME: usize = 255;
/// Bytes of one property list.
pub const PLIST: usize = 64 << 20;
/// Containers within containers of a property list; xbps needs four.
pub const PLIST_DEPTH: usize = 16;
/// Directories and files named by `CONFIG_PROTECT`, and files that it is set in.
pub const PROTECTED_PREFIXES: usize = 10_000;
/// Bytes of the packed list of one package of pacman; the largest real ones have 3 MB.
pub const TREE: u64 = 64 << 20;
/// Files in dpkg's journal; dpkg writes `status` anew after 250.
pub const JOURNAL: usize = 1_000;
/// Entries of a directory that is listed: `info/` has up to ten files a package.
pub const ENTRIES: usize = 1_000_000;
/// How often a database that changes while it is read is read again.
pub const TRIES: usize = 3;
/// For all databases of one guest together: a guest that has many kinds keeps a plan no longer than one that has one.
/// Unit tests that ask for an answer get one on a busy machine as well.
pub(in crate::packages) const TIME: Duration =
    Duration::from_secs(if cfg!(test) { 3600 } else { 60 });
