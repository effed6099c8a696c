//! apk's database: a line `Z:` behind the file that it is about.
//!
//! ```text
//! Z:Q1<base64 of SHA-1> | Z:Q2<base64 of SHA-256>
//! ```
//!
//! A link has the digest of its target's name: the walk knows no links, so that none is compared.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::record::{EachFile, FileDigests, RecordedFile};
use crate::model::PackageDigest;
use crate::packages::apk::databases;
use crate::packages::formats::lines::{lines, needed};
use crate::packages::read::fault::{Fault, Problem};
use crate::packages::read::source::Source;

/// apk's database.
pub(super) struct ApkDigests;

impl FileDigests for ApkDigests {
    fn files(&self, source: &Source<'_>, each: EachFile<'_>) -> Result<(), Problem> {
        for file in databases(source)? {
            let data = source.text(&file)?.unwrap_or_default();
            let read = installed(&data, each);
            read.map_err(|fault| Problem::malformed(&file, fault))?;
            source.in_time()?;
        }
        Ok(())
    }
}

fn installed(data: &[u8], each: EachFile<'_>) -> Result<(), Fault> {
    let (mut directory, mut file): (Vec<u8>, Option<Vec<u8>>) = (Vec::new(), None);
    for line in lines(data) {
        let (_, line) = needed(line?)?;
        match line {
            [] => (directory, file) = (Vec::new(), None),
            [b'F', b':', path @ ..] => (directory, file) = (below_root(path), None),
            [b'R', b':', name @ ..] => file = Some([&directory, &b"/"[..], name].concat()),
            [b'Z', b':', digest @ ..] => {
                if let Some(path) = file.take() {
                    let digest = read(digest);
                    each(RecordedFile { path, digest });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// With a slash in front; the root is empty.
fn below_root(path: &[u8]) -> Vec<u8> {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    match path.is_empty() {
        true => Vec::new(),
        false => [b"/", path].concat(),
    }
}

fn read(text: &[u8]) -> Option<PackageDigest> {
    let coded = text.strip_prefix(b"Q1").or(text.strip_prefix(b"Q2"))?;
    PackageDigest::of_bytes(&STANDARD.decode(coded).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_belongs_to_the_file_before_it() {
        let data = b"P:a\nF:usr/bin\nR:x\na:0:0:755\nZ:Q1qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\nR:none\nF:\nR:y\nZ:Q9x\n\n";
        let mut found = Vec::new();
        installed(data, &mut |file| found.push(file)).unwrap();
        let shown: Vec<_> = found
            .iter()
            .map(|f| {
                (
                    f.path.escape_ascii().to_string(),
                    f.digest.as_ref().map(ToString::to_string),
                )
            })
            .collect();
        let abc = "sha1:a9993e364706816aba3e25717850c26c9cd0d89d".to_owned();
        assert_eq!(
            shown,
            [
                ("/usr/bin/x".to_owned(), Some(abc)),
                ("/y".to_owned(), None)
            ]
        );
        assert!(installed(b"P:a", &mut |_| ()).is_err(), "cut off");
    }
}
