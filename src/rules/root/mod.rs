//! What looks like the root of a guest, what else it may be that a person gives as one, and what it is called.

mod image;
mod naming;
mod store;

pub use image::{FileSystem, HEAD, HeldXattrs, image_name, no_directory};
pub use naming::{lies_in, names};
pub use store::store_of;

use crate::model::FileKind;

/// A name in a directory, and what it is there: a link is a link.
pub type Entry = (Vec<u8>, FileKind);

/// How much a directory looks like the root of a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootLooks {
    /// Nothing in it says so.
    NotAtAll,
    /// Something does, but a guest of a few files looks so, and so does much else.
    Partly,
    /// It is the root of something.
    Fully,
}

/// Directories, or links in their place, that are at the top of every system. Each is a sign, and two are enough.
const CHIEF: &[&[u8]] = &[
    b"bin", b"sbin", b"lib", b"lib32", b"lib64", b"libx32", b"etc", b"nix", b"gnu",
];

/// Others that are there in most, and elsewhere as well: each makes one of the chief ones sure.
const COMMON: &[&[u8]] = &[
    b"boot", b"dev", b"home", b"libexec", b"media", b"mnt", b"opt", b"proc", b"root", b"run",
    b"srv", b"sys", b"tmp", b"var",
];

/// What a message says is missing.
const NAMED: [&str; 3] = ["usr", "bin", "etc"];

/// How much a directory with these entries looks like a root. `usr` alone is enough: nothing else is called so.
pub fn looks(entries: &[Entry]) -> RootLooks {
    let has = |name: &[u8]| {
        let mut all = entries.iter();
        all.any(|(found, kind)| found == name && leads_on(*kind))
    };
    let count = |names: &[&[u8]]| names.iter().filter(|name| has(name)).count();
    let (chief, common) = (count(CHIEF), count(COMMON));
    match (has(b"usr"), chief, common) {
        (true, ..) | (false, 2.., _) | (false, 1, 1..) => RootLooks::Fully,
        (false, 0, ..3) => RootLooks::NotAtAll,
        _ => RootLooks::Partly,
    }
}

fn leads_on(kind: FileKind) -> bool {
    matches!(kind, FileKind::Directory | FileKind::Symlink)
}

/// May a directory of this name be in every root? Then what is in it says nothing about what it is in.
pub fn is_of_a_root(name: &[u8]) -> bool {
    CHIEF.contains(&name) || COMMON.contains(&name)
}

/// Is a directory of this name, if it looks like a root, the root of what it lies in?
pub fn is_telling(name: &[u8]) -> bool {
    naming::is_any_root(name)
}

/// `it has no usr/, bin/ or etc/`: those of the three that are not there.
pub fn lacks(entries: &[Entry]) -> String {
    let is_missing = |name: &&str| {
        let mut all = entries.iter();
        !all.any(|(found, kind)| found == name.as_bytes() && leads_on(*kind))
    };
    let missing: Vec<String> = NAMED
        .iter()
        .filter(|name| is_missing(name))
        .map(|name| format!("{name}/"))
        .collect();
    match missing.as_slice() {
        [] => "it is little like one".to_owned(),
        [one] => format!("it has no {one}"),
        [first @ .., last] => format!("it has no {} or {last}", first.join(", ")),
    }
}

/// A tree that tools unpack into a root, known by what they keep beside it.
pub fn packed_layout(entries: &[Entry]) -> Option<&'static str> {
    let has = |name: &str, kind: FileKind| {
        let mut all = entries.iter();
        all.any(|(found, found_kind)| found == name.as_bytes() && *found_kind == kind)
    };
    let file = |name| has(name, FileKind::Regular);
    if file("oci-layout") || (file("index.json") && has("blobs", FileKind::Directory)) {
        Some("an OCI image layout")
    } else if file("manifest.json") && (file("repositories") || has_layers(entries)) {
        Some("an unpacked archive of `docker save`")
    } else if file("manifest.json") && file("version") {
        Some("an image directory of skopeo")
    } else {
        None
    }
}

/// `docker save` writes `ID.json` and `ID/layer.tar`, or `ID.tar`.
fn has_layers(entries: &[Entry]) -> bool {
    let mut all = entries.iter();
    all.any(|(name, kind)| {
        let stem = name
            .strip_suffix(b".json")
            .or_else(|| name.strip_suffix(b".tar"));
        let is_id = |stem: &[u8]| stem.len() == 64 && stem.iter().all(u8::is_ascii_hexdigit);
        *kind == FileKind::Regular && stem.is_some_and(is_id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directories(names: &[&str]) -> Vec<Entry> {
        let entry = |name: &&str| (name.as_bytes().to_vec(), FileKind::Directory);
        names.iter().map(entry).collect()
    }

    #[test]
    fn roots_of_all_kinds_are_known() {
        let roots: &[&[&str]] = &[
            &["usr"],
            &["bin", "boot", "dev", "etc", "home", "lib", "usr", "var"],
            // busybox, and a chroot of a few files
            &["bin", "dev", "etc", "proc"],
            &["bin", "lib64"],
            // a container that was exported, distroless, Guix, NixOS
            &["app", "dev", "etc", "proc", "sys"],
            &["etc", "home", "root", "tmp", "var"],
            &["gnu", "var"],
            &["nix", "etc"],
        ];
        for root in roots {
            assert_eq!(looks(&directories(root)), RootLooks::Fully, "{root:?}");
        }
        let merged: Vec<Entry> = ["bin", "lib"]
            .map(|name| (name.as_bytes().to_vec(), FileKind::Symlink))
            .to_vec();
        assert_eq!(looks(&merged), RootLooks::Fully);
    }

    #[test]
    fn what_is_none_is_known() {
        for other in [
            &[][..],
            &["rootfs"],
            &["web1", "web2", ".unify"],
            &["rootfs", "templates"],
            &["blobs"],
            &["diff", "work", "merged"],
            &["home", "srv"],
        ] {
            assert_eq!(looks(&directories(other)), RootLooks::NotAtAll, "{other:?}");
        }
        for perhaps in [&["etc"][..], &["bin", "web1"], &["dev", "proc", "tmp"]] {
            assert_eq!(
                looks(&directories(perhaps)),
                RootLooks::Partly,
                "{perhaps:?}"
            );
        }
        let file = (b"usr".to_vec(), FileKind::Regular);
        assert_eq!(looks(&[file]), RootLooks::NotAtAll);
    }

    #[test]
    fn what_is_missing_is_said() {
        assert_eq!(lacks(&[]), "it has no usr/, bin/ or etc/");
        assert_eq!(lacks(&directories(&["etc"])), "it has no usr/ or bin/");
        assert_eq!(lacks(&directories(&["etc", "bin"])), "it has no usr/");
    }

    #[test]
    fn packed_images_are_known() {
        let file = |name: &str| (name.as_bytes().to_vec(), FileKind::Regular);
        let mut oci = directories(&["blobs"]);
        oci.push(file("index.json"));
        assert_eq!(packed_layout(&oci), Some("an OCI image layout"));
        let id = "0123456789abcdef".repeat(4) + ".json";
        let docker = [file("manifest.json"), file(&id)];
        assert_eq!(
            packed_layout(&docker),
            Some("an unpacked archive of `docker save`")
        );
        assert_eq!(packed_layout(&[file("manifest.json")]), None);
        assert_eq!(packed_layout(&directories(&["oci-layout"])), None);
    }
}
