//! Names as they stand in an archive, and as they are in a guest.

use crate::images::fault::BadEntry;

/// The kernel's `PATH_MAX` without its NUL, and its `NAME_MAX`: what is longer can be unpacked by nobody.
const LONGEST: usize = 4095;
const LONGEST_COMPONENT: usize = 255;

/// A name without a slash in front, `.` or empty components, as every program unpacks it; the root is empty.
pub(super) fn normal(name: &[u8]) -> Result<Vec<u8>, BadEntry> {
    if name.contains(&0) {
        return Err(BadEntry::Name(
            "has a NUL in it: some programs cut it there",
        ));
    }
    let mut normal = Vec::with_capacity(name.len());
    for component in name.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => continue,
            b".." => {
                return Err(BadEntry::Name(
                    "has .. in it: some programs leave the root by it",
                ));
            }
            long if long.len() > LONGEST_COMPONENT => {
                return Err(BadEntry::Name("has a part of more than 255 bytes"));
            }
            plain => {
                if !normal.is_empty() {
                    normal.push(b'/');
                }
                normal.extend_from_slice(plain);
            }
        }
    }
    match normal.len() {
        ..=LONGEST => Ok(normal),
        _ => Err(BadEntry::Name("is longer than 4095 bytes")),
    }
}

/// What a symbolic link says.
pub(super) fn target(target: &[u8]) -> Result<Vec<u8>, BadEntry> {
    let why = match target {
        [] => "which is nothing",
        target if target.contains(&0) => "which has a NUL in it",
        target if target.len() > LONGEST => "which is longer than 4095 bytes",
        good => return Ok(good.to_vec()),
    };
    let target = target[..target.len().min(LONGEST_COMPONENT)].to_vec();
    Err(BadEntry::Link { target, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_they_are_unpacked() {
        for (name, want) in [
            (&b"usr/bin"[..], Some(&b"usr/bin"[..])),
            (b"./usr//./bin/", Some(b"usr/bin")),
            (b"/abs", Some(b"abs")),
            (b"./", Some(b"")),
            (b"a/../b", None),
            (b"..", None),
            (b"a\0b", None),
            (&[b'x'; 256], None),
            (&b"x/".repeat(2049), None),
            (b"...", Some(b"...")),
        ] {
            let got = normal(name).ok();
            assert_eq!(got.as_deref(), want, "{}", name.escape_ascii());
        }
        assert!(target(b"").is_err() && target(b"a\0").is_err());
        assert_eq!(target(b"../x").unwrap(), b"../x");
    }
}
