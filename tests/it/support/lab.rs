//! A scratch area on a file system of one's choice, gone when the test ends.

pub mod blocks;

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::walk;

/// Which file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// The machine's own, where it is one that `unify` works on; else a fresh ext4.
    Own,
    /// Fresh, on a loop device, with inodes for 300,000 files.
    Ext4,
    /// Fresh, on a loop device.
    Xfs,
    /// Fresh, on a loop device.
    Btrfs,
}

/// The scratch area. Guests live in `guests/`, the base in `guests/.unify`, plans beside `guests/`.
#[derive(Debug)]
pub struct Lab {
    /// `None` for a part of another lab, and in a directory that the lab does not own.
    scratch: Option<TempDir>,
    top: PathBuf,
    mounted: bool,
    /// Removed in the end, where it lies in another lab.
    part: bool,
}

impl Lab {
    /// Makes one, or says why this machine cannot.
    pub fn on(disk: Disk) -> Result<Lab, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("needs root, for owners, flags and mounts".into());
        }
        let scratch = scratch_in(env!("CARGO_TARGET_TMPDIR"))?;
        let (top, mounted) = match disk {
            Disk::Own if works_here(scratch.path()) => (scratch.path().to_owned(), false),
            Disk::Own | Disk::Ext4 => (mount(scratch.path(), "ext4", &["-N", "300000"])?, true),
            Disk::Xfs => (mount(scratch.path(), "xfs", &[])?, true),
            Disk::Btrfs => (mount(scratch.path(), "btrfs", &[])?, true),
        };
        std::fs::create_dir(top.join("guests")).map_err(|e| e.to_string())?;
        Ok(Lab {
            scratch: Some(scratch),
            top,
            mounted,
            part: false,
        })
    }

    /// A fresh file system made and mounted with options, for what only some disks do; or says why this machine cannot.
    pub fn formatted(kind: &str, mkfs: &[&str], mount_options: &str) -> Result<Lab, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("needs root, for owners, flags and mounts".into());
        }
        let scratch = scratch_in(env!("CARGO_TARGET_TMPDIR"))?;
        let top = mount_with(scratch.path(), kind, mkfs, mount_options)?;
        Ok(Lab::on_disk(scratch, top))
    }

    /// Of a disk that is mounted for it alone.
    fn on_disk(scratch: TempDir, top: PathBuf) -> Lab {
        std::fs::create_dir_all(top.join("guests")).unwrap();
        Lab {
            scratch: Some(scratch),
            top,
            mounted: true,
            part: false,
        }
    }

    /// What `command`, a shell's, mounts at `$top`: it may use the empty directory `$scratch`.
    pub fn mounted_by(command: &str) -> Result<Lab, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("needs root, for owners, flags and mounts".into());
        }
        let scratch = scratch_in(env!("CARGO_TARGET_TMPDIR"))?;
        let top = scratch.path().join("mnt");
        std::fs::create_dir(&top).map_err(|e| e.to_string())?;
        let variables = format!(
            "top={} scratch={}; {command}",
            top.display(),
            scratch.path().display()
        );
        run("sh", &["-euc".as_ref(), variables.as_ref()])?;
        Ok(Lab::on_disk(scratch, top))
    }

    /// A fresh file system whose image is in memory, for tests that wait for the disk often. Those that make thousands
    /// of scenes make each in a [`Lab::part`].
    pub fn in_memory(disk: Disk) -> Result<Lab, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("needs root, for owners, flags and mounts".into());
        }
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() {
            memory
        } else {
            env!("CARGO_TARGET_TMPDIR").as_ref()
        };
        let scratch = scratch_in(place)?;
        let kind = match disk {
            Disk::Own | Disk::Ext4 => "ext4",
            Disk::Xfs => "xfs",
            Disk::Btrfs => "btrfs",
        };
        let top = mount(scratch.path(), kind, &[])?;
        Ok(Lab::on_disk(scratch, top))
    }

    /// A directory of this lab as a lab of its own, removed when it is dropped.
    pub fn part(&self, name: &str) -> Lab {
        let top = self.top.join(name);
        std::fs::create_dir_all(top.join("guests")).unwrap();
        Lab {
            scratch: None,
            top,
            mounted: false,
            part: true,
        }
    }

    /// In this empty directory, and leaves it as it is in the end.
    pub fn at(top: &Path) -> Lab {
        std::fs::create_dir(top.join("guests")).unwrap();
        Lab {
            scratch: None,
            top: top.to_owned(),
            part: false,
            mounted: false,
        }
    }

    /// Unmounts the disk, changes its image, and mounts it again. For a [`Disk`] of its own.
    pub fn with_image(&self, change: impl FnOnce(&Path)) {
        assert!(self.mounted, "not on an image");
        let image = self.top.with_file_name("disk.img");
        unmount(&self.top);
        change(&image);
        let how = ["-o".as_ref(), "loop".as_ref()];
        let places = [image.as_os_str(), self.top.as_os_str()];
        run("mount", &[how, places].concat()).unwrap();
    }

    /// Does the immutable flag stop even a process that had the file open before? On ext4 alone.
    pub fn flag_holds_against_all(&self) -> bool {
        rustix::fs::statfs(&self.top).is_ok_and(|fs| fs.f_type == EXT4)
    }

    /// Where plans and other papers go: on the same file system, outside of every guest.
    pub fn path(&self, name: &str) -> PathBuf {
        self.top.join(name)
    }

    /// The directory that holds the guests.
    pub fn guests(&self) -> PathBuf {
        self.top.join("guests")
    }

    /// The base: what `unify` takes by default for guests in [`Lab::guests`].
    pub fn base(&self) -> PathBuf {
        self.top.join("guests/.unify")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.scratch.is_none() && !self.part {
            return;
        }
        walk::lift_flags(&self.top);
        if self.mounted {
            let done = run("umount", &[self.top.as_os_str()]);
            if done.is_err() {
                run("umount", &["-l".as_ref(), self.top.as_os_str()]).ok();
            }
        }
        if self.part {
            std::fs::remove_dir_all(&self.top).unwrap_or_default();
        }
    }
}

/// A base wants no directory above it that another user rules, so a checkout that is not root's is no place for
/// one.
fn scratch_in(place: impl AsRef<Path>) -> Result<TempDir, String> {
    use std::os::unix::fs::MetadataExt;
    let place = place.as_ref();
    let is_safe = |above: &Path| {
        let meta = std::fs::metadata(above);
        meta.is_ok_and(|meta| {
            meta.uid() == 0 && (meta.mode() & 0o022 == 0 || meta.mode() & 0o1000 != 0)
        })
    };
    let place = if place.ancestors().all(is_safe) {
        place
    } else {
        Path::new("/var/tmp")
    };
    TempDir::with_prefix_in("lab-", place).map_err(|e| format!("no scratch directory: {e}"))
}

const EXT4: i64 = 0xef53;

/// Is the machine's own file system one with flags, leases and exchange, and not an overlay or memory?
fn works_here(scratch: &Path) -> bool {
    const XFS: i64 = 0x5846_5342;
    const BTRFS: i64 = 0x9123_683e;
    rustix::fs::statfs(scratch).is_ok_and(|fs| [EXT4, XFS, BTRFS].contains(&{ fs.f_type }))
}

/// Takes off what is mounted there.
#[track_caller]
pub fn unmount(top: &Path) {
    run("umount", &[top.as_os_str()]).unwrap();
}

fn mount(scratch: &Path, kind: &str, mkfs_options: &[&str]) -> Result<PathBuf, String> {
    mount_with(scratch, kind, mkfs_options, "loop")
}

fn mount_with(
    scratch: &Path,
    kind: &str,
    mkfs_options: &[&str],
    how: &str,
) -> Result<PathBuf, String> {
    let image = scratch.join("disk.img");
    let top = scratch.join("mnt");
    let file = std::fs::File::create(&image).map_err(|e| e.to_string())?;
    file.set_len(4 << 30).map_err(|e| e.to_string())?;
    std::fs::create_dir(&top).map_err(|e| e.to_string())?;
    let mkfs: Vec<_> = ["-q"]
        .iter()
        .chain(mkfs_options)
        .map(AsRef::as_ref)
        .collect();
    run(
        &format!("mkfs.{kind}"),
        &[&mkfs[..], &[image.as_os_str()]].concat(),
    )?;
    let how = ["-t", kind, "-o", how].map(AsRef::as_ref);
    run(
        "mount",
        &[&how[..], &[image.as_os_str(), top.as_os_str()]].concat(),
    )?;
    Ok(top)
}

fn run(program: &str, args: &[&std::ffi::OsStr]) -> Result<(), String> {
    let out = Command::new(program)
        .args(args)
        .output()
        .map_err(|e| format!("{program}: {e}"))?;
    let said = String::from_utf8_lossy(&out.stderr);
    if out.status.success() {
        Ok(())
    } else {
        Err(format!("{program}: {}", said.trim()))
    }
}
