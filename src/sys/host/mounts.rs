//! What is mounted where, in every mount namespace (`proc(5)`, `/proc/PID/mountinfo`).
//!
//! Paths mean different things in different namespaces, so everything is reduced to a place in a file
//! system: its device and the path within it. A replacement of a name that some namespace has mounted
//! something on would unmount it there, silently; and a guest whose tree is mounted elsewhere runs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::model::GuestPath;
use crate::sys::fault::call;
use crate::sys::{Cgroup, Dir, Freezer, SysError, SysResult};

/// A directory as a place in a file system: the same in all namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountedTree {
    device: Vec<u8>,
    path: Vec<u8>,
}

/// All mounts of all namespaces that processes are in.
#[derive(Debug, Default)]
pub struct MountTable {
    own: Vec<Mount>,
    others: Vec<Vec<Mount>>,
    /// Mounts of namespaces in which no process can do anything now.
    still: Vec<Vec<Mount>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    id: u64,
    parent: u64,
    device: Vec<u8>,
    root: Vec<u8>,
    point: Vec<u8>,
}

impl MountTable {
    /// Reads the table of this process, and one table for every other mount namespace that can be seen. All processes
    /// in `still` are frozen.
    pub fn read(still: &[Cgroup]) -> SysResult<MountTable> {
        let path = Path::new("/proc/self/mountinfo");
        let text = call("proc", || fs::read(path)).map_err(|e| SysError::new("read", path, e))?;
        let own_namespace = namespace("/proc/self");
        let (mut others, mut frozen) = (BTreeMap::new(), BTreeMap::new());
        let own = std::process::id().to_string();
        // Our own threads are all in our namespace.
        for pid in super::pids::pids()?.into_iter().filter(|pid| *pid != own) {
            let tables = if Freezer::is_in(&pid, still) {
                &mut frozen
            } else {
                &mut others
            };
            for task in super::pids::tasks(&pid) {
                let Some(id) = namespace(&task) else { continue };
                if own_namespace.as_ref() != Some(&id) && !tables.contains_key(&id) {
                    // A thread that ended meanwhile has no table; another one of its namespace may.
                    if let Ok(text) = fs::read(format!("{task}/mountinfo")) {
                        tables.insert(id, parse(&text));
                    }
                }
            }
        }
        Ok(MountTable {
            own: parse(&text),
            others: others.into_values().collect(),
            still: frozen.into_values().collect(),
        })
    }

    /// Where `dir`, whose path without links is `path`, lies in its file system.
    pub fn place(&self, dir: &Dir, path: &Path) -> SysResult<Option<MountedTree>> {
        let id = dir.mount_id()?;
        let Some(mount) = self.own.iter().find(|m| m.id == id) else {
            return Ok(None);
        };
        let within = mount.within(path.as_os_str().as_bytes());
        Ok(within.map(|path| MountedTree {
            device: mount.device.clone(),
            path,
        }))
    }

    /// Names inside the tree that something is mounted on in any namespace, sorted.
    pub fn covered(&self, tree: &MountedTree) -> Vec<GuestPath> {
        let tables = std::iter::once(&self.own)
            .chain(&self.others)
            .chain(&self.still);
        let mut names: Vec<GuestPath> = tables.flat_map(|table| covered_in(table, tree)).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Does another namespace have the tree, or a part of it, mounted in a place of its own?
    ///
    /// A namespace that merely began as a copy of ours (a sandboxed service) has our mounts at our places; that is
    /// no guest running.
    pub fn mounted_elsewhere(&self, tree: &MountedTree) -> bool {
        let ours = |m: &Mount| {
            self.own
                .iter()
                .any(|o| o.device == m.device && o.root == m.root && o.point == m.point)
        };
        let inside = |m: &Mount| m.device == tree.device && strip(&tree.path, &m.root).is_some();
        self.others.iter().flatten().any(|m| inside(m) && !ours(m))
    }
}

impl Mount {
    /// The place in the file system of a path below the mount point.
    fn within(&self, path: &[u8]) -> Option<Vec<u8>> {
        let rest = strip(&self.point, path)?;
        let root = self.root.strip_suffix(b"/").unwrap_or(&self.root);
        Some([root, rest].concat())
    }
}

fn covered_in<'a>(
    table: &'a [Mount],
    tree: &'a MountedTree,
) -> impl Iterator<Item = GuestPath> + 'a {
    table.iter().filter_map(move |mount| {
        let below = table
            .iter()
            .find(|m| m.id == mount.parent && m.device == tree.device)?;
        let place = below.within(&mount.point)?;
        GuestPath::new(strip(&tree.path, &place).filter(|rest| !rest.is_empty())?).ok()
    })
}

/// `path` without the directory `top` in front: empty for itself, else beginning with a slash.
fn strip<'a>(top: &[u8], path: &'a [u8]) -> Option<&'a [u8]> {
    let top = top.strip_suffix(b"/").unwrap_or(top);
    let rest = path.strip_prefix(top)?;
    match rest {
        b"" | b"/" => Some(b""),
        [b'/', ..] => Some(rest),
        _ => None,
    }
}

/// The mount namespace of a process or thread, by its directory in `/proc`.
fn namespace(task: &str) -> Option<PathBuf> {
    fs::read_link(format!("{task}/ns/mnt")).ok()
}

fn parse(text: &[u8]) -> Vec<Mount> {
    text.split(|&b| b == b'\n').filter_map(parse_line).collect()
}

/// `36 35 98:0 /root /point options …`
fn parse_line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|&b| b == b' ');
    let number = |field: Option<&[u8]>| std::str::from_utf8(field?).ok()?.parse().ok();
    Some(Mount {
        id: number(fields.next())?,
        parent: number(fields.next())?,
        device: fields.next()?.to_vec(),
        root: unescape(fields.next()?),
        point: unescape(fields.next()?),
    })
}

/// The kernel writes space, tab, newline and backslash as `\040`, `\011`, `\012`, `\134`.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, tail)) = rest.split_first() {
        match (byte, tail) {
            (
                b'\\',
                [
                    a @ b'0'..=b'3',
                    b @ b'0'..=b'7',
                    c @ b'0'..=b'7',
                    after @ ..,
                ],
            ) => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &[u8] = b"21 1 8:1 / / rw - ext4 /dev/sda1 rw\n22 21 8:2 / /srv rw - ext4 /dev/sdb rw\n\
        30 22 0:5 / /srv/web/proc rw - proc proc rw\n31 22 8:1 /etc/hosts /srv/web/with\\040space rw - ext4 x rw\n";

    fn table(other: &[u8]) -> MountTable {
        MountTable {
            own: parse(OWN),
            others: vec![parse(other)],
            still: Vec::new(),
        }
    }

    fn web() -> MountedTree {
        MountedTree {
            device: b"8:2".to_vec(),
            path: b"/web".to_vec(),
        }
    }

    #[test]
    fn names_with_something_on_them() {
        let want: Vec<GuestPath> = [&b"/etc/resolv.conf"[..], b"/proc", b"/with space"]
            .iter()
            .map(|p| GuestPath::new(p).unwrap())
            .collect();
        let container =
            b"40 39 8:2 /web / rw - ext4 x rw\n41 40 0:9 /r /etc/resolv.conf rw - tmpfs t rw\n";
        assert_eq!(table(container).covered(&web()), want);
    }

    #[test]
    fn a_container_runs_and_a_copied_namespace_does_not() {
        assert!(table(b"40 39 8:2 /web / rw - ext4 x rw\n").mounted_elsewhere(&web()));
        assert!(table(b"40 39 8:2 /web/srv/data /data rw - ext4 x rw\n").mounted_elsewhere(&web()));
        assert!(!table(OWN).mounted_elsewhere(&web()));
        assert!(!table(b"40 39 8:2 /web2 / rw - ext4 x rw\n").mounted_elsewhere(&web()));
    }

    #[test]
    fn damaged_lines_are_left_out() {
        assert_eq!(parse(b"x\n1 2\n\n1 2 3:4 /\n").len(), 0);
        assert_eq!(unescape(b"a\\040b\\\\9\\134"), b"a b\\\\9\\");
    }
}
