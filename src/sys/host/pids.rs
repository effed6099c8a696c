//! Which processes and threads there are, by `/proc`.

use std::fs;
use std::path::Path;

use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// Ids of all processes, as the names of their directories.
pub fn pids() -> SysResult<Vec<String>> {
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

/// Directories in `/proc` of all threads of a process: each has a root, a working directory and namespaces of its own,
/// and those of the process as a whole are gone once its first thread has ended.
pub fn tasks(pid: &str) -> Vec<String> {
    let Ok(list) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let names = list.filter_map(|task| task.ok()?.file_name().into_string().ok());
    names
        .map(|task| format!("/proc/{pid}/task/{task}"))
        .collect()
}

/// Is there a process with this id?
pub fn is_alive(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}
