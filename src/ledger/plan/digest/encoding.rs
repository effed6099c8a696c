//! How texts and numbers go into a digest: so that none can be taken for another.

use crate::ledger::codes::method_code;
use crate::model::Link;

/// Appends a text with its length in front.
pub(super) fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends what both digests cover of a link line first: guest, names and method.
pub(super) fn names(link: &Link, out: &mut Vec<u8>) {
    text(out, b"link");
    text(out, link.guest.as_str().as_bytes());
    text(out, link.path.as_bytes());
    number(out, link.also.len());
    for name in &link.also {
        text(out, name.as_bytes());
    }
    text(out, method_code(link.method).as_bytes());
}

/// Appends a number.
pub(super) fn number(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&(number as u64).to_le_bytes());
}
