//! What is a guest's: its directories, files and their attributes, opened beneath its root without following links. The
//! base's objects are files of this kind, too: their names are guests' names.

mod content;
pub(super) mod dir;
pub(super) mod file;
pub mod in_root;
pub(super) mod lease;
mod mount_id;
pub(super) mod page_cache;
pub(super) mod stat;
pub(super) mod view;
mod xattr;
