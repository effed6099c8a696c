//! The digest by which a package database names the content of a file.

use std::fmt;

/// A kind of digest. The short ones find accidents and do not stop an attacker; nor does any, for the list lies in the
/// same guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DigestKind {
    /// 16 bytes.
    Md5,
    /// 20 bytes.
    Sha1,
    /// 28 bytes.
    Sha224,
    /// 32 bytes.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
}

impl DigestKind {
    /// All of them.
    pub const ALL: [DigestKind; 6] = [
        DigestKind::Md5,
        DigestKind::Sha1,
        DigestKind::Sha224,
        DigestKind::Sha256,
        DigestKind::Sha384,
        DigestKind::Sha512,
    ];

    /// How many bytes it has; no two kinds have as many.
    pub fn length(self) -> usize {
        match self {
            DigestKind::Md5 => 16,
            DigestKind::Sha1 => 20,
            DigestKind::Sha224 => 28,
            DigestKind::Sha256 => 32,
            DigestKind::Sha384 => 48,
            DigestKind::Sha512 => 64,
        }
    }

    /// The kind that has so many bytes.
    pub fn of_length(length: usize) -> Option<DigestKind> {
        let mut all = DigestKind::ALL.into_iter();
        all.find(|kind| kind.length() == length)
    }
}

/// A digest, and of which kind it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageDigest {
    kind: DigestKind,
    bytes: Box<[u8]>,
}

impl PackageDigest {
    /// Its length says of which kind it is; `None` for one that no kind has.
    pub fn of_bytes(bytes: &[u8]) -> Option<PackageDigest> {
        let kind = DigestKind::of_length(bytes.len())?;
        Some(PackageDigest {
            kind,
            bytes: bytes.into(),
        })
    }

    /// The same from hexadecimal digits.
    pub fn of_hex(text: &[u8]) -> Option<PackageDigest> {
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let pair = |pair: &[u8]| {
            let value = digit(pair.first()?)? * 16 + digit(pair.get(1)?)?;
            u8::try_from(value).ok()
        };
        let longest = 2 * DigestKind::Sha512.length();
        if !text.len().is_multiple_of(2) || text.len() > longest {
            return None;
        }
        let bytes: Option<Vec<u8>> = text.chunks(2).map(pair).collect();
        PackageDigest::of_bytes(&bytes?)
    }

    /// Its kind.
    pub fn kind(&self) -> DigestKind {
        self.kind
    }
}

impl fmt::Display for PackageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            DigestKind::Md5 => "md5",
            DigestKind::Sha1 => "sha1",
            DigestKind::Sha224 => "sha224",
            DigestKind::Sha256 => "sha256",
            DigestKind::Sha384 => "sha384",
            DigestKind::Sha512 => "sha512",
        };
        write!(f, "{kind}:")?;
        self.bytes
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_says_the_kind() {
        let md5 = PackageDigest::of_hex(&[b'0'; 32]).unwrap();
        assert_eq!(md5.to_string(), format!("md5:{}", "0".repeat(32)));
        assert_eq!(
            PackageDigest::of_hex(&[b'f'; 64]).unwrap().kind(),
            DigestKind::Sha256
        );
        for bad in ["", "0", "0g", "00", &"0".repeat(33), &"0".repeat(4096)] {
            assert_eq!(PackageDigest::of_hex(bad.as_bytes()), None, "{bad}");
        }
    }
}
