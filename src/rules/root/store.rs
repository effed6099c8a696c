//! Which container manager's store a path lies in. Layers there are shared by images and containers, and their managers
//! count on finding them as they left them.

use std::ffi::OsStr;
use std::path::Path;

/// The managers that keep layers under such a path; `None` for any other.
pub fn store_of(path: &Path) -> Option<&'static str> {
    let parts: Vec<&[u8]> = path.iter().map(OsStr::as_encoded_bytes).collect();
    if parts.iter().any(|part| part.starts_with(b"io.containerd.")) {
        return Some("containerd");
    }
    let at = (0..parts.len()).find(|at| is_store(&parts, *at))?;
    let is_docker = |part: &&[u8]| part.windows(6).any(|word| word == b"docker");
    match parts[at] {
        b"overlay2" => Some("Docker"),
        _ if parts[..at].iter().any(is_docker) => Some("Docker"),
        _ => Some("Podman, Buildah or CRI-O"),
    }
}

/// `overlay2/ID/diff`, and what other drivers call it. What a driver is called means nothing elsewhere, so what is
/// above or below it must fit as well.
fn is_store(parts: &[&[u8]], at: usize) -> bool {
    let (above, below) = (&parts[..at], &parts[at + 1..]);
    let is_manager = |part: &&[u8]| matches!(*part, b"docker" | b"storage" | b"containers");
    let is_managed = above.iter().any(is_manager);
    match (parts[at], below) {
        (b"overlay2" | b"overlay", [_, b"diff" | b"merged", ..]) => true,
        (b"overlay2" | b"overlay", [_, ..]) => is_managed,
        (b"vfs", [b"dir", _, ..])
        | (b"btrfs", [b"subvolumes", _, ..])
        | (b"zfs", [b"graph", _, ..])
        | (b"aufs", [b"diff" | b"mnt", _, ..])
        | (b"devicemapper", [b"mnt", _, ..]) => is_managed,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_known_by_their_paths() {
        let store = |path: &str| store_of(Path::new(path));
        let podman = Some("Podman, Buildah or CRI-O");
        for (path, want) in [
            ("/var/lib/docker/overlay2/0a1b/diff", Some("Docker")),
            ("/data/x/overlay2/0a1b/merged", Some("Docker")),
            ("/var/lib/docker/vfs/dir/0a1b", Some("Docker")),
            ("/var/lib/containers/storage/overlay/0a1b/diff", podman),
            ("/home/a/.local/share/containers/storage/vfs/dir/1", podman),
            (
                "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/12/fs",
                Some("containerd"),
            ),
            ("/var/lib/lxc/web1/rootfs", None),
            (
                "/var/lib/incus/storage-pools/default/containers/web1/rootfs",
                None,
            ),
            ("/srv/overlay/web1", None),
            ("/srv/vfs/dir/web1", None),
            ("/mnt/btrfs/subvolumes/web1", None),
            ("/", None),
        ] {
            assert_eq!(store(path), want, "{path}");
        }
    }
}
