//! One package as rpm keeps it: the header blob (rpm's `headerImport`). Pure.
//!
//! ```text
//! u32 il, u32 dl; il entries of (u32 tag, u32 type, i32 offset, u32 count); dl bytes of data; all big-endian
//! ```
//!
//! A later entry replaces an earlier one of the same tag: a relocated package carries its new directories after
//! the signed region. A file without flags of its own is no header: it could be a config file.

use std::collections::HashMap;

use super::bytes::{be16, be32, slice};
use crate::packages::read::fault::Defect;
use crate::packages::read::limits;

const NAME: usize = 1000;
const VERSION: usize = 1001;
const RELEASE: usize = 1002;
const EPOCH: usize = 1003;
const OLD_FILE_NAMES: usize = 1027;
/// Of each file: is it there; its digest; what is verified.
pub(super) const STATES: usize = 1029;
pub(super) const DIGESTS: usize = 1035;
pub(super) const VERIFY: usize = 1045;
const FLAGS: usize = 1037;
const DIRECTORY_INDEXES: usize = 1116;
const BASE_NAMES: usize = 1117;
const DIRECTORY_NAMES: usize = 1118;

const CHAR: usize = 1;
const INT8: usize = 2;
const INT16: usize = 3;
const INT32: usize = 4;
const STRING: usize = 6;
const STRINGS: usize = 8;

/// `%config`, `%ghost` (rpmfiles.h).
const CONFIG: usize = 1;
const GHOST: usize = 64;

/// rpm's own bounds on entries and data.
const MOST_ENTRIES: usize = 65_535;
const ENTRY: usize = 16;

const NEEDED: [usize; 12] = [
    STATES,
    DIGESTS,
    VERIFY,
    NAME,
    VERSION,
    RELEASE,
    EPOCH,
    OLD_FILE_NAMES,
    FLAGS,
    DIRECTORY_INDEXES,
    BASE_NAMES,
    DIRECTORY_NAMES,
];

/// A header whose index was read.
pub(super) struct RpmHeader<'a> {
    data: &'a [u8],
    entries: HashMap<usize, TagEntry>,
}

#[derive(Clone, Copy)]
struct TagEntry {
    kind: usize,
    offset: usize,
    count: usize,
}

/// A file of a package.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RpmFile {
    pub path: Vec<u8>,
    flags: usize,
}

impl RpmFile {
    /// What `rpm -qc` lists: `%config`, also where no package brings the file.
    pub fn is_config(&self) -> bool {
        self.flags & CONFIG != 0
    }

    /// What the guest makes itself.
    pub fn is_ghost(&self) -> bool {
        self.flags & GHOST != 0
    }
}

impl<'a> RpmHeader<'a> {
    /// Reads the index. Nothing is allocated by a number that the blob does not hold.
    pub fn read(blob: &'a [u8]) -> Result<RpmHeader<'a>, Defect> {
        if blob.len() > limits::HEADER {
            return Err(Defect::Broken("header longer than 64 MiB"));
        }
        let il = be32(blob, 0).ok_or(SHORT)?;
        let dl = be32(blob, 4).ok_or(SHORT)?;
        if il == 0 || il > MOST_ENTRIES {
            return Err(Defect::Broken(
                "header with an impossible number of entries",
            ));
        }
        let index = slice(blob, 8, il * ENTRY).ok_or(SHORT)?;
        let data = slice(blob, 8 + il * ENTRY, dl).ok_or(SHORT)?;
        if blob.len() != 8 + il * ENTRY + dl {
            return Err(Defect::Broken("header with bytes behind its end"));
        }
        let mut entries = HashMap::new();
        for line in index.chunks_exact(ENTRY) {
            let tag = be32(line, 0).ok_or(SHORT)?;
            if NEEDED.contains(&tag) {
                entries.insert(tag, TagEntry::read(line, data.len())?);
            }
        }
        Ok(RpmHeader { data, entries })
    }

    /// The package's name; empty where it has none, as made by hand in tests of rpm.
    pub fn name(&self) -> Result<&'a [u8], Defect> {
        Ok(self.string(NAME)?.unwrap_or(b"unnamed"))
    }

    /// `EPOCH:VERSION-RELEASE`, as far as it is there.
    pub fn version(&self) -> Result<Option<Vec<u8>>, Defect> {
        let Some(version) = self.string(VERSION)? else {
            return Ok(None);
        };
        let mut text = match self.numbers(EPOCH)?.first() {
            Some(epoch) => format!("{epoch}:").into_bytes(),
            None => Vec::new(),
        };
        text.extend_from_slice(version);
        if let Some(release) = self.string(RELEASE)? {
            text.push(b'-');
            text.extend_from_slice(release);
        }
        Ok(Some(text))
    }

    /// All files. An entry with a hostile name is left out; lists that do not fit each other are no header.
    pub fn files(&self) -> Result<Vec<RpmFile>, Defect> {
        Ok(self.all_files()?.into_iter().flatten().collect())
    }

    /// The same in the order of the header; `None` for one with a hostile name.
    pub(super) fn all_files(&self) -> Result<Vec<Option<RpmFile>>, Defect> {
        let paths = self.paths()?;
        let flags = self.numbers(FLAGS)?;
        if flags.len() != paths.len() {
            return Err(Defect::Broken("not as many file flags as files"));
        }
        let files = paths.into_iter().zip(flags);
        Ok(files
            .map(|(path, flags)| path.map(|path| RpmFile { path, flags }))
            .collect())
    }

    /// In the order of their flags; `None` for a name that can be no file's. Packages older than rpm 4 have whole
    /// paths.
    fn paths(&self) -> Result<Vec<Option<Vec<u8>>>, Defect> {
        let directories = self.strings(DIRECTORY_NAMES)?;
        let indexes = self.numbers(DIRECTORY_INDEXES)?;
        let bases = self.strings(BASE_NAMES)?;
        if indexes.len() != bases.len() {
            return Err(UNEVEN);
        }
        if bases.is_empty() {
            let old = self.strings(OLD_FILE_NAMES)?;
            return Ok(old.into_iter().map(whole).collect());
        }
        let path = |(base, index): (_, usize)| {
            let directory = directories.get(index).ok_or(UNEVEN)?;
            Ok(join(directory, base))
        };
        bases.into_iter().zip(indexes).map(path).collect()
    }

    fn byte(&self, at: usize) -> Result<usize, Defect> {
        self.data
            .get(at)
            .map(|byte| usize::from(*byte))
            .ok_or(SHORT)
    }

    fn string(&self, tag: usize) -> Result<Option<&'a [u8]>, Defect> {
        Ok(self.strings(tag)?.first().copied())
    }

    /// Strings end in a NUL within the data.
    pub(super) fn strings(&self, tag: usize) -> Result<Vec<&'a [u8]>, Defect> {
        let Some(entry) = self.entries.get(&tag) else {
            return Ok(Vec::new());
        };
        let mut rest = self.data.get(entry.offset..).ok_or(SHORT)?;
        let count = match entry.kind {
            STRING => 1,
            STRINGS => entry.count,
            _ => return Err(Defect::Broken("header entry of a wrong type")),
        };
        let mut all = Vec::new();
        for _ in 0..count {
            let end = rest.iter().position(|&b| b == 0);
            let (text, behind) = rest
                .split_at_checked(end.ok_or(Defect::Broken("string without an end"))?)
                .ok_or(SHORT)?;
            all.push(text);
            rest = behind.get(1..).unwrap_or_default();
        }
        Ok(all)
    }

    pub(super) fn numbers(&self, tag: usize) -> Result<Vec<usize>, Defect> {
        let Some(entry) = self.entries.get(&tag) else {
            return Ok(Vec::new());
        };
        let number = |at: usize| match entry.kind {
            CHAR | INT8 => self.byte(entry.offset + at),
            INT16 => be16(self.data, entry.offset + 2 * at).ok_or(SHORT),
            INT32 => be32(self.data, entry.offset + 4 * at).ok_or(SHORT),
            _ => Err(Defect::Broken("header entry of a wrong type")),
        };
        (0..entry.count).map(number).collect()
    }
}

impl TagEntry {
    /// Every element takes at least one byte (two, four) of the data.
    fn read(line: &[u8], data: usize) -> Result<TagEntry, Defect> {
        let field = |at| be32(line, at).ok_or(SHORT);
        let (kind, offset, count) = (field(4)?, field(8)?, field(12)?);
        let width = match kind {
            INT16 => 2,
            INT32 => 4,
            _ => 1,
        };
        // A negative offset is a huge one here.
        let left = data.checked_sub(offset);
        if left.is_none_or(|left| count > left / width) {
            return Err(Defect::Broken("header entry outside of its data"));
        }
        if count > limits::FILES_OF_PACKAGE {
            return Err(Defect::Broken("package of more than 1,048,575 files"));
        }
        Ok(TagEntry {
            kind,
            offset,
            count,
        })
    }
}

const SHORT: Defect = Defect::Broken("header cut off");
const UNEVEN: Defect = Defect::Broken("file without a directory");

/// `None` for a name that climbs, or is none.
fn join(directory: &[u8], base: &[u8]) -> Option<Vec<u8>> {
    let plain = !base.is_empty() && !base.contains(&b'/') && base != b"." && base != b"..";
    let absolute = directory.starts_with(b"/") && directory.ends_with(b"/");
    (plain && absolute).then(|| [directory, base].concat())
}

/// A path of an old package; `None` for the root and for what begins nowhere.
fn whole(path: &[u8]) -> Option<Vec<u8>> {
    (path.starts_with(b"/") && path.len() > 1).then(|| path.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of these entries over this data.
    fn header(entries: &[(u32, u32, i32, u32)], data: &[u8]) -> Vec<u8> {
        let mut blob = Vec::new();
        blob.extend((entries.len() as u32).to_be_bytes());
        blob.extend((data.len() as u32).to_be_bytes());
        for (tag, kind, offset, count) in entries {
            blob.extend(tag.to_be_bytes());
            blob.extend(kind.to_be_bytes());
            blob.extend(offset.to_be_bytes());
            blob.extend(count.to_be_bytes());
        }
        blob.extend(data);
        blob
    }

    const DATA: &[u8] = b"/etc/\0ok.conf\0\0\0\0\0\0\x01\0\0\0\0name\0";

    fn entries() -> [(u32, u32, i32, u32); 5] {
        [
            (1118, 8, 0, 1),
            (1117, 8, 6, 1),
            (1037, 4, 16, 1),
            (1116, 4, 20, 1),
            (1000, 6, 24, 1),
        ]
    }

    fn files(blob: &[u8]) -> Result<Vec<RpmFile>, Defect> {
        RpmHeader::read(blob)?.files()
    }

    #[test]
    fn a_header_is_read() {
        let blob = header(&entries(), DATA);
        let read = files(&blob).unwrap();
        assert_eq!(read.len(), 1);
        assert!(read[0].path == b"/etc/ok.conf" && read[0].is_config());
        assert_eq!(RpmHeader::read(&blob).unwrap().name(), Ok(&b"name"[..]));
    }

    #[test]
    fn a_later_entry_replaces_an_earlier_one() {
        let mut moved = DATA.to_vec();
        moved.extend(b"/srv/\0");
        let dribble = [&entries()[..], &[(1118, 8, 29, 1)]].concat();
        let read = files(&header(&dribble, &moved)).unwrap();
        assert_eq!(read[0].path, b"/srv/ok.conf");
    }

    #[test]
    fn numbers_beyond_the_blob_are_refused() {
        let with = |at: usize, entry| {
            let mut all = entries();
            all[at] = entry;
            header(&all, DATA)
        };
        let mut many = header(&entries(), DATA);
        many[..4].copy_from_slice(&[0xff; 4]);
        let mut index = DATA.to_vec();
        index[23] = 7;
        for bad in [
            many,
            with(0, (1118, 8, -16, 1)),
            with(1, (1117, 8, 6, u32::MAX)),
            with(1, (1117, 8, 30, 1)),
            header(&entries(), &index),
            header(&[(1117, 8, 0, 1)], b"abc"),
            header(&entries(), b""),
            Vec::new(),
        ] {
            assert!(files(&bad).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn hostile_names_are_left_out() {
        assert_eq!(join(b"/etc/", b"a").unwrap(), b"/etc/a");
        for (directory, base) in [
            ("etc/", "a"),
            ("/etc", "a"),
            ("/etc/", "../a"),
            ("/etc/", ".."),
            ("/etc/", ""),
        ] {
            assert_eq!(join(directory.as_bytes(), base.as_bytes()), None);
        }
    }
}
