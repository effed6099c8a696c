//! dpkg's diversions: "what a package ships as A is to lie at B". Pure.
//!
//! `/var/lib/dpkg/diversions` (lib/dpkg/db-fsys-divert.c) holds groups of three lines: the name, where it is
//! diverted to, and the package on whose behalf; `:` stands for the administrator ("local").

use std::sync::Arc;

use crate::packages::formats::lines::{TextLine, short_lines};
use crate::packages::formats::name::package_name;
use crate::packages::read::fault::{Defect, Fault};
use crate::packages::read::limits;

/// One diversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diversion {
    /// The name that packages ship.
    pub from: Vec<u8>,
    /// Where the shipped file lies instead.
    pub to: Vec<u8>,
    /// Made by the administrator.
    pub local: bool,
    /// Made by a package, where its name is one.
    pub package: Option<Arc<str>>,
}

/// Reads the whole file.
pub fn diversions(data: &[u8]) -> Result<Vec<Diversion>, Fault> {
    let mut found = Vec::new();
    let mut lines = short_lines(data);
    while let Some(from) = lines.next() {
        let from = from?;
        let half = || Defect::HalfDiversion.at(from.0);
        let to = lines.next().ok_or_else(half)??;
        let (at, owner) = lines.next().ok_or_else(half)??;
        if owner.is_empty() {
            return Err(Defect::EmptyLine.at(at));
        }
        if found.len() == limits::CONFIG_FILES {
            return Err(Defect::TooMany.at(at));
        }
        found.push(Diversion {
            from: path(from)?,
            to: path(to)?,
            local: owner == b":",
            package: package_name(owner),
        });
    }
    Ok(found)
}

fn path((at, line): TextLine<'_>) -> Result<Vec<u8>, Fault> {
    match line {
        [] => Err(Defect::EmptyLine.at(at)),
        [b'/', ..] if line.len() > limits::PATH => Err(Defect::LongPath.at(at)),
        [b'/', ..] => Ok(line.to_vec()),
        _ => Err(Defect::RelativePath.at(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_three() {
        let got =
            diversions(b"/bin/sh\n/bin/sh.distrib\ndash\n/etc/a b\n/etc/a b.orig\n:\n").unwrap();
        assert_eq!(got.len(), 2);
        assert_eq!(
            (got[0].local, got[0].package.as_deref()),
            (false, Some("dash"))
        );
        assert_eq!((got[1].local, got[1].package.as_deref()), (true, None));
        assert_eq!(
            (got[1].from.as_slice(), got[1].to.as_slice()),
            (b"/etc/a b".as_slice(), b"/etc/a b.orig".as_slice())
        );
        assert_eq!(diversions(b""), Ok(Vec::new()));
    }

    #[test]
    fn violations() {
        let cases: [(&[u8], Fault); 6] = [
            (b"/a\n/b\n", Defect::HalfDiversion.at(0)),
            (b"/a\n/b\nx\n/c\n", Defect::HalfDiversion.at(8)),
            (b"/a\n/b\nx", Defect::NoFinalNewline.at(6)),
            (b"a\n/b\nx\n", Defect::RelativePath.at(0)),
            (b"/a\n\nx\n", Defect::EmptyLine.at(3)),
            (b"/a\n/b\n\n", Defect::EmptyLine.at(6)),
        ];
        for (data, want) in cases {
            assert_eq!(diversions(data), Err(want), "{}", data.escape_ascii());
        }
    }
}
