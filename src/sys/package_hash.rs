//! Digests of the kinds that package databases use. They are compared with what such a database says, and with nothing
//! else: `hash` has those that this program names content by.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

use crate::model::{DigestKind, PackageDigest};

/// A digest of bytes that come in pieces.
pub enum PackageHasher {
    /// See [`DigestKind`].
    Md5(Md5),
    /// See [`DigestKind`].
    Sha1(Sha1),
    /// See [`DigestKind`].
    Sha224(Sha224),
    /// See [`DigestKind`].
    Sha256(Sha256),
    /// See [`DigestKind`].
    Sha384(Sha384),
    /// See [`DigestKind`].
    Sha512(Sha512),
}

impl PackageHasher {
    /// A hasher that has seen nothing.
    pub fn new(kind: DigestKind) -> PackageHasher {
        match kind {
            DigestKind::Md5 => PackageHasher::Md5(Md5::new()),
            DigestKind::Sha1 => PackageHasher::Sha1(Sha1::new()),
            DigestKind::Sha224 => PackageHasher::Sha224(Sha224::new()),
            DigestKind::Sha256 => PackageHasher::Sha256(Sha256::new()),
            DigestKind::Sha384 => PackageHasher::Sha384(Sha384::new()),
            DigestKind::Sha512 => PackageHasher::Sha512(Sha512::new()),
        }
    }

    /// Takes in the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            PackageHasher::Md5(hasher) => hasher.update(bytes),
            PackageHasher::Sha1(hasher) => hasher.update(bytes),
            PackageHasher::Sha224(hasher) => hasher.update(bytes),
            PackageHasher::Sha256(hasher) => hasher.update(bytes),
            PackageHasher::Sha384(hasher) => hasher.update(bytes),
            PackageHasher::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of everything taken in; there is always one, for each kind has a length of its own.
    pub fn finish(self) -> Option<PackageDigest> {
        match self {
            PackageHasher::Md5(hasher) => PackageDigest::of_bytes(&hasher.finalize()),
            PackageHasher::Sha1(hasher) => PackageDigest::of_bytes(&hasher.finalize()),
            PackageHasher::Sha224(hasher) => PackageDigest::of_bytes(&hasher.finalize()),
            PackageHasher::Sha256(hasher) => PackageDigest::of_bytes(&hasher.finalize()),
            PackageHasher::Sha384(hasher) => PackageDigest::of_bytes(&hasher.finalize()),
            PackageHasher::Sha512(hasher) => PackageDigest::of_bytes(&hasher.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests of "abc": RFC 1321, A.5, and FIPS 180.
    #[test]
    fn known_answers() {
        for (kind, want) in [
            (DigestKind::Md5, "md5:900150983cd24fb0d6963f7d28e17f72"),
            (
                DigestKind::Sha1,
                "sha1:a9993e364706816aba3e25717850c26c9cd0d89d",
            ),
            (
                DigestKind::Sha256,
                "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
        ] {
            let mut hasher = PackageHasher::new(kind);
            hasher.update(b"a");
            hasher.update(b"bc");
            assert_eq!(hasher.finish().unwrap().to_string(), want);
        }
        for kind in DigestKind::ALL {
            assert_eq!(PackageHasher::new(kind).finish().unwrap().kind(), kind);
        }
    }
}
