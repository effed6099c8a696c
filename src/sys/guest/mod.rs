//! What is a guest's: its directories, files and their attributes, opened beneath its root without following links. The
//! base's objects are files of this kind, too: their names are guests' names.
//!
//! [`GuestFiles`] is what a plan asks of a guest, wherever the guest comes from.

mod attributes;
mod content;
pub(super) mod dir;
mod error;
mod extents;
pub(super) mod file;
mod files;
mod guest_file;
pub mod in_root;
pub(super) mod lease;
mod making;
mod mount_id;
pub mod mounted;
pub(super) mod page_cache;
pub(super) mod stat;
#[cfg(test)]
pub mod tests;
pub(super) mod view;
mod xattr;

pub use content::FileRange;
pub use error::{GuestError, shown};
pub use extents::{HeldMap, Overlap, SharedPart, Sharing};
pub use files::{GuestFiles, KnownBy, Precision, Resolved, TimeStep, Trail, TrailEnd};
pub use guest_file::{BEGINNING, FirstDifference, GuestFile, KnownFile, STORED};
pub use making::{SpecialNode, is_append_only, without_append_only};
