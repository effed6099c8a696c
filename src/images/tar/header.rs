//! One header block, looked at before the parser sees it: its form, type and numbers are such that all programs read
//! them alike. The parser itself is lenient in places, as others are in other places.

use tar_core::{EntryType, HEADER_SIZE, Header};

use super::number::{number, number_32};
use crate::images::fault::BadEntry;
use crate::model::Time;

/// What a block begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    /// A header of this many bytes that belongs to the next entry.
    Extension(Extension, u64),
    /// An entry.
    Entry(BlockFacts),
}

/// The headers that belong to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extension {
    Pax,
    /// For all entries to come.
    Global,
    LongName,
    LongLink,
}

/// What the block says, where no extended header says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockFacts {
    pub kind: EntryType,
    /// Without a type of its own: a slash at the end of its name tells a directory.
    pub is_old_file: bool,
    pub size: u64,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub mtime: Time,
}

/// `ustar` with its version, as POSIX and as GNU write it; nothing before that.
const POSIX: &[u8] = b"ustar\x0000";
const GNU: &[u8] = b"ustar  \0";
const FORM: std::ops::Range<usize> = 257..265;

/// Reads a block that is not all zeros.
pub(super) fn begins(block: &[u8; HEADER_SIZE]) -> Result<Begins, BadEntry> {
    let header = Header::from_bytes(block);
    header.verify_checksum().map_err(|_| BadEntry::Sum)?;
    let form = &block[FORM];
    let is_old = form[..5] != *b"ustar";
    if !is_old && form != POSIX && form != GNU {
        return Err(BadEntry::Form);
    }
    let fields = header.as_ustar();
    let size = number(&fields.size, "length")?;
    let size = u64::try_from(size).map_err(|_| BadEntry::Number("length"))?;
    let letter = fields.typeflag[0];
    let extension = match letter {
        b'x' => Extension::Pax,
        b'g' => Extension::Global,
        b'L' => Extension::LongName,
        b'K' => Extension::LongLink,
        0 | b'0'..=b'7' | b'S' => {
            let facts = facts(header, letter, size)?;
            return match letter {
                b'S' if form != GNU => Err(BadEntry::TypeWithoutForm(letter)),
                _ => Ok(Begins::Entry(facts)),
            };
        }
        other => return Err(BadEntry::Type(other)),
    };
    match is_old {
        true => Err(BadEntry::TypeWithoutForm(letter)),
        false => Ok(Begins::Extension(extension, size)),
    }
}

fn facts(header: &Header, letter: u8, size: u64) -> Result<BlockFacts, BadEntry> {
    let fields = header.as_ustar();
    Ok(BlockFacts {
        kind: header.entry_type(),
        is_old_file: letter == 0,
        size,
        mode: number_32(&fields.mode, "mode")? & 0o7777,
        uid: number_32(&fields.uid, "owner")?,
        gid: number_32(&fields.gid, "group")?,
        mtime: Time {
            sec: number(&fields.mtime, "time")?,
            nsec: 0,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of a type, changed and with a right checksum.
    fn block(letter: u8, change: impl Fn(&mut [u8; HEADER_SIZE])) -> [u8; HEADER_SIZE] {
        let mut header = Header::new_ustar();
        header.set_path(b"a").unwrap();
        let bytes = header.as_mut_bytes();
        bytes[156] = letter;
        change(bytes);
        header.set_checksum();
        *header.as_bytes()
    }

    #[test]
    fn forms_types_and_numbers_are_the_same_to_all() {
        let good = block(b'0', |bytes| {
            bytes[124..135].copy_from_slice(b"00000000012");
        });
        let Ok(Begins::Entry(facts)) = begins(&good) else {
            panic!("refused: {:?}", begins(&good))
        };
        assert_eq!((facts.size, facts.kind), (10, EntryType::Regular));
        let refused = |letter, change: &dyn Fn(&mut [u8; HEADER_SIZE])| {
            begins(&block(letter, change)).unwrap_err()
        };
        assert_eq!(refused(b'Z', &|_| {}), BadEntry::Type(b'Z'));
        let old = |bytes: &mut [u8; HEADER_SIZE]| bytes[FORM].fill(0);
        assert_eq!(refused(b'L', &old), BadEntry::TypeWithoutForm(b'L'));
        assert_eq!(refused(b'S', &|_| {}), BadEntry::TypeWithoutForm(b'S'));
        let form = |bytes: &mut [u8; HEADER_SIZE]| bytes[FORM].copy_from_slice(b"ustar\x0011");
        assert_eq!(refused(b'0', &form), BadEntry::Form);
        for size in [&[0xff; 12], b"\x80\x01\0\0\0\0\0\0\0\0\0\x01"] {
            let long = |bytes: &mut [u8; HEADER_SIZE]| bytes[124..136].copy_from_slice(size);
            assert_eq!(refused(b'0', &long), BadEntry::Number("length"));
        }
        let mut sum = good;
        sum[0] = b'b';
        assert_eq!(begins(&sum), Err(BadEntry::Sum));
    }
}
