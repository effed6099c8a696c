//! pacman's `local/PACKAGE/mtree`: mtree(5), packed by gzip.
//!
//! ```text
//! line = "/set" { key=value } | path { key=value }      ; path begins with "./", other bytes as \NNN in octal
//! ```
//!
//! Keys that matter are `type`, of which `/set` gives a default, and the digests. What is packed is bounded
//! before it is unpacked.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::record::{EachFile, FileDigests, RecordedFile};
use crate::model::PackageDigest;
use crate::packages::pacman::trees;
use crate::packages::read::fault::{Defect, Fault, Problem};
use crate::packages::read::limits;
use crate::packages::read::source::Source;

/// pacman's database.
pub(super) struct PacmanTrees;

impl FileDigests for PacmanTrees {
    fn files(&self, source: &Source<'_>, each: EachFile<'_>) -> Result<(), Problem> {
        let mut left = limits::TEXT;
        for file in trees(source)? {
            source.in_time()?;
            let Some(packed) = source.binary(&file, limits::TREE)? else {
                continue;
            };
            let text = unpacked(&packed, left).map_err(|f| Problem::malformed(&file, f))?;
            left = left.saturating_sub(text.len() as u64);
            tree(&text, each);
        }
        Ok(())
    }
}

/// At most so many bytes.
fn unpacked(packed: &[u8], most: u64) -> Result<Vec<u8>, Fault> {
    if !packed.starts_with(b"\x1f\x8b") {
        return Ok(packed.to_vec());
    }
    let mut text = Vec::new();
    let mut unpacking = MultiGzDecoder::new(packed).take(most + 1);
    let read = unpacking.read_to_end(&mut text);
    read.map_err(|_| Defect::Broken("packed by gzip, and cannot be unpacked").at(0))?;
    match text.len() as u64 > most {
        true => Err(Defect::Broken("more than may be unpacked").at(0)),
        false => Ok(text),
    }
}

fn tree(text: &[u8], each: EachFile<'_>) {
    let mut is_file = true;
    for line in text.split(|&b| b == b'\n') {
        let mut words = line.split(|&b| b == b' ').filter(|word| !word.is_empty());
        let Some(first) = words.next() else { continue };
        let words: Vec<&[u8]> = words.collect();
        let value = |key: &[u8]| words.iter().find_map(|word| word.strip_prefix(key));
        let kind = value(b"type=").map(|kind| kind == b"file");
        if first == b"/set" {
            is_file = kind.unwrap_or(is_file);
            continue;
        }
        let digest = value(b"sha256digest=").or(value(b"md5digest="));
        let path = first.strip_prefix(b"./").and_then(plain);
        if let (Some(path), Some(digest), true) = (path, digest, kind.unwrap_or(is_file)) {
            each(RecordedFile {
                path,
                digest: PackageDigest::of_hex(digest),
            });
        }
    }
}

/// With a slash in front, and bytes as they are.
fn plain(coded: &[u8]) -> Option<Vec<u8>> {
    let mut path = vec![b'/'];
    let mut rest = coded;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'\\' => {
                let (digits, behind) = rest.split_at_checked(3)?;
                let digits = std::str::from_utf8(digits).ok()?;
                path.push(u8::from_str_radix(digits, 8).ok()?);
                rest = behind;
            }
            other => path.push(*other),
        }
    }
    (path.len() <= limits::PATH).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_their_digests() {
        let md5 = "0123456789abcdef0123456789abcdef";
        let text = format!(
            "#mtree\n/set type=file uid=0 mode=644\n./.PKGINFO time=1.0 size=1 sha256digest={md5}{md5}\n\
             ./usr time=1.0 mode=755 type=dir\n./usr/a\\040b time=1.0 md5digest={md5}\n./usr/l type=link link=x\n./bad\\9 md5digest={md5}\n"
        );
        let mut found = Vec::new();
        tree(text.as_bytes(), &mut |file| found.push(file));
        let paths: Vec<_> = found
            .iter()
            .map(|f| f.path.escape_ascii().to_string())
            .collect();
        assert_eq!(paths, ["/.PKGINFO", "/usr/a b"]);
        assert!(found.iter().all(|file| file.digest.is_some()));
    }

    #[test]
    fn what_is_packed_is_bounded() {
        use flate2::{Compression, write::GzEncoder};
        use std::io::Write;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![b'x'; 1 << 20]).unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(unpacked(&packed, 1 << 20).unwrap().len(), 1 << 20);
        assert!(unpacked(&packed, (1 << 20) - 1).is_err());
        assert!(unpacked(&packed[..100], 1 << 20).is_err());
        assert_eq!(unpacked(b"#mtree\n", 100).unwrap(), b"#mtree\n");
    }
}
