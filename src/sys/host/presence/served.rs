//! What the kernel itself serves or uses of a tree, as far as it tells: exports of nfsd, backing files of loop
//! devices, swap, file-backed disks of LIO. Servers that are processes have descriptors.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::mounts::own_table::OwnTable;
use super::mounts::paths::unescape;
use super::mounts::places::MountedTree;
use crate::model::{Escaped, FileId};
use crate::sys::fault::call;

/// A path of ours that the kernel uses.
struct ServedPath {
    what: &'static str,
    path: Vec<u8>,
    /// Does it stand for what is below it?
    is_tree: bool,
}

/// For every tree the first of these that reaches it.
pub(super) fn served(own: &OwnTable, trees: &[MountedTree]) -> BTreeMap<usize, String> {
    let mut found = BTreeMap::new();
    for one in [exports(), swaps(), loops(), disks()].into_iter().flatten() {
        let path = one.path.strip_suffix(b" (deleted)").unwrap_or(&one.path);
        let Some((mount, place)) = own.resolve(path) else {
            continue;
        };
        for (at, tree) in trees.iter().enumerate() {
            let holds = tree.holds(mount.device, &place);
            if holds || one.is_tree && tree.touches(mount.device, &place) {
                let said = || format!("{} has {} in use", one.what, Escaped(path));
                found.entry(at).or_insert_with(said);
            }
        }
    }
    found
}

/// Files that this host swaps to, as far as their paths lead to them here: the kernel lets none of them have other
/// blocks.
pub fn swap_files() -> Vec<FileId> {
    let look = |one: ServedPath| {
        let path = Path::new(OsStr::from_bytes(&one.path));
        let found = call("stat", || fs::symlink_metadata(path)).ok()?;
        found.is_file().then(|| FileId {
            dev: found.dev(),
            ino: found.ino(),
        })
    };
    swaps().into_iter().filter_map(look).collect()
}

/// `/srv/web  client(options)`, in each line that is no comment.
fn exports() -> Vec<ServedPath> {
    let files = ["/proc/fs/nfsd/exports", "/proc/fs/nfs/exports"];
    let text = files.iter().filter_map(|file| fs::read(file).ok());
    first_fields(&text.collect::<Vec<_>>().concat(), "nfsd", true)
}

fn swaps() -> Vec<ServedPath> {
    first_fields(&fs::read("/proc/swaps").unwrap_or_default(), "swap", false)
}

fn first_fields(text: &[u8], what: &'static str, is_tree: bool) -> Vec<ServedPath> {
    let fields = text.split(|&byte| byte == b'\n').filter_map(|line| {
        let field = line.split(u8::is_ascii_whitespace).next()?;
        field.starts_with(b"/").then(|| unescape(field))
    });
    fields
        .map(|path| ServedPath {
            what,
            path,
            is_tree,
        })
        .collect()
}

fn loops() -> Vec<ServedPath> {
    let devices = entries("/sys/block").into_iter();
    let file = |device: PathBuf| {
        let name = device.file_name()?.as_bytes().to_vec();
        let attribute = match () {
            () if name.starts_with(b"loop") => "loop/backing_file",
            () if name.starts_with(b"zram") => "backing_dev",
            () => return None,
        };
        one_line(device.join(attribute), "a block device")
    };
    devices.filter_map(file).collect()
}

fn disks() -> Vec<ServedPath> {
    let kinds = entries("/sys/kernel/config/target/core").into_iter();
    let kinds = kinds.filter(|kind| {
        kind.file_name()
            .is_some_and(|name| name.as_bytes().starts_with(b"fileio"))
    });
    let disks = kinds.flat_map(entries);
    disks
        .filter_map(|disk| one_line(disk.join("udev_path"), "an exported disk"))
        .collect()
}

fn one_line(file: PathBuf, what: &'static str) -> Option<ServedPath> {
    let path = fs::read(file).ok()?.trim_ascii_end().to_vec();
    let is_tree = false;
    path.starts_with(b"/").then_some(ServedPath {
        what,
        path,
        is_tree,
    })
}

fn entries(dir: impl AsRef<std::path::Path>) -> Vec<PathBuf> {
    let list = fs::read_dir(dir).into_iter().flatten();
    list.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_field_of_each_line_is_the_path() {
        let text = b"# Version 1.1\n# Path Client(Flags) # IPs\n/srv/a\\040b\t*(rw)\n";
        let paths = first_fields(text, "nfsd", true);
        let paths: Vec<_> = paths.iter().map(|one| &one.path[..]).collect();
        assert_eq!(paths, [b"/srv/a b"]);
    }
}
