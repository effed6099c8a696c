//! Does the disk beneath a directory rotate? As far as `/sys` tells; what is not known counts as not rotating.
//!
//! A partition asks its disk. What lies on other devices (device mapper, md, a loop device on a file) rotates if
//! it says so and one of those does. The disk of a hypervisor (virtio) says that it rotates whatever it is: the
//! host does not tell it, so it is not believed. btrfs has device numbers of its own; the device that it was
//! mounted from is asked instead.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{major, minor};

use crate::sys::fault::call;
use crate::sys::{Dir, SysResult};

/// So many devices may lie upon each other.
const DEEPEST: usize = 8;

/// Does the disk that holds `dir` rotate?
pub fn rotates(dir: &Dir) -> SysResult<bool> {
    let device = dir.state()?.id.dev;
    let device = match major(device) {
        0 => mounted_from(dir.mount_id()?),
        _ => Some(device),
    };
    let node = device.and_then(node);
    Ok(node.is_some_and(|node| node_rotates(&node, DEEPEST)))
}

/// The directory of a block device in `/sys`.
fn node(device: u64) -> Option<PathBuf> {
    let link = format!("/sys/dev/block/{}:{}", major(device), minor(device));
    disk(Path::new(&link))
}

/// Where a link leads to; for a partition the disk that it is a part of.
fn disk(link: &Path) -> Option<PathBuf> {
    let node = call("sysfs", || fs::canonicalize(link)).ok()?;
    if node.join("partition").exists() {
        return node.parent().map(Path::to_owned);
    }
    Some(node)
}

fn node_rotates(node: &Path, deepest: usize) -> bool {
    let says = fs::read(node.join("queue/rotational")).is_ok_and(|said| said.starts_with(b"1"));
    if !says || deepest == 0 || is_of_a_hypervisor(node) {
        return false;
    }
    let below = below(node);
    below.is_empty() || below.iter().any(|node| node_rotates(node, deepest - 1))
}

fn is_of_a_hypervisor(node: &Path) -> bool {
    let names = node.iter().filter_map(|name| name.to_str());
    names.into_iter().any(|name| name.starts_with("virtio"))
}

/// The devices that a device lies on, as far as they are devices with a place in `/sys`.
fn below(node: &Path) -> Vec<PathBuf> {
    let slaves = fs::read_dir(node.join("slaves")).into_iter().flatten();
    let slaves = slaves.filter_map(|slave| disk(&slave.ok()?.path()));
    let file = fs::read_to_string(node.join("loop/backing_file")).ok();
    let file = file.and_then(|path| fs::metadata(path.trim_end_matches('\n')).ok());
    slaves
        .chain(file.and_then(|meta| self::node(meta.dev())))
        .collect()
}

/// The device that a mount names as its source: the tenth field of its line, or a later one.
fn mounted_from(mount: u64) -> Option<u64> {
    let table = call("proc", || fs::read_to_string("/proc/self/mountinfo")).ok()?;
    let number = mount.to_string();
    let line = table
        .lines()
        .find(|line| line.split(' ').next() == Some(&number))?;
    let source = line.split_once(" - ")?.1.split(' ').nth(1)?;
    fs::metadata(source).ok().map(|meta| meta.rdev())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes what `/sys` has of a device.
    fn device(top: &Path, name: &str, says: &str) -> PathBuf {
        let node = top.join(name);
        fs::create_dir_all(node.join("queue")).unwrap();
        fs::write(node.join("queue/rotational"), says).unwrap();
        node
    }

    #[test]
    fn a_disk_is_believed_and_a_hypervisor_is_not() {
        let top = tempfile::tempdir().unwrap();
        let spins = |name, says| node_rotates(&device(top.path(), name, says), DEEPEST);
        assert!(spins("pci0/host0/block/sda", "1\n"));
        assert!(!spins("pci0/host0/block/sdb", "0\n"));
        assert!(!spins("pci0/virtio1/block/vda", "1\n"));
        assert!(!node_rotates(&top.path().join("none"), DEEPEST));
    }

    #[test]
    fn what_lies_on_others_is_as_they_are() {
        let top = tempfile::tempdir().unwrap();
        let on = |name: &str, below: &[&Path]| {
            let node = device(top.path(), name, "1\n");
            fs::create_dir(node.join("slaves")).unwrap();
            for (n, below) in below.iter().enumerate() {
                std::os::unix::fs::symlink(below, node.join(format!("slaves/{n}"))).unwrap();
            }
            node_rotates(&node, DEEPEST)
        };
        let [spins, flash] = [("sda", "1"), ("sdb", "0")].map(|(n, s)| device(top.path(), n, s));
        let part = spins.join("sda1");
        fs::create_dir(&part).unwrap();
        fs::write(part.join("partition"), "1").unwrap();
        let virt = device(top.path(), "virtio0/block/vda", "1");
        assert!(on("dm-0", &[&flash, &part]));
        assert!(!on("dm-1", &[&flash, &virt]));
        assert!(!on("dm-2", &[&top.path().join("dm-2")]), "and no circle");
        assert!(on("dm-3", &[]));
    }
}
