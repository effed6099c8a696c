//! Images in layers: an OCI layout in a directory or in an archive, and what `docker save` writes.
//!
//! Every digest is checked: that of each blob by its name, and that of each layer when it is unpacked by the
//! configuration of the image. Nothing that JSON says becomes a path before it is known to be a digest, or to stand in
//! the archive.

mod blob;
mod choose;
mod distinct;
mod json;
mod layout;
mod member;
mod read;
mod saved;

pub use choose::WantedImage;
pub use member::{Members, may_be_member, read_member};
pub use read::{AssembledImage, from_archive, from_layout};
