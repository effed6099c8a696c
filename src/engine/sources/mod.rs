//! Guests of every form: directories of this host, and images in files, in layouts or on standard input. Whoever only
//! looks at guests takes them from here; whoever changes one takes a [`Guest`](super::Guest), which is a directory.

mod args;
mod open;

pub use args::{GuestSources, ImageArg, SourceArg};
pub(super) use open::{OpenImage, image_error, open_images, open_planned};
