//! How texts and numbers go into a digest: so that none can be taken for another.

/// Appends a text with its length in front.
pub(super) fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends a number.
pub(super) fn number(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&(number as u64).to_le_bytes());
}
