//! Are all processes of this host to be seen in `/proc`?

use std::path::Path;

use rustix::fs::statfs;

use crate::sys::fault;

/// Is this process in the first PID namespace, whose inode number is the same on every machine
/// (`PROC_PID_INIT_INO`), and is `/proc` of it? Elsewhere there are processes that nobody sees. A `/proc` of another
/// namespace does not know this process, or knows it by another number.
pub fn sees_all_processes() -> bool {
    const PROC: rustix::fs::FsWord = 0x9fa0;
    let is_proc = statfs("/proc").is_ok_and(|facts| facts.f_type == PROC);
    let namespace = std::fs::read_link("/proc/self/ns/pid");
    let is_first = namespace.is_ok_and(|id| id == Path::new("pid:[4026531836]"));
    let own = std::fs::read_link("/proc/self").ok();
    let is_own = own.is_some_and(|own| own == Path::new(&std::process::id().to_string()));
    is_proc && is_own && (is_first || fault::any_pid_namespace())
}
