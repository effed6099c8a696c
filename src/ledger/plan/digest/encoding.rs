//! How texts and numbers go into a digest: so that none can be taken for another.

use crate::ledger::codes::method_code;
use crate::model::{GuestName, GuestPath, Method, Reflink};

/// Appends a text with its length in front.
pub(super) fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends what both digests cover of a link line first: guest, names and method.
pub(super) fn names(
    out: &mut Vec<u8>,
    (guest, path, also): (&GuestName, &GuestPath, &[GuestPath]),
    method: Method,
) {
    text(out, b"link");
    text(out, guest.as_str().as_bytes());
    text(out, path.as_bytes());
    number(out, also.len());
    for name in also {
        text(out, name.as_bytes());
    }
    text(out, method_code(method).as_bytes());
}

/// Appends what both digests cover of a reflink line: guest, names, method and content.
pub(super) fn reflink(out: &mut Vec<u8>, line: &Reflink) {
    names(out, (&line.guest, &line.path, &line.also), Method::Reflink);
    text(out, &line.content.0);
}

/// Appends a number.
pub(super) fn number(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&(number as u64).to_le_bytes());
}
