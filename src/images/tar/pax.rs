//! Records of extended headers (POSIX pax, "pax Extended Header"), read strictly: what one program skips and another
//! heeds is refused. Values are bytes; only numbers are text.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use tar_core::PaxExtensions;

use crate::images::fault::BadEntry;
use crate::model::{Time, Xattr};

/// What the extended header of one entry says, as far as it matters here.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct PaxFacts {
    pub has_path: bool,
    pub has_link: bool,
    pub size: Option<u64>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub mtime: Option<Time>,
    /// Does it name a sparse file?
    pub sparse: bool,
    /// Sorted by name.
    pub attributes: Vec<Xattr>,
}

/// Access control lists as text, and as what they are on a disk.
const LISTS: [(&[u8], &[u8]); 2] = [
    (b"SCHILY.acl.access", b"system.posix_acl_access"),
    (b"SCHILY.acl.default", b"system.posix_acl_default"),
];

impl PaxFacts {
    /// Reads all records.
    pub fn of(data: &[u8]) -> Result<PaxFacts, BadEntry> {
        let mut facts = PaxFacts::default();
        let (mut own, mut lists) = (Vec::new(), Vec::new());
        for (key, value) in records(data)? {
            if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                facts.attribute(name, value)?;
            } else if let Some(name) = key.strip_prefix(b"LIBARCHIVE.xattr.") {
                own.push((name, value));
            } else if let Some((_, list)) = LISTS.iter().find(|(text, _)| *text == key) {
                lists.push((*list, value));
            } else {
                facts.take(key, value)?;
            }
        }
        facts.attributes.sort();
        own.into_iter()
            .try_for_each(|(name, value)| facts.also_says(name, value))?;
        facts.add_lists(lists);
        Ok(facts)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), BadEntry> {
        let bad = || BadEntry::Record(key.to_vec());
        match key {
            b"path" => {
                self.has_path = true;
                plain(value).ok_or_else(bad)?;
            }
            b"linkpath" => {
                self.has_link = true;
                plain(value).ok_or_else(bad)?;
            }
            b"size" => self.size = Some(decimal(value).ok_or_else(bad)?),
            b"uid" => self.uid = Some(decimal_32(value).ok_or_else(bad)?),
            b"gid" => self.gid = Some(decimal_32(value).ok_or_else(bad)?),
            b"mtime" => self.mtime = Some(time(value).ok_or_else(bad)?),
            // Names in another encoding are what they are: bytes.
            b"hdrcharset" if value != b"BINARY" && value != b"ISO-IR 10646 2000 UTF-8" => {
                return Err(bad());
            }
            // The size of a sparse file as star writes it.
            b"SCHILY.realsize" => return Err(bad()),
            key if key.starts_with(b"GNU.sparse.") => self.sparse_record(key, value)?,
            // Owners by name are the builder's; access and change times are nobody's.
            _ => {}
        }
        Ok(())
    }

    fn sparse_record(&mut self, key: &[u8], value: &[u8]) -> Result<(), BadEntry> {
        let bad = || BadEntry::Record(key.to_vec());
        self.sparse = true;
        match key.strip_prefix(b"GNU.sparse.") {
            Some(b"name") => {
                self.has_path = true;
                plain(value).ok_or_else(bad)
            }
            Some(b"map") => {
                let digits = |byte: &u8| byte.is_ascii_digit() || *byte == b',';
                value.iter().all(digits).then_some(()).ok_or_else(bad)
            }
            _ => decimal(value).map(drop).ok_or_else(bad),
        }
    }

    fn attribute(&mut self, name: &[u8], value: &[u8]) -> Result<(), BadEntry> {
        let bad = name.is_empty() || name.contains(&0) || name.len() > 255;
        if bad || self.attributes.iter().any(|known| known.name == name) {
            return Err(BadEntry::Record(name.to_vec()));
        }
        self.attributes.push(Xattr {
            name: name.to_vec(),
            value: value.to_vec(),
        });
        Ok(())
    }

    /// libarchive writes each attribute in a form of its own beside the common one. One that stands there alone is seen
    /// by it and by no other.
    fn also_says(&self, name: &[u8], value: &[u8]) -> Result<(), BadEntry> {
        let plain = unescaped(name);
        let value = value.trim_ascii_end();
        let bytes = STANDARD
            .decode(value)
            .or_else(|_| STANDARD_NO_PAD.decode(value));
        let same = |known: &Xattr| Some(&known.name) == plain.as_ref();
        let known = self.attributes.iter().find(|known| same(known));
        match (known, bytes) {
            (Some(known), Ok(bytes)) if known.value == bytes => Ok(()),
            _ => Err(BadEntry::Attribute(name.to_vec())),
        }
    }

    /// A list as text is kept as such, unless its bytes are there: users by name cannot be looked up.
    fn add_lists(&mut self, lists: Vec<(&[u8], &[u8])>) {
        for (name, text) in lists {
            let is_there = self.attributes.iter().any(|known| known.name == name);
            if !is_there && !text.trim_ascii().is_empty() {
                let name = [name, b".text"].concat();
                let value = text.trim_ascii().to_vec();
                self.attributes.push(Xattr { name, value });
            }
        }
        self.attributes.sort();
    }
}

/// Refuses a header for all entries that follow, unless it only remarks something (`git archive`).
pub(super) fn only_remarks(data: &[u8]) -> Result<(), BadEntry> {
    let all = records(data)?;
    match all.into_iter().find(|(key, _)| *key != b"comment") {
        None => Ok(()),
        Some((key, _)) => Err(BadEntry::Global(key.to_vec())),
    }
}

/// A key and its value.
type PaxRecord<'a> = (&'a [u8], &'a [u8]);

/// All records. The parser ends without a word where a length is no number, so it is counted how far it came.
fn records(data: &[u8]) -> Result<Vec<PaxRecord<'_>>, BadEntry> {
    let (mut all, mut length) = (Vec::new(), 0);
    for record in PaxExtensions::new(data) {
        let record = record.map_err(|_| BadEntry::Record(Vec::new()))?;
        let (key, value) = (record.key_bytes(), record.value_bytes());
        if key.is_empty() || key.contains(&0) || str::from_utf8(key).is_err() {
            return Err(BadEntry::Record(key.to_vec()));
        }
        length += record_length(key.len() + value.len() + 3);
        all.push((key, value));
    }
    match length == data.len() {
        true => Ok(all),
        false => Err(BadEntry::Record(Vec::new())),
    }
}

/// The length of a record with its own digits; `rest` is all but these: space, equals sign and newline are in it.
fn record_length(rest: usize) -> usize {
    let digits = |length: usize| length.to_string().len();
    let mut length = rest + digits(rest);
    while rest + digits(length) != length {
        length = rest + digits(length);
    }
    length
}

/// Neither empty, which takes a name away, nor with a NUL in it, where some cut it.
fn plain(value: &[u8]) -> Option<()> {
    (!value.is_empty() && !value.contains(&0)).then_some(())
}

fn decimal(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = str::from_utf8(value).ok().filter(|_| digits)?;
    // What the kernel can count.
    text.parse()
        .ok()
        .filter(|number| i64::try_from(*number).is_ok())
}

fn decimal_32(value: &[u8]) -> Option<u32> {
    u32::try_from(decimal(value)?).ok()
}

/// Seconds with a fraction, maybe before 1970. What is finer than a nanosecond is cut off towards the past.
fn time(value: &[u8]) -> Option<Time> {
    let (negative, digits) = match value.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, value),
    };
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = digits.split_at(point.unwrap_or(digits.len()));
    let fraction = fraction.strip_prefix(b".").unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let sec = i64::try_from(decimal(whole)?).ok()?;
    let digit = |at: usize| fraction.get(at).map_or(0, |byte| u32::from(byte - b'0'));
    let nsec = (0..9).fold(0, |sum, at| sum * 10 + digit(at));
    let finer = fraction.iter().skip(9).any(|byte| *byte != b'0');
    Some(match (negative, nsec + u32::from(finer && negative)) {
        (false, nsec) => Time { sec, nsec },
        (true, 0) => Time { sec: -sec, nsec: 0 },
        (true, nsec) => Time {
            sec: -sec - 1,
            nsec: 1_000_000_000 - nsec,
        },
    })
}

/// `%20` for a space, and so on.
fn unescaped(name: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            plain.push(*first);
            continue;
        }
        let hex = str::from_utf8(after.get(..2)?).ok()?;
        plain.push(u8::from_str_radix(hex, 16).ok()?);
        rest = &after[2..];
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(records: &[(&str, &[u8])]) -> Vec<u8> {
        let one = |(key, value): &(&str, &[u8])| {
            let length = record_length(key.len() + value.len() + 3);
            [
                length.to_string().as_bytes(),
                b" ",
                key.as_bytes(),
                b"=",
                value,
                b"\n",
            ]
            .concat()
        };
        records.iter().flat_map(one).collect()
    }

    fn facts(records: &[(&str, &[u8])]) -> Option<PaxFacts> {
        PaxFacts::of(&data(records)).ok()
    }

    #[test]
    fn times() {
        let read = |text: &str| time(text.as_bytes()).map(|time| (time.sec, time.nsec));
        for (text, want) in [
            ("1", Some((1, 0))),
            ("1.5", Some((1, 500_000_000))),
            ("1.0000000019", Some((1, 1))),
            ("-157766394.5", Some((-157_766_395, 500_000_000))),
            ("-1", Some((-1, 0))),
            ("-0.0000000001", Some((-1, 999_999_999))),
            ("10413792000.", Some((10_413_792_000, 0))),
            ("1e9", None),
            ("", None),
            (".5", None),
            ("--1", None),
            ("+1", None),
            ("1.-5", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(read(text), want, "{text}");
        }
    }

    #[test]
    fn records_are_read_to_the_last_byte() {
        let good = data(&[("uid", b"7"), ("comment", b"a\nb")]);
        assert_eq!(PaxFacts::of(&good).unwrap().uid, Some(7));
        for bad in [
            &b"x 3=4\n"[..],
            b"11 uid=7\n",
            b"9 uid=7\n\0",
            b"09 uid=77\n",
            b"5 a=b",
            b" ",
            b"6 uid7\n",
        ] {
            assert!(PaxFacts::of(bad).is_err(), "{}", bad.escape_ascii());
        }
        assert!(PaxFacts::of(&[&good[..], b"junk"].concat()).is_err());
    }

    #[test]
    fn what_programs_read_in_two_ways_is_refused() {
        for bad in [
            &[("path", &b"good\0evil"[..])][..],
            &[("path", b"")],
            &[("size", b"+5")],
            &[("size", b"-1")],
            &[("uid", b"4294967296")],
            &[("hdrcharset", b"ISO-8859-1")],
            &[("SCHILY.realsize", b"9")],
            &[("LIBARCHIVE.xattr.user.a", b"cGxhaW4")],
            &[("GNU.sparse.map", b"0,x")],
        ] {
            assert_eq!(facts(bad), None, "{bad:?}");
        }
        let xattr = |name: &str, value: &[u8]| Xattr {
            name: name.into(),
            value: value.into(),
        };
        let both = facts(&[
            ("SCHILY.xattr.user.sp ace", b"\0\x01\n"),
            ("LIBARCHIVE.xattr.user.sp%20ace", b"AAEK"),
        ]);
        assert_eq!(
            both.unwrap().attributes,
            [xattr("user.sp ace", b"\0\x01\n")]
        );
        let list = facts(&[("SCHILY.acl.access", b"user::rw-\n")]);
        let want = xattr("system.posix_acl_access.text", b"user::rw-");
        assert_eq!(list.unwrap().attributes, [want]);
    }

    #[test]
    fn headers_for_all_only_remark() {
        assert_eq!(only_remarks(&data(&[("comment", b"0a1b")])), Ok(()));
        let sets = only_remarks(&data(&[("comment", b""), ("size", b"5")]));
        assert_eq!(sets, Err(BadEntry::Global(b"size".to_vec())));
    }
}
