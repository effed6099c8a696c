//! What an archive is called, what is in it, and what must come of it.

use crate::reading::images::archives::{Header, octal};

/// What must come of an archive.
pub enum Want {
    /// These files, and no others.
    Read(&'static [&'static str]),
    /// Refused, with these words.
    Refused(&'static str),
}

/// An archive.
pub type Case = (&'static str, Vec<u8>, Want);

/// A header without content that claims some.
pub fn sized(kind: u8, name: &[u8], link: &[u8], size: usize) -> Vec<u8> {
    let size = octal(size);
    Header {
        size: &size,
        link,
        ..Header::of(kind, name)
    }
    .block()
}
