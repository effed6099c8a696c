//! Places in file systems, which mean the same in all mount namespaces: a device, and the path within it.

use super::paths::{beneath, strip};

/// The device of a file system, as mount tables and `/proc/PID/maps` write it. On btrfs `stat` says another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockDevice {
    pub major: u32,
    pub minor: u32,
}

impl BlockDevice {
    /// `98:0`, in numbers of this radix.
    pub fn of(text: &[u8], radix: u32) -> Option<BlockDevice> {
        let (major, minor) = std::str::from_utf8(text).ok()?.split_once(':')?;
        Some(BlockDevice {
            major: u32::from_str_radix(major, radix).ok()?,
            minor: u32::from_str_radix(minor, radix).ok()?,
        })
    }
}

/// A directory as a place in a file system: the same in all namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountedTree {
    pub device: BlockDevice,
    pub path: Vec<u8>,
    /// How we call it.
    pub shown: Vec<u8>,
}

impl MountedTree {
    /// Is the place this directory, or beneath it?
    pub fn holds(&self, device: BlockDevice, path: &[u8]) -> bool {
        self.device == device && strip(&self.path, path).is_some()
    }

    /// The same, or is it above?
    pub fn touches(&self, device: BlockDevice, path: &[u8]) -> bool {
        self.holds(device, path) || self.device == device && strip(path, &self.path).is_some()
    }
}

/// A mount that shows something of a watched device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownMount {
    pub device: BlockDevice,
    pub root: Vec<u8>,
    pub point: Vec<u8>,
}

impl ShownMount {
    /// The place in the file system of a path below the mount point.
    pub fn within(&self, path: &[u8]) -> Option<Vec<u8>> {
        Some(beneath(&self.root, strip(&self.point, path)?))
    }
}
