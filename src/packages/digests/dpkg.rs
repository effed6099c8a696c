//! `info/PACKAGE.md5sums`: a digest in hexadecimal, two blanks, and a path without its slash (deb-md5sums(5)).
//!
//! It names no config files. A file that another package has diverted lies under its other name. Image builders write
//! longer digests into files of the same name: the length decides.

use std::collections::HashMap;

use super::record::{EachFile, FileDigests, RecordedFile};
use crate::model::PackageDigest;
use crate::packages::dpkg::diversions::{Diversion, diversions};
use crate::packages::dpkg::places::{DISTROLESS, DIVERSIONS, INFO};
use crate::packages::read::fault::{Defect, Problem};
use crate::packages::read::limits;
use crate::packages::read::source::Source;
use crate::packages::read::steady::below;

/// dpkg's lists.
pub(super) struct DpkgSums;

impl FileDigests for DpkgSums {
    fn files(&self, source: &Source<'_>, each: EachFile<'_>) -> Result<(), Problem> {
        let text = source.text(DIVERSIONS)?.unwrap_or_default();
        let all = diversions(&text).map_err(|fault| Problem::malformed(DIVERSIONS, fault))?;
        let diverted: HashMap<&[u8], &Diversion> =
            all.iter().map(|one| (one.from.as_slice(), one)).collect();
        for directory in [INFO, DISTROLESS] {
            for name in source.names(directory, limits::ENTRIES)? {
                let Some(owner) = name.strip_suffix(b".md5sums") else {
                    continue;
                };
                source.in_time()?;
                let list = below(directory, &name);
                let data = source.text(&list)?.unwrap_or_default();
                let package = owner.split(|&b| b == b':').next().unwrap_or_default();
                let lines = data.split(|&b| b == b'\n').enumerate();
                for (at, text) in lines.filter(|(_, text)| !text.is_empty()) {
                    // Of a list that is damaged, what is not in it is not known to be unchanged.
                    let damaged = || Defect::Broken("no digest and path").at(at + 1);
                    let file = line(text).ok_or_else(|| Problem::malformed(&list, damaged()))?;
                    each(RecordedFile {
                        path: lies_at(file.path, package, &diverted),
                        ..file
                    });
                }
            }
        }
        Ok(())
    }
}

/// Where the file of this package lies.
fn lies_at(path: Vec<u8>, package: &[u8], diverted: &HashMap<&[u8], &Diversion>) -> Vec<u8> {
    let by_another = diverted.get(path.as_slice()).filter(|one| {
        one.package
            .as_ref()
            .is_none_or(|by| by.as_bytes() != package)
    });
    match by_another {
        Some(diversion) => diversion.to.clone(),
        None => path,
    }
}

/// `None` for what is no line of such a list. dpkg takes `*` for the second blank, as `md5sum -b` writes it.
fn line(line: &[u8]) -> Option<RecordedFile> {
    let blank = line.iter().position(|&b| b == b' ')?;
    let (digest, rest) = line.split_at_checked(blank)?;
    let path = rest.strip_prefix(b"  ").or(rest.strip_prefix(b" *"))?;
    let path = path.strip_prefix(b"./").unwrap_or(path);
    let path = path.strip_prefix(b"/").unwrap_or(path);
    if path.is_empty() || path.len() >= limits::PATH {
        return None;
    }
    Some(RecordedFile {
        path: [b"/", path].concat(),
        digest: PackageDigest::of_hex(digest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let md5 = "0123456789abcdef0123456789abcdef";
        let read = |text: &str| {
            line(text.as_bytes()).map(|f| (f.path.escape_ascii().to_string(), f.digest.is_some()))
        };
        let want = |path: &str, known| Some((path.to_owned(), known));
        assert_eq!(read(&format!("{md5}  usr/a b")), want("/usr/a b", true));
        assert_eq!(read(&format!("{md5} *usr/a")), want("/usr/a", true));
        assert_eq!(read(&format!("{md5}{md5}  usr/a")), want("/usr/a", true));
        assert_eq!(read("short  usr/a"), want("/usr/a", false));
        for none in ["", md5, &format!("{md5} usr/a"), &format!("{md5}  ")] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn a_file_that_another_package_diverted_lies_elsewhere() {
        let all = [Diversion {
            from: b"/bin/sh".to_vec(),
            to: b"/bin/sh.distrib".to_vec(),
            local: false,
            package: Some("dash".into()),
        }];
        let diverted = all.iter().map(|one| (one.from.as_slice(), one)).collect();
        assert_eq!(lies_at(b"/bin/sh".to_vec(), b"dash", &diverted), b"/bin/sh");
        assert_eq!(
            lies_at(b"/bin/sh".to_vec(), b"bash", &diverted),
            b"/bin/sh.distrib"
        );
    }
}
