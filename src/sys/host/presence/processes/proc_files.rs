//! Small things of `/proc`.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use rustix::fs::{CWD, Mode, OFlags, RawDir, openat, readlinkat};
use rustix::io::read;

use super::links::{Unlooked, follow};
use crate::sys::{SysError, SysResult};

/// The directory of a process or thread in `/proc`.
pub fn open_dir(path: &str) -> Result<OwnedFd, Unlooked> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(CWD, path, flags, Mode::empty())?)
}

/// Our own directory in `/proc`.
pub fn open_own() -> SysResult<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let own = openat(CWD, "/proc/self", flags, Mode::empty());
    own.map_err(|e| SysError::new("open", "/proc/self", e))
}

/// Our own number, as this `/proc` knows it.
pub fn own_pid() -> Option<u32> {
    std::fs::read_link("/proc/self")
        .ok()?
        .to_str()?
        .parse()
        .ok()
}

/// Mount and path of the program that this process runs.
pub fn own_program() -> Option<(u64, Vec<u8>)> {
    let end = follow(open_own().ok()?, "exe").ok()??;
    Some((end.mount, end.text?))
}

/// The command name of a process as the kernel keeps it: 15 bytes that the process chose; nothing where it has gone.
pub fn command(pid: u32) -> Vec<u8> {
    let command = std::fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    command.trim_ascii_end().to_vec()
}

/// Names in a directory of `/proc` that are numbers.
pub fn numbers(dir: impl AsFd, name: &str) -> Result<Vec<u32>, Unlooked> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = openat(dir, name, flags, Mode::empty())?;
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(dir, &mut buffer);
    let mut all = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_str().ok();
        let name = name.and_then(|name| name.parse::<u32>().ok());
        all.extend(name);
    }
    Ok(all)
}

/// The inodes that a process of ours has open, each with its number.
pub fn inodes_open(pid: u32) -> Vec<(u32, u64)> {
    let all = std::fs::read_dir(format!("/proc/{pid}/fd"));
    let all = all.into_iter().flatten().flatten();
    let inodes = all.filter_map(|entry| std::fs::metadata(entry.path()).ok());
    inodes.map(|state| (pid, state.ino())).collect()
}

/// Root and working directory of a process as texts: cheap to compare.
pub fn ground(pid: u32) -> [Vec<u8>; 2] {
    ["root", "cwd"].map(|name| {
        let text = readlinkat(CWD, format!("/proc/{pid}/{name}"), Vec::with_capacity(128));
        text.map(std::ffi::CString::into_bytes).unwrap_or_default()
    })
}

/// The kernel writes the bounds of a mapping with zeros in front in one place, and without in another.
pub fn map_file(range: &[u8]) -> Option<String> {
    let (from, to) = std::str::from_utf8(range).ok()?.split_once('-')?;
    let bound = |hex| u64::from_str_radix(hex, 16).ok();
    Some(format!("{:x}-{:x}", bound(from)?, bound(to)?))
}

/// Have all threads of a process ended? Its number may stay in the list, if whoever started it stands still.
pub fn has_ended(pid: u32) -> bool {
    let tasks = |process: &OwnedFd| numbers(process, "task");
    let tasks = open_dir(&format!("/proc/{pid}")).and_then(|process| tasks(&process));
    let ended = |task: &u32| match open_dir(&format!("/proc/{pid}/task/{task}")) {
        Ok(task) => is_zombie(task),
        Err(why) => why == Unlooked::Gone,
    };
    match tasks {
        Ok(tasks) => tasks.iter().all(ended),
        Err(why) => why == Unlooked::Gone,
    }
}

/// The state is the first field after the name in brackets, which may hold anything (`proc(5)`).
pub fn is_zombie(task: impl AsFd) -> bool {
    let stat = openat(
        task,
        "stat",
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    );
    let mut text = [0; 512];
    let length = stat.ok().and_then(|stat| read(stat, &mut text).ok());
    let text = &text[..length.unwrap_or(0)];
    let after = text.windows(2).rposition(|two| two == b") ");
    after.is_some_and(|at| matches!(text.get(at + 2), Some(b'Z' | b'X' | b'x')))
}
