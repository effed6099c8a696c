//! The mount table of this process: what a path of ours is, as a place in a file system.

use std::collections::HashMap;
use std::path::Path;

use super::mountinfo::MountLine;
use super::paths::{beneath, strip, unescape};
use super::places::BlockDevice;
use crate::sys::SysError;

/// Why a directory may lie on a mount that the kernel does not list, and what helps.
const NO_MOUNT: &str = "this process is in a chroot whose directory is no mount point, so the kernel does not list the mount that it is on, and nobody could tell what else is mounted in guests; run unify outside of it, or make that directory a mount point first: mount --bind DIR DIR";

/// The mount that this directory is on is none of ours.
pub fn unlisted(directory: &Path) -> SysError {
    let why = std::io::Error::other(NO_MOUNT);
    SysError::new("tell what is mounted at", directory, why)
}

/// All mounts of our own namespace.
#[derive(Debug, Default)]
pub struct OwnTable {
    mounts: HashMap<u64, OwnMount>,
    /// Which mount lies on this directory of which other one.
    on: HashMap<(u64, Vec<u8>), u64>,
    top: Option<u64>,
    /// Where overlays are, by their devices.
    overlays: HashMap<BlockDevice, Vec<Vec<u8>>>,
}

/// A mount of ours.
#[derive(Debug)]
pub struct OwnMount {
    pub device: BlockDevice,
    pub root: Vec<u8>,
    pub point: Vec<u8>,
    /// May a path there be followed without waiting for another machine or process?
    pub is_local: bool,
    is_btrfs: bool,
    parent: u64,
}

/// File systems that no server answers for.
const LOCAL: &[&[u8]] = &[
    b"ext2",
    b"ext3",
    b"ext4",
    b"xfs",
    b"btrfs",
    b"f2fs",
    b"zfs",
    b"bcachefs",
    b"tmpfs",
    b"rootfs",
    b"squashfs",
    b"erofs",
    b"iso9660",
    b"vfat",
    b"overlay",
];

impl OwnTable {
    /// Takes one line.
    pub fn add(&mut self, line: &MountLine<'_>) {
        let mount = OwnMount {
            device: line.device,
            root: unescape(line.root),
            point: unescape(line.point),
            is_local: LOCAL.contains(&line.kind),
            is_btrfs: line.kind == b"btrfs",
            parent: line.parent,
        };
        if line.kind == b"overlay" {
            let points = self.overlays.entry(line.device).or_default();
            points.push(mount.point.clone());
        }
        self.on.insert((line.parent, mount.point.clone()), line.id);
        self.mounts.insert(line.id, mount);
    }

    /// All lines were taken: the root is the mount that lies on none of these.
    pub fn finish(&mut self) {
        let roots = self
            .mounts
            .iter()
            .filter(|(_, mount)| mount.point == b"/" && !self.mounts.contains_key(&mount.parent));
        self.top = roots.map(|(id, _)| *id).min();
    }

    /// The mount with this id.
    pub fn mount(&self, id: u64) -> Option<&OwnMount> {
        self.mounts.get(&id)
    }

    /// Is that a btrfs?
    pub fn is_btrfs(&self, device: BlockDevice) -> bool {
        let mut mounts = self.mounts.values();
        mounts.any(|mount| mount.device == device && mount.is_btrfs)
    }

    /// Where the overlay of this device is mounted here.
    pub fn overlay(&self, device: BlockDevice) -> &[Vec<u8>] {
        self.overlays.get(&device).map_or(&[], Vec::as_slice)
    }

    /// What an absolute path means here, links left aside: the mount that shows it, and the path within its file
    /// system. What lies beneath another mount is not seen, however long its own mount point is.
    pub fn resolve(&self, path: &[u8]) -> Option<(&OwnMount, Vec<u8>)> {
        let mut at = self.uppermost(self.top?, b"/");
        let mut ends = (1..=path.len()).filter(|&end| end == path.len() || path[end] == b'/');
        for end in ends.by_ref() {
            if let Some(next) = self.on.get(&(at, path[..end].to_vec())) {
                at = self.uppermost(*next, &path[..end]);
            }
        }
        let mount = self.mounts.get(&at)?;
        Some((mount, beneath(&mount.root, strip(&mount.point, path)?)))
    }

    /// All paths that lead to a place, and that no other mount hides.
    pub fn paths_to(&self, device: BlockDevice, place: &[u8]) -> Vec<Vec<u8>> {
        let of_device = self.mounts.values().filter(|mount| mount.device == device);
        let paths =
            of_device.filter_map(|mount| Some(beneath(&mount.point, strip(&mount.root, place)?)));
        let leads = |path: &Vec<u8>| {
            let found = self.resolve(path);
            found.is_some_and(|(mount, found)| mount.device == device && found == place)
        };
        paths.filter(leads).collect()
    }

    fn uppermost(&self, mut id: u64, point: &[u8]) -> u64 {
        // A mount is never on itself, so this ends; a damaged table is read no longer than it is.
        for _ in 0..self.mounts.len() {
            match self.on.get(&(id, point.to_vec())) {
                Some(next) if *next != id => id = *next,
                _ => break,
            }
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &[u8]) -> OwnTable {
        let mut own = OwnTable::default();
        let lines = text.split(|&byte| byte == b'\n');
        lines.filter_map(MountLine::of).for_each(|l| own.add(&l));
        own.finish();
        own
    }

    fn place(own: &OwnTable, path: &[u8]) -> (u32, Vec<u8>) {
        let (mount, place) = own.resolve(path).unwrap();
        (mount.device.minor, place)
    }

    #[test]
    fn a_path_is_what_is_seen_there() {
        let own = table(
            b"21 1 8:1 / / rw - ext4 a rw\n22 21 8:2 / /srv rw - ext4 b rw\n\
              23 22 8:3 /x /srv/a/b rw - ext4 c rw\n24 22 8:4 / /srv/a rw - ext4 d rw\n\
              25 24 8:5 /y /srv/a rw - ext4 e rw\n",
        );
        assert_eq!(place(&own, b"/"), (1, b"/".to_vec()));
        assert_eq!(place(&own, b"/etc/x"), (1, b"/etc/x".to_vec()));
        assert_eq!(place(&own, b"/srv/web"), (2, b"/web".to_vec()));
        // 23 is hidden by 24, and that by 25.
        assert_eq!(place(&own, b"/srv/a/b/c"), (5, b"/y/b/c".to_vec()));
    }

    #[test]
    fn a_place_is_seen_by_several_paths() {
        let own = table(
            b"21 1 8:1 / / rw - ext4 a rw\n22 21 8:1 /srv/a /mnt/a rw - ext4 a rw\n\
              23 21 8:2 / /srv rw - ext4 b rw\n24 21 8:1 /srv/b /srv/b rw - ext4 a rw\n",
        );
        let device = BlockDevice { major: 8, minor: 1 };
        // /srv of the first disk is hidden.
        assert_eq!(own.paths_to(device, b"/srv/a/x"), [b"/mnt/a/x".to_vec()]);
        assert_eq!(own.paths_to(device, b"/etc"), [b"/etc".to_vec()]);
    }
}
