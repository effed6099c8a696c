//! Names of packages: the only words of a database that are shown to people as they are.

use std::sync::Arc;

use super::limits;

/// The name in lower case, if it is one by dpkg's rule (`pkg_name_is_illegal`): a letter or digit, then letters,
/// digits and `-+._`. So it is always plain ASCII.
pub(super) fn package_name(bytes: &[u8]) -> Option<Arc<str>> {
    let (first, rest) = bytes.split_first()?;
    let inner = |b: &u8| b.is_ascii_alphanumeric() || b"-+._".contains(b);
    let legal = first.is_ascii_alphanumeric() && rest.iter().all(inner);
    let text = std::str::from_utf8(bytes).ok()?;
    (legal && bytes.len() <= limits::NAME).then(|| text.to_ascii_lowercase().into())
}

#[cfg(test)]
mod tests {
    use super::*;

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
