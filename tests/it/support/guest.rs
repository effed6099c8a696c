//! Makes guests out of files that a test describes.

pub mod packaged;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Timespec, Timestamps, XattrFlags};

use super::Lab;

/// The directory tree of a guest.
#[derive(Debug, Clone)]
pub struct Guest {
    name: String,
    root: PathBuf,
}

/// A regular file as it shall be.
#[derive(Debug, Clone)]
pub struct File {
    content: Vec<u8>,
    hole_from: Option<u64>,
    mode: u32,
    owner: (u32, u32),
    mtime: (i64, u32),
    xattrs: Vec<(String, Vec<u8>)>,
}

/// 9,000 bytes that differ for every seed: more than any default minimum, not a whole number of blocks.
pub fn content(seed: impl std::fmt::Display) -> Vec<u8> {
    let line = format!("content {seed}\n");
    line.bytes().cycle().take(9_000).collect()
}

impl File {
    /// Owned by root, 0644, with a fixed time that has nanoseconds.
    pub fn new(content: impl Into<Vec<u8>>) -> File {
        File {
            content: content.into(),
            hole_from: None,
            mode: 0o644,
            owner: (0, 0),
            mtime: (1_700_000_000, 123_456_789),
            xattrs: Vec::new(),
        }
    }

    pub fn mode(mut self, mode: u32) -> File {
        self.mode = mode;
        self
    }

    pub fn owner(mut self, uid: u32, gid: u32) -> File {
        self.owner = (uid, gid);
        self
    }

    pub fn mtime(mut self, sec: i64, nsec: u32) -> File {
        self.mtime = (sec, nsec);
        self
    }

    pub fn xattr(mut self, name: &str, value: &[u8]) -> File {
        self.xattrs.push((name.to_owned(), value.to_vec()));
        self
    }

    /// A hole of this many bytes in front of the content, and another after it.
    pub fn in_holes_of(mut self, bytes: u64) -> File {
        self.hole_from = Some(bytes);
        self
    }
}

impl Lab {
    /// An empty guest.
    pub fn guest(&self, name: &str) -> Guest {
        let root = self.guests().join(name);
        std::fs::create_dir(&root).unwrap();
        Guest {
            name: name.to_owned(),
            root,
        }
    }

    /// A guest that is there already.
    pub fn there(&self, name: &str) -> Guest {
        Guest {
            name: name.to_owned(),
            root: self.guests().join(name),
        }
    }

    /// Two guests with the same files.
    pub fn twins(&self, files: &[(&str, File)]) -> [Guest; 2] {
        ["web", "db"].map(|name| {
            let guest = self.guest(name);
            for (path, file) in files {
                guest.put(path, file);
            }
            guest
        })
    }

    /// The same with so many small files, `/usr/f00` and so on.
    pub fn twins_of(&self, files: usize) -> [Guest; 2] {
        let twins = self.twins(&[]);
        for guest in &twins {
            (0..files).for_each(|n| guest.put(format!("/usr/f{n:02}"), &File::new(content(n))));
        }
        twins
    }

    /// The same guest at another place, and by the name of that place.
    pub fn renamed(&self, guest: &Guest, name: &str) -> Guest {
        let new = self.guest(name);
        std::fs::remove_dir(new.root()).unwrap();
        std::fs::rename(guest.root(), new.root()).unwrap();
        new
    }
}

impl Guest {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a path of the guest is on the host.
    pub fn host(&self, path: impl AsRef<OsStr>) -> PathBuf {
        let relative = path
            .as_ref()
            .as_bytes()
            .strip_prefix(b"/")
            .expect("absolute");
        self.root.join(OsStr::from_bytes(relative))
    }

    /// `NAME=PATH`, as the command line takes it.
    pub fn arg(&self) -> String {
        format!("{}={}", self.name, self.root.display())
    }

    /// Makes a regular file and the directories above it.
    pub fn put(&self, path: impl AsRef<OsStr>, file: &File) {
        let host = self.host(&path);
        make_parents(&host);
        write(&host, file);
        for (name, value) in &file.xattrs {
            rustix::fs::lsetxattr(&host, name.as_str(), value, XattrFlags::empty()).unwrap();
        }
        std::os::unix::fs::chown(&host, Some(file.owner.0), Some(file.owner.1)).unwrap();
        std::fs::set_permissions(&host, std::fs::Permissions::from_mode(file.mode)).unwrap();
        set_mtime(&host, file.mtime);
    }

    /// The bytes of a file.
    #[track_caller]
    pub fn read(&self, path: impl AsRef<OsStr>) -> Vec<u8> {
        std::fs::read(self.host(path)).unwrap()
    }

    pub fn dir(&self, path: impl AsRef<OsStr>) {
        std::fs::create_dir_all(self.host(path)).unwrap();
    }

    /// One more name of a file.
    pub fn hard_link(&self, old: impl AsRef<OsStr>, new: impl AsRef<OsStr>) {
        let new = self.host(new);
        make_parents(&new);
        std::fs::hard_link(self.host(old), new).unwrap();
    }

    pub fn symlink(&self, target: &str, path: impl AsRef<OsStr>) {
        let host = self.host(path);
        make_parents(&host);
        std::os::unix::fs::symlink(target, host).unwrap();
    }

    pub fn fifo(&self, path: impl AsRef<OsStr>) {
        let host = self.host(path);
        make_parents(&host);
        make_fifo(&host);
    }

    /// A chain of `depth` directories under `top`, each with this name, and a file at its end:
    /// made step by step, because the path may be longer than any system call takes.
    pub fn deep(&self, top: &str, name: &str, depth: usize, bottom: &[u8]) {
        self.dir(top);
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut dir = rustix::fs::open(self.host(top), flags, Mode::empty()).unwrap();
        for _ in 0..depth {
            rustix::fs::mkdirat(&dir, name, Mode::from_raw_mode(0o755)).unwrap();
            dir = rustix::fs::openat(&dir, name, flags, Mode::empty()).unwrap();
        }
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&dir, "bottom", flags, Mode::from_raw_mode(0o644)).unwrap();
        std::fs::File::from(file).write_all_at(bottom, 0).unwrap();
        rustix::fs::utimensat(
            &dir,
            "bottom",
            &stamps((1_700_000_000, 1)),
            AtFlags::empty(),
        )
        .unwrap();
    }

    /// A dpkg database with one installed package and these config files.
    pub fn dpkg(&self, package: &str, config_files: &[&str]) {
        let mut status = format!(
            "Package: {package}\nStatus: install ok installed\nMaintainer: Lab <lab@example.invalid>\n\
             Architecture: all\nVersion: 1\nConffiles:\n"
        );
        for path in config_files {
            status += &format!(" {path} 00000000000000000000000000000000\n");
        }
        status += "Description: lab\n";
        self.put("/var/lib/dpkg/status", &File::new(status));
        let list: String = config_files
            .iter()
            .map(|path| format!("{path}\n"))
            .collect();
        self.put(
            format!("/var/lib/dpkg/info/{package}.conffiles"),
            &File::new(list),
        );
        self.put(
            format!("/var/lib/dpkg/info/{package}.list"),
            &File::new("/.\n"),
        );
        self.dir("/var/lib/dpkg/updates");
    }
}

/// A FIFO anywhere.
#[track_caller]
pub fn make_fifo(path: &Path) {
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
}

fn make_parents(host: &Path) {
    std::fs::create_dir_all(host.parent().unwrap()).unwrap();
}

fn write(host: &Path, file: &File) {
    let out = std::fs::File::create(host).unwrap();
    let hole = file.hole_from.unwrap_or(0);
    out.write_all_at(&file.content, hole).unwrap();
    out.set_len(hole + file.content.len() as u64 + hole)
        .unwrap();
}

/// Sets the modification time, and an access time so old that any read would change it.
pub(super) fn set_mtime(host: &Path, mtime: (i64, u32)) {
    rustix::fs::utimensat(CWD, host, &stamps(mtime), AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

fn stamps((sec, nsec): (i64, u32)) -> Timestamps {
    let time = |tv_sec, nsec| Timespec {
        tv_sec,
        tv_nsec: nsec,
    };
    Timestamps {
        last_access: time(86_400, 0),
        last_modification: time(sec, nsec.into()),
    }
}
