//! Three kinds of digest that must not be mixed: one proposes, one decides, one names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

/// A fast hash (xxh3, 128 bits). Two files with different fingerprints differ; equal ones prove nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u128);

/// SHA-256 of a file's whole content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Digest(pub [u8; 32]);

/// The first 128 bits of SHA-256 over the metadata that a link would merge; see `sys::hash`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetadataDigest(pub [u8; 16]);

/// The name of an object: content, metadata, and a generation for contents with more names than one inode may
/// have links. Written `sha256:CONTENT-METADATA` or `sha256:CONTENT-METADATA.N`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ObjectId {
    /// What the bytes are.
    pub content: Digest,
    /// What mode, owner, time and xattrs are.
    pub metadata: MetadataDigest,
    /// 0 for the first inode of this content and metadata, then 1, 2, … up to [`ObjectId::MAX_GENERATION`].
    pub generation: u32,
}

/// Text that is not a digest or an object's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct BadId(&'static str);

/// What every digest of content begins with.
const KIND: &str = "sha256:";

impl ObjectId {
    /// Highest generation. Each holds at least 32,000 names, and a reader looks through all of them: a number in
    /// a plan must not keep it busy for long.
    pub const MAX_GENERATION: u32 = 9_999;

    /// The same content and metadata, the next inode.
    #[must_use]
    pub fn next_generation(self) -> ObjectId {
        ObjectId {
            generation: self.generation.saturating_add(1),
            ..self
        }
    }

    /// The file name of the object within the base: the text form without `sha256:`.
    pub fn file_name(&self) -> String {
        self.to_string().split_off(KIND.len())
    }

    /// Reads what [`ObjectId::file_name`] wrote; anything else is refused.
    pub fn from_file_name(name: &str) -> Result<Self, BadId> {
        const WANT: BadId = BadId(
            "sha256: and 64 hex digits, -, 32 hex digits, and maybe a dot and a number from 1 to 9999",
        );
        let (hex, generation) = match name.split_once('.') {
            None => (name, 0),
            Some((hex, n)) => (hex, generation(n).ok_or(WANT)?),
        };
        let (content, metadata) = hex.split_once('-').ok_or(WANT)?;
        Ok(ObjectId {
            content: Digest(unhex(content).ok_or(WANT)?),
            metadata: MetadataDigest(unhex(metadata).ok_or(WANT)?),
            generation,
        })
    }
}

fn generation(text: &str) -> Option<u32> {
    let canonical = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    let number = if canonical { text.parse().ok() } else { None };
    number.filter(|&n| n <= ObjectId::MAX_GENERATION)
}

impl FromStr for ObjectId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let name = text
            .strip_prefix(KIND)
            .ok_or(BadId("an object's name, which begins with sha256:"))?;
        ObjectId::from_file_name(name)
    }
}

impl FromStr for Digest {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let hex = text.strip_prefix(KIND).and_then(unhex);
        hex.map(Digest).ok_or(BadId("sha256: and 64 hex digits"))
    }
}

/// The first digits of a digest, as a person copies them: at least [`DigestPrefix::FEWEST`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DigestPrefix {
    digits: [u8; 64],
    length: usize,
}

impl DigestPrefix {
    /// So few digits that nobody finds another plan with the same ones by chance.
    pub const FEWEST: usize = 12;

    /// Does the digest begin so?
    pub fn begins(&self, digest: &Digest) -> bool {
        let mut digits = [0; 64];
        hex(&digest.0, &mut digits);
        digits.starts_with(&self.digits[..self.length])
    }
}

impl FromStr for DigestPrefix {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let given = text.strip_prefix(KIND).unwrap_or(text).as_bytes();
        let mut digits = [0; 64];
        let fits = (DigestPrefix::FEWEST..=digits.len()).contains(&given.len());
        if !fits || given.iter().any(|c| hex_digit(*c).is_none()) {
            return Err(BadId("sha256: and the first 12 to 64 hex digits"));
        }
        digits[..given.len()].copy_from_slice(given);
        let length = given.len();
        Ok(DigestPrefix { digits, length })
    }
}

impl fmt::Display for DigestPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.length < 64 { "…" } else { "" };
        write!(f, "{KIND}{}{more}", ascii(&self.digits[..self.length]))
    }
}

impl fmt::Debug for DigestPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; KIND.len() + 64 + 1 + 32];
        let (content, metadata) = text.split_at_mut(KIND.len() + 64);
        content[..KIND.len()].copy_from_slice(KIND.as_bytes());
        hex(&self.content.0, &mut content[KIND.len()..]);
        metadata[0] = b'-';
        hex(&self.metadata.0, &mut metadata[1..]);
        f.write_str(ascii(&text))?;
        match self.generation {
            0 => Ok(()),
            generation => write!(f, ".{generation}"),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; KIND.len() + 64];
        text[..KIND.len()].copy_from_slice(KIND.as_bytes());
        hex(&self.0, &mut text[KIND.len()..]);
        f.write_str(ascii(&text))
    }
}

macro_rules! text_form {
    ($type:ty) => {
        impl TryFrom<String> for $type {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}
text_form!(ObjectId);
text_form!(Digest);

impl fmt::Debug for MetadataDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 32];
        hex(&self.0, &mut text);
        f.write_str(ascii(&text))
    }
}

/// The two digits of every byte: a plan has millions.
const HEX: [[u8; 2]; 256] = {
    let (digits, mut all, mut byte) = (b"0123456789abcdef", [[0; 2]; 256], 0);
    while byte < 256 {
        all[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    all
};

/// Lower-case hexadecimal, two digits for each byte.
fn hex(bytes: &[u8], digits: &mut [u8]) {
    let pairs = digits.chunks_exact_mut(2).zip(bytes);
    pairs.for_each(|(pair, byte)| pair.copy_from_slice(&HEX[usize::from(*byte)]));
}

fn ascii(text: &[u8]) -> &str {
    str::from_utf8(text).unwrap_or_default()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(out)
}

fn hex_digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_names_round_trip() {
        let id = ObjectId {
            content: Digest([0xab; 32]),
            metadata: MetadataDigest([0x12; 16]),
            generation: 0,
        };
        for id in [id, id.next_generation()] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert!(id.next_generation().to_string().ends_with(".1"));
    }

    #[test]
    fn a_digest_is_known_by_its_first_digits() {
        let digest = Digest([0xab; 32]);
        let whole = digest.to_string();
        for given in [&whole[..], &whole[7..], &whole[..7 + 12], &whole[7..7 + 13]] {
            let prefix: DigestPrefix = given.parse().unwrap();
            assert!(prefix.begins(&digest), "{given}");
            assert!(!prefix.begins(&Digest([0xaa; 32])), "{given}");
        }
        let other = format!("{}0", &whole[..7 + 14]);
        assert!(!other.parse::<DigestPrefix>().unwrap().begins(&digest));
        let long = format!("{whole}0");
        for bad in [
            "",
            "sha256:",
            &whole[..7 + 11],
            &whole[7..7 + 11],
            "sha256:abababababaX",
            &long,
        ] {
            assert!(bad.parse::<DigestPrefix>().is_err(), "{bad}");
        }
        assert!(whole.to_uppercase().parse::<DigestPrefix>().is_err());
    }

    #[test]
    fn one_object_has_one_name() {
        let good = format!("{}-{}", "ab".repeat(32), "12".repeat(16));
        assert!(ObjectId::from_file_name(&good).is_ok());
        for bad in [
            good.to_uppercase(),
            format!("{good}.0"),
            format!("{good}.01"),
            format!("{good}.+1"),
            format!("{good}.10000"),
            format!("{good}/"),
            good[1..].into(),
        ] {
            assert!(ObjectId::from_file_name(&bad).is_err(), "{bad}");
        }
    }
}
