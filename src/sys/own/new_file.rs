//! A file of our own that takes its place whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::sys::fault::call;
use crate::sys::{SysError, SysResult, ffi};

/// A file that becomes visible whole or not at all: written under a temporary name, synced, renamed.
#[derive(Debug)]
pub struct NewFile {
    file: Option<File>,
    temporary: PathBuf,
    target: PathBuf,
    /// Bytes that were written, and of these the first that the disk was told of.
    written: i64,
    told: i64,
}

/// The disk is told of so many bytes at a time, so that the sync at the end has not all of it to wait for.
const STEP: i64 = 8 << 20;

impl NewFile {
    /// Begins beside `target`, readable by its owner only. Refuses to follow a link at the temporary name, and to
    /// take the place of anything but a regular file: root's `-o /dev/null` must not replace the device.
    pub fn create(target: &Path) -> SysResult<NewFile> {
        if fs::symlink_metadata(target).is_ok_and(|meta| !meta.is_file()) {
            return Err(SysError::new(
                "write",
                target,
                io::Error::other("not a regular file: name a file, or `-`"),
            ));
        }
        let temporary = part_of(target);
        let mut options = private();
        options.create_new(true).write(true);
        let file = call("create", || options.open(&temporary));
        let file = file.map_err(|e| SysError::new("create", &temporary, e))?;
        Ok(NewFile {
            file: Some(file),
            temporary,
            target: target.to_owned(),
            written: 0,
            told: 0,
        })
    }

    /// Lets everybody read it.
    pub fn open_to_all(&self) -> SysResult<()> {
        let mode = fs::Permissions::from_mode(0o644);
        let Some(file) = &self.file else {
            return Ok(());
        };
        call("chmod", || file.set_permissions(mode))
            .map_err(|e| SysError::new("open to all", &self.temporary, e))
    }

    /// Syncs and renames over `target`.
    pub fn publish(mut self) -> SysResult<()> {
        if let Some(file) = self.file.take() {
            call("sync", || file.sync_all())
                .map_err(|e| SysError::new("sync", &self.temporary, e))?;
        }
        self.take_place()?;
        call("sync", || File::open(self.directory())?.sync_all())
            .map_err(|e| SysError::new("sync", self.directory(), e))
    }

    /// The same for what can be made anew: after a power cut it may be truncated or empty.
    pub fn publish_unsynced(mut self) -> SysResult<()> {
        self.take_place()?;
        self.file = None;
        Ok(())
    }

    fn take_place(&self) -> SysResult<()> {
        call("rename", || fs::rename(&self.temporary, &self.target))
            .map_err(|e| SysError::new("rename", &self.target, e))
    }

    /// Where it is written and renamed.
    pub fn directory(&self) -> &Path {
        let parent = self.target.parent();
        parent
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let length = call("write", || file.write(bytes))?;
        self.written = self.written.saturating_add_unsigned(length as u64);
        if self.written - self.told >= STEP {
            // Advice only: the sync is what counts, and what tells of errors.
            ffi::begin_to_write_out(&*file, self.told, self.written - self.told).ok();
            self.told = self.written;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Published files have no temporary name any more; for the others it is litter of ours.
        if self.file.is_some() {
            drop(fs::remove_file(&self.temporary));
        }
    }
}

/// What this process writes or makes beside `target` before it takes its place.
pub fn part_of(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    target.with_file_name(name)
}

/// Options for a file for its owner only, opened through no link.
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(nix::libc::O_NOFOLLOW);
    options
}
