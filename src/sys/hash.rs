//! The one door to the hash functions.
//!
//! Three uses, three types, and checksums: a [`Fingerprint`] is fast and only proposes, a [`Digest`] names
//! content, a [`MetadataDigest`] names what else the names of one inode share. None of them proves that two files
//! are equal: before a name is exchanged, the bytes themselves are compared.
//!
//! Nothing here reads a file; callers feed bytes.

use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::model::{Digest, Fingerprint, Metadata, MetadataDigest, Time};

/// SHA-256 of bytes that come in pieces.
#[derive(Debug, Clone, Default)]
pub struct ContentHasher(Sha256);

impl ContentHasher {
    /// A hasher that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next piece. How the bytes are split into pieces does not matter.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything taken in.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// The fast hash of `bytes` (xxh3, 128 bits, no seed).
pub fn fingerprint(bytes: &[u8]) -> Fingerprint {
    Fingerprint(xxh3_128(bytes))
}

/// A small key for a path (xxh3, 64 bits, no seed), for tables that inform and do not decide.
pub fn path_key(path: &[u8]) -> u64 {
    xxh3_64(path)
}

/// A checksum that finds accidents and does not stop an attacker (xxh3, 64 bits, no seed).
pub fn checksum(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// The digest of everything but content that a link would merge.
///
/// The first 16 bytes of SHA-256 over this encoding; all integers are little-endian:
///
/// | bytes | what |
/// | --- | --- |
/// | 18 | `unify.metadata.1` and two zero bytes: the version of this table |
/// | 5 × 4 | mode, uid, gid, inode flags ([`Metadata::digest_flags`]), project id |
/// | 1 or 13 | 0 where mtime is ignored; else 1, seconds (8), nanoseconds (4) |
/// | 8 | number of xattrs |
/// | … | for each, in the order given (sorted by name): length of the name (8), name, length of the value (8), value |
///
/// Every field has a fixed width or its length in front, so no two metadata have one encoding. The
/// digest is part of every object's name: a change of this table is a new version and new objects.
pub fn metadata_digest(metadata: &Metadata) -> MetadataDigest {
    digest_with(metadata, metadata.digest_flags())
}

/// Is this the digest of the metadata, in whatever way the file is stored?
pub fn is_digest_of(digest: &MetadataDigest, metadata: &Metadata) -> bool {
    let forms = metadata.digest_flag_forms();
    forms
        .iter()
        .any(|flags| digest_with(metadata, *flags) == *digest)
}

fn digest_with(m: &Metadata, flags: u32) -> MetadataDigest {
    let mut hasher = ContentHasher::new();
    hasher.update(b"unify.metadata.1\0\0");
    for number in [m.mode, m.uid, m.gid, flags, m.project] {
        hasher.update(&number.to_le_bytes());
    }
    add_time(&mut hasher, m.mtime);
    add_length(&mut hasher, m.xattrs.len());
    for part in m.xattrs.iter().flat_map(|x| [&x.name, &x.value]) {
        add_length(&mut hasher, part.len());
        hasher.update(part);
    }
    let mut first = [0; 16];
    first.copy_from_slice(&hasher.finish().0[..16]);
    MetadataDigest(first)
}

fn add_time(hasher: &mut ContentHasher, time: Option<Time>) {
    match time {
        None => hasher.update(&[0]),
        Some(time) => {
            hasher.update(&[1]);
            hasher.update(&time.sec.to_le_bytes());
            hasher.update(&time.nsec.to_le_bytes());
        }
    }
}

fn add_length(hasher: &mut ContentHasher, length: usize) {
    hasher.update(&(length as u64).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Xattr;

    fn plain() -> Metadata {
        Metadata {
            mode: 0o755,
            uid: 0,
            gid: 0,
            mtime: Some(Time { sec: 0, nsec: 0 }),
            xattrs: Vec::new(),
            flags: 0,
            project: 0,
        }
    }

    fn xattr(name: &[u8], value: &[u8]) -> Xattr {
        Xattr {
            name: name.into(),
            value: value.into(),
        }
    }

    #[test]
    fn known_answers() {
        let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc").to_string(), abc);
        let mut pieces = ContentHasher::new();
        pieces.update(b"a");
        pieces.update(b"bc");
        assert_eq!(pieces.finish(), sha256(b"abc"));
        // The test vector of XXH3_128bits for no input.
        assert_eq!(
            fingerprint(b"").0,
            0x99aa_06d3_0147_98d8_6001_c324_468d_497f
        );
    }

    /// Objects on disk carry this digest in their names: it must never change for version 1.
    #[test]
    fn metadata_digest_is_stable() {
        let mut bytes = b"unify.metadata.1\0\0".to_vec();
        bytes.extend([0xed, 1, 0, 0]);
        bytes.extend([0; 16]);
        bytes.push(1);
        bytes.extend([0; 12 + 8]);
        assert_eq!(metadata_digest(&plain()).0, sha256(&bytes).0[..16]);
    }

    /// Bases of before have names by the raw flags, and a copy may be stored in another way than its source.
    #[test]
    fn ways_of_storage_have_one_digest_and_old_names_stay_true() {
        let with = |flags| Metadata { flags, ..plain() };
        let inline = with(0x1000_0000);
        assert_eq!(metadata_digest(&inline), metadata_digest(&with(0x8_0000)));
        for old in [0, 0x8_0000, 0x1000_0000] {
            let name = digest_with(&inline, old);
            assert!(is_digest_of(&name, &inline), "{old:#x}");
            assert!(!is_digest_of(&name, &with(0x1000_0040)), "{old:#x}");
        }
    }

    #[test]
    fn every_field_counts() {
        let changes: [fn(&mut Metadata); 9] = [
            |m| m.mode = 0o644,
            |m| m.uid = 1,
            |m| m.gid = 1,
            |m| m.flags = 1,
            |m| m.project = 1,
            |m| m.mtime = None,
            |m| m.mtime = Some(Time { sec: 0, nsec: 1 }),
            |m| m.xattrs = vec![xattr(b"ab", b"c")],
            |m| m.xattrs = vec![xattr(b"a", b"bc")],
        ];
        let mut seen = std::collections::HashSet::from([metadata_digest(&plain())]);
        for (i, change) in changes.iter().enumerate() {
            let mut metadata = plain();
            change(&mut metadata);
            assert!(seen.insert(metadata_digest(&metadata)), "change {i}");
        }
    }
}
