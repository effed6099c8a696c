//! Names of packages: the only words of a database that are shown to people as they are.

use std::sync::Arc;

use crate::packages::read::limits;

/// The name in lower case, if it is one by dpkg's rule (`pkg_name_is_illegal`): a letter or digit, then letters,
/// digits and `-+._`. So it is always plain ASCII.
pub fn package_name(bytes: &[u8]) -> Option<Arc<str>> {
    let (first, rest) = bytes.split_first()?;
    let inner = |b: &u8| b.is_ascii_alphanumeric() || b"-+._".contains(b);
    let legal = first.is_ascii_alphanumeric() && rest.iter().all(inner);
    let text = std::str::from_utf8(bytes).ok()?;
    (legal && bytes.len() <= limits::NAME).then(|| text.to_ascii_lowercase().into())
}

/// The word as it is, if it is one that can be shown: ASCII without blanks and control characters. For names and
/// versions of managers that tell `X` from `x`.
pub fn plain_word(bytes: &[u8]) -> Option<Arc<str>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let plain = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
    (plain && bytes.len() <= limits::NAME).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_keep_their_case() {
        assert_eq!(
            plain_word(b"dev-libs/libX-1").as_deref(),
            Some("dev-libs/libX-1")
        );
        let long = [b'x'; 256];
        for bad in [
            b"".as_slice(),
            b"a b",
            b"a\x1b",
            "é".as_bytes(),
            b"\xff",
            &long,
        ] {
            assert_eq!(plain_word(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn only_names() {
        for good in ["libc6", "g++", "Python3.11-minimal", "0ad", "a_b"] {
            assert_eq!(
                package_name(good.as_bytes()).as_deref(),
                Some(&*good.to_lowercase())
            );
        }
        let long = "x".repeat(256);
        for bad in ["", "-x", "a b", "a\n", "a/b", "a:amd64", "é", &long] {
            assert_eq!(package_name(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
