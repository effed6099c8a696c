//! Who is inside a guest: processes with their root, working directory, program or a mapping there.

use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::fault::call;
use super::{SysError, SysResult};
use crate::model::{Escaped, FileId};

/// A process inside a guest, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    /// Process id.
    pub pid: String,
    /// Its command name as the kernel keeps it; 15 bytes that the process chose.
    pub command: Vec<u8>,
    /// `root`, `working directory`, `program` or `mapping`.
    pub what: &'static str,
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "process {} ({}) has its {} inside",
            self.pid,
            Escaped(&self.command),
            self.what
        )
    }
}

/// For every root (path without links, identity) one process that is inside, if there is any.
///
/// This process itself does not count. Processes of other users are seen by root only.
pub fn inside(roots: &[(&Path, FileId)]) -> SysResult<Vec<Option<Inside>>> {
    let mut found = vec![None; roots.len()];
    let own = std::process::id().to_string();
    for pid in pids()?.into_iter().filter(|pid| *pid != own) {
        let process = Process { pid };
        for (slot, root) in found
            .iter_mut()
            .zip(roots)
            .filter(|(slot, _)| slot.is_none())
        {
            *slot = process.is_inside(root.0, root.1);
        }
    }
    Ok(found)
}

/// Ids of all processes, as the names of their directories.
pub(super) fn pids() -> SysResult<Vec<String>> {
    let failed = |e| SysError::new("list", "/proc", e);
    let mut pids = Vec::new();
    for entry in call("proc", || fs::read_dir("/proc")).map_err(failed)? {
        let name = entry
            .map_err(failed)?
            .file_name()
            .into_string()
            .unwrap_or_default();
        if name.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() {
            pids.push(name);
        }
    }
    Ok(pids)
}

struct Process {
    pid: String,
}

impl Process {
    fn is_inside(&self, root: &Path, id: FileId) -> Option<Inside> {
        let what = if self.has_root(id) || self.link_is_below("root", root) {
            "root"
        } else if self.link_is_below("cwd", root) {
            "working directory"
        } else if self.link_is_below("exe", root) {
            "program"
        } else if self.maps_below(root) {
            "mapping"
        } else {
            return None;
        };
        Some(Inside {
            pid: self.pid.clone(),
            command: self.command(),
            what,
        })
    }

    /// A container's root is this very directory, whatever it is called in there.
    fn has_root(&self, id: FileId) -> bool {
        fs::metadata(self.file("root")).is_ok_and(|meta| {
            FileId {
                dev: meta.dev(),
                ino: meta.ino(),
            } == id
        })
    }

    fn link_is_below(&self, link: &str, root: &Path) -> bool {
        fs::read_link(self.file(link)).is_ok_and(|target| target.starts_with(root))
    }

    /// Lines of `/proc/PID/maps` end in the path of the mapped file.
    fn maps_below(&self, root: &Path) -> bool {
        let Ok(maps) = fs::read(self.file("maps")) else {
            return false;
        };
        let needle = root.as_os_str().as_bytes();
        maps.split(|&b| b == b'\n').any(|line| {
            let path = line
                .iter()
                .position(|&b| b == b'/')
                .and_then(|at| line.get(at..))
                .unwrap_or_default();
            path.strip_prefix(needle)
                .is_some_and(|rest| rest.first() == Some(&b'/'))
        })
    }

    fn command(&self) -> Vec<u8> {
        fs::read(self.file("comm"))
            .unwrap_or_default()
            .trim_ascii_end()
            .to_vec()
    }

    fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.pid)
    }
}
