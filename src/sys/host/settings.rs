//! Settings of other programs of this host: read whole, of bounded length, and only where nobody but a trusted user
//! could have written them. An administrator may have put links on the way; none may lead into a guest.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::machine::is_trusted_user;
use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// What lies at a path that a setting names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// Nothing.
    Absent,
    /// The bytes of a file.
    Text(Vec<u8>),
    /// The names in a directory, sorted.
    Directory(Vec<OsString>),
}

/// What may be read.
#[derive(Debug, Clone, Copy)]
pub struct SettingLimits<'a> {
    /// Most bytes of a file.
    pub bytes: u64,
    /// Most names in a directory.
    pub names: usize,
    /// Directories that nothing is read from.
    pub closed: &'a [PathBuf],
}

/// Reads what is at `path`. Never waits for a FIFO, and reads nothing that lies in a closed directory.
pub fn read(path: &Path, limits: SettingLimits<'_>) -> SysResult<Setting> {
    let mut options = OpenOptions::new();
    // Nothing is opened before it is known what it is: a device does something when it is opened.
    options.read(true).custom_flags(nix::libc::O_PATH);
    let failed = |error: io::Error| SysError::new("read", path, error);
    let opened = call("open", || options.open(path));
    if matches!(&opened, Err(error) if error.kind() == io::ErrorKind::NotADirectory) {
        return Ok(Setting::Absent);
    }
    let opened = opened.map_err(failed);
    let Some(file) = SysError::absent(opened)? else {
        return Ok(Setting::Absent);
    };
    let refused = |why: &'static str| failed(io::Error::other(why));
    let place = format!("/proc/self/fd/{}", file.as_raw_fd());
    let leads_to = fs::read_link(&place).map_err(failed)?;
    if limits.closed.iter().any(|top| leads_to.starts_with(top)) {
        return Err(refused("it lies in a guest"));
    }
    let meta = file.metadata().map_err(failed)?;
    let group_writes = meta.mode() & 0o020 != 0 && meta.gid() != 0;
    if !is_trusted_user(meta.uid()) || meta.mode() & 0o002 != 0 || group_writes {
        return Err(refused("others than root may write it"));
    }
    if meta.is_dir() {
        return Ok(Setting::Directory(
            names(&place, limits.names).map_err(failed)?,
        ));
    }
    if !meta.is_file() {
        return Err(refused("not a regular file"));
    }
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(nix::libc::O_NONBLOCK);
    let opened = call("open", || options.open(&place)).map_err(failed)?;
    let mut text = Vec::new();
    let mut bounded = opened.take(limits.bytes + 1);
    bounded.read_to_end(&mut text).map_err(failed)?;
    if text.len() as u64 > limits.bytes {
        return Err(refused("it is too long"));
    }
    Ok(Setting::Text(text))
}

/// The names in the directory at `place`, which is a handle: whatever its path leads to by now.
fn names(place: &str, most: usize) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in call("list", || fs::read_dir(place))? {
        names.push(entry?.file_name());
        if names.len() > most {
            return Err(io::Error::other("it has too many names"));
        }
    }
    names.sort();
    Ok(names)
}
