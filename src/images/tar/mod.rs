//! Tar archives: the one form of images that is parsed here. Everything else can be made one.
//!
//! `tar-core` puts headers together. It is lenient where other programs are lenient in other ways, and with two such
//! programs an archive can hold a setuid file that one unpacks and the other does not see. So every block goes by
//! `header`, every record by `pax` and every name by `name` first, and what is read in two ways is refused by name.
//! Every refusal has an archive in the tests, which GNU tar and bsdtar are asked about.
//!
//! Sources: POSIX.1-2017 `pax` (ustar and pax), the GNU tar manual, "Basic Tar Format" and "Storing Sparse Files".

mod content;
mod entry;
mod header;
mod name;
mod number;
mod pax;
mod reader;
mod sparse;

pub use entry::{TarEntry, TarKind, TarOwner};
pub use reader::TarReader;
