//! What a guest is called whose root a person gives without a name: by its directory, and where that is called as
//! roots are everywhere (`web1/rootfs`), by the one above.

use std::path::Path;

/// What roots are called whoever's they are: by LXC, Incus, runc, containerd, Docker, mkosi, `unsquashfs`.
const ANY_ROOT: &[&str] = &[
    "rootfs",
    "root",
    "fs",
    "rootfs.dir",
    "rootdir",
    "squashfs-root",
    "merged",
    "diff",
    "@rootfs",
];

/// The directory in which a guest lies beside others: not the one that is there for its root alone.
pub fn lies_in(root: &Path) -> Option<&Path> {
    own_directory(root).parent()
}

/// The root, or the directory above it that bears the guest's name.
fn own_directory(root: &Path) -> &Path {
    let mut own = root;
    while let Some(above) = above_any_root(own) {
        own = above;
    }
    own
}

fn above_any_root(path: &Path) -> Option<&Path> {
    let name = path.file_name()?.to_str()?;
    let above = path.parent().filter(|above| above.file_name().is_some());
    above.filter(|_| ANY_ROOT.contains(&name))
}

/// Is a directory of this name the root of what it lies in, if it looks like one?
pub(super) fn is_any_root(name: &[u8]) -> bool {
    ANY_ROOT.iter().any(|known| known.as_bytes() == name)
}

/// Names for the guest at this path, each longer by one more directory: `web1`, `lxc-web1`, `lib-lxc-web1`, …
pub fn names(root: &Path) -> Vec<String> {
    let own = own_directory(root);
    let parts = own.ancestors().filter_map(Path::file_name);
    let mut names: Vec<String> = Vec::new();
    for part in parts {
        let part = String::from_utf8_lossy(part.as_encoded_bytes());
        names.push(match names.last() {
            None => part.into_owned(),
            Some(shorter) => format!("{part}-{shorter}"),
        });
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_called_by_what_is_its_own() {
        let name = |path: &str| names(Path::new(path)).first().cloned();
        for (path, want) in [
            ("/srv/guests/web1", "web1"),
            ("/var/lib/lxc/web1/rootfs", "web1"),
            ("/srv/web1/rootfs/root", "web1"),
            ("/var/lib/docker/overlay2/0a1b/diff", "0a1b"),
            ("/rootfs", "rootfs"),
            ("/root/fs", "root"),
        ] {
            assert_eq!(name(path).as_deref(), Some(want), "{path}");
        }
        assert_eq!(name("/"), None);
        assert_eq!(
            names(Path::new("/pool/a/web1/rootfs")),
            ["web1", "a-web1", "pool-a-web1"]
        );
    }

    #[test]
    fn a_guest_lies_beside_others() {
        let place = |path: &'static str| lies_in(Path::new(path));
        assert_eq!(place("/srv/web1"), Some(Path::new("/srv")));
        let lxc = place("/var/lib/lxc/web1/rootfs");
        assert_eq!(lxc, Some(Path::new("/var/lib/lxc")));
        assert_eq!(place("/rootfs"), Some(Path::new("/")));
        assert_eq!(place("/"), None);
    }
}
