//! Floor 3, guests that are images: [`GuestImage`] answers for one as a directory would, without anything being
//! unpacked, written or mounted, and without root.
//!
//! An image is read once, from front to back: SHA-256 of every file on the way, package databases and configuration
//! into a file without a name, and a tree of names in memory. Then it answers from these. Content of images is compared
//! by its digests: two files with one SHA-256 are taken for equal. No apply relies on that, for none takes such a plan.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `guest` | the answers |
//! | `read` | one pass, and what the image turns out to be |
//! | `stream` | gzip, zstd, xz |
//! | `tar` | the one form that is parsed here |
//! | `archive` | OCI layouts and what `docker save` writes |
//! | `layers` | what a layer adds and removes |
//! | `tree` | what would be on a disk |
//! | `content`, `kept` | what happens to the bytes of a file |
//! | `bounds` | how much is read at most |
//! | `fault` | why an image is not read |
//!
//! Every byte is an attacker's. What two programs would unpack in two ways is refused by name; what is damaged is no
//! part of an answer. Nothing here follows a link of the host, and nothing in an image becomes a path of it.

mod archive;
mod bounds;
mod content;
mod fault;
mod guest;
mod kept;
mod layers;
mod read;
mod stream;
mod tar;
mod tree;

#[cfg(any(test, feature = "internals"))]
pub use read::read_bytes;

pub use archive::WantedImage;
pub use fault::ImageFault;
pub use guest::{GuestImage, is_standard_input};
pub use read::ImageRequest;
