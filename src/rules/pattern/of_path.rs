//! A path as the pattern that means it.

use crate::model::GuestPath;

/// A glob that means this path and no other; a byte that is not UTF-8 is any one byte.
pub fn glob_of(path: &GuestPath) -> String {
    let mut glob = String::new();
    for chunk in path.as_bytes().utf8_chunks() {
        for letter in chunk.valid().chars() {
            if matches!(letter, '*' | '?' | '[' | '\\') {
                glob.push('\\');
            }
            glob.push(letter);
        }
        glob.extend(chunk.invalid().iter().map(|_| '?'));
    }
    glob
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_of_a_path_is_that_path() {
        let of = |bytes: &[u8]| glob_of(&GuestPath::new(bytes).unwrap());
        assert_eq!(of(b"/usr/bin/["), "/usr/bin/\\[");
        assert_eq!(of(b"/a\xffb"), "/a?b");
    }
}
