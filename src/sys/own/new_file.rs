//! A file of our own that takes its place whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::sys::fault::call;
use crate::sys::host::pids;
use crate::sys::{Dir, SysError, SysResult, ffi};

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
        mark_in_use(&file);
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

    /// Lets others read it, as these permission bits say.
    pub fn readable(self, mode: u32) -> SysResult<NewFile> {
        if let Some(file) = &self.file {
            call("chmod", || {
                file.set_permissions(Permissions::from_mode(mode))
            })
            .map_err(|e| SysError::new("set the mode of", &self.temporary, e))?;
        }
        Ok(self)
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

/// What this process writes or makes beside `target` before it takes its place: `NAME.PID-RANDOM.part`, another name
/// each time. In another PID namespace a process may have had the same number, and have left what it made.
pub fn part_of(target: &Path) -> PathBuf {
    let random = RandomState::new().hash_one(target);
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{random:016x}.part", std::process::id()));
    target.with_file_name(name)
}

/// Is it called as [`part_of`] calls things?
pub(super) fn is_part(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let stem = name.strip_suffix(b".part").unwrap_or_default();
    let random = stem.rsplit(|byte| *byte == b'-').next();
    stem.contains(&b'.') && random.is_some_and(|random| random.len() == 16)
}

/// Shows other processes, for as long as it is open, that what [`part_of`] names is being made. Where there are no such
/// locks, nothing is shown.
fn mark_in_use(part: impl AsFd) {
    flock(part, FlockOperation::NonBlockingLockExclusive).ok();
}

/// The same for a directory.
pub fn mark_directory(part: &Dir) {
    mark_in_use(part.fd());
}

/// Has a process died that made this for the place of `target`? Neither its number is that of a process here, nor is
/// its mark held: one of another PID namespace may be alive. What others could have made or written is none of ours.
pub(super) fn is_stale_part(part: &Path, target: &Path) -> bool {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_owned();
    let (part_name, target_name) = (name(part), name(target));
    let rest = part_name
        .as_encoded_bytes()
        .strip_prefix(target_name.as_encoded_bytes());
    let middle = rest.and_then(|rest| rest.strip_prefix(b".")?.strip_suffix(b".part"));
    let middle = middle.and_then(|middle| std::str::from_utf8(middle).ok());
    let maker = middle.map(|middle| middle.split_once('-').map_or(middle, |(pid, _)| pid));
    let Some(maker) = maker.and_then(|pid| pid.parse::<u32>().ok()) else {
        return false;
    };
    let is_another = maker == std::process::id() || !pids::is_alive(maker);
    is_another && is_own(part) && is_out_of_use(part)
}

/// Is it this user's, no link, and written by nobody else?
fn is_own(part: &Path) -> bool {
    let own = nix::unistd::geteuid().as_raw();
    fs::symlink_metadata(part)
        .is_ok_and(|found| found.uid() == own && found.mode() & 0o022 == 0 && !found.is_symlink())
}

fn is_out_of_use(part: &Path) -> bool {
    let mut options = OpenOptions::new();
    options.read(true);
    options.custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK);
    let lock = |file| flock(&file, FlockOperation::NonBlockingLockExclusive);
    options.open(part).is_ok_and(|file| lock(file).is_ok())
}

/// Options for a file for its owner only, opened through no link.
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(nix::libc::O_NOFOLLOW);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_parts_have_one_name() {
        let target = Path::new("/x/plan.json");
        let (one, other) = (part_of(target), part_of(target));
        assert_ne!(one, other);
        assert_eq!(one.parent(), target.parent());
    }

    #[test]
    fn what_is_left_of_the_dead_is_stale() {
        let place = tempfile::tempdir().expect("a directory");
        let target = place.path().join("plan.json");
        let stale = |name: &str| {
            let part = place.path().join(name);
            private()
                .create(true)
                .write(true)
                .open(&part)
                .expect("a file");
            is_stale_part(&part, &target)
        };
        // No process has such a number.
        assert!(stale("plan.json.4194305.part"));
        assert!(stale("plan.json.4194305-00ff.part"));
        for other in ["plan.json.1.part", "plan.json.x.part", "plan.json.part"] {
            assert!(!stale(other), "{other}");
        }
        assert!(!stale("other.4194305.part"));
        // What others may write is not ours, nor is what a link leads to.
        let open = place.path().join("plan.json.4194305.part");
        fs::set_permissions(&open, fs::Permissions::from_mode(0o666)).expect("a mode");
        assert!(!is_stale_part(&open, &target));
        let link = place.path().join("plan.json.4194306.part");
        std::os::unix::fs::symlink(place.path(), &link).expect("a link");
        assert!(!is_stale_part(&link, &target));
        // Of a process that had our number, and of this one.
        let own = part_of(&target);
        let kept = File::create(&own).expect("a file");
        mark_in_use(&kept);
        assert!(!is_stale_part(&own, &target));
        drop(kept);
        assert!(is_stale_part(&own, &target));
    }
}
