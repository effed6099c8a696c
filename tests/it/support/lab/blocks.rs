//! Blocks that files have in common: guests in subvolumes, what the file system says is shared, and how much it stores.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::walk::walk;
use crate::support::{Guest, Lab};

/// So often `apply` asks the kernel about scratch files, before it asks about files of guests.
pub const TRIED_FIRST: usize = 3;

/// All that a guest could notice about its files but their content: inode, mode, owner, size, times and links of each.
pub type Exact = BTreeMap<Vec<u8>, [i128; 8]>;

/// What is beneath a directory now.
pub fn exact(top: &Path) -> Exact {
    let mut all = Exact::new();
    walk(top, &mut |found| {
        let it = &found.stat;
        let time = |sec: i64, nsec: u64| i128::from(sec) * 1_000_000_000 + i128::from(nsec);
        let facts = [
            it.st_ino.into(),
            it.st_mode.into(),
            it.st_uid.into(),
            it.st_gid.into(),
            it.st_size.into(),
            time(it.st_mtime, it.st_mtime_nsec),
            time(it.st_ctime, it.st_ctime_nsec),
            it.st_nlink.into(),
        ];
        all.insert(found.path.to_vec(), facts);
    });
    all
}

/// Fails with the first path that is not as it was.
#[track_caller]
pub fn assert_exact(before: &[Exact], guests: &[&Guest], when: &str) {
    for (before, guest) in before.iter().zip(guests) {
        let now = exact(guest.root());
        for (path, was) in before {
            let path_shown = path.escape_ascii();
            assert_eq!(now.get(path), Some(was), "{path_shown} {when}");
        }
        assert_eq!(now.len(), before.len(), "{} {when}", guest.name());
    }
}

impl Lab {
    /// An empty guest; on btrfs in a subvolume of its own, which no hard link leaves.
    pub fn apart(&self, name: &str) -> Guest {
        let root = self.guests().join(name);
        let made = Command::new("btrfs")
            .args(["-q", "subvolume", "create"])
            .arg(&root)
            .output();
        if !made.is_ok_and(|made| made.status.success()) {
            return self.guest(name);
        }
        self.there(name)
    }

    /// Bytes that the whole file system stores, by its own count, when all is on the disk and freed.
    pub fn stored(&self) -> u64 {
        let top = self.path(".");
        let used = || {
            let dir = std::fs::File::open(&top).unwrap();
            rustix::fs::syncfs(&dir).unwrap();
            let fs = rustix::fs::statvfs(&top).unwrap();
            (fs.f_blocks - fs.f_bfree) * fs.f_frsize
        };
        // Room comes back in the background: asked until it says the same some times.
        let (mut last, mut same) = (used(), 0);
        while same < 3 {
            std::thread::sleep(Duration::from_millis(50));
            let now = used();
            same = if now == last { same + 1 } else { 0 };
            last = now;
        }
        last
    }

    /// The same as soon as it is what is wanted: on a busy machine the kernel rests for longer between what it frees.
    pub fn stored_soon(&self, is_wanted: impl Fn(u64) -> bool) -> u64 {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let stored = self.stored();
            if is_wanted(stored) || Instant::now() > end {
                return stored;
            }
        }
    }
}

/// Does the file system say that others have blocks of this file as well?
pub fn shares_blocks(path: &Path) -> bool {
    let out = Command::new("filefrag")
        .args(["-s", "-v"])
        .arg(path)
        .output()
        .unwrap();
    assert!(out.status.success(), "filefrag {path:?}");
    String::from_utf8_lossy(&out.stdout)
        .lines()
        .any(|line| line.contains("shared"))
}

/// Has the file blocks of its own alone, now or soon? Copies that are gone are freed in the background.
pub fn soon_has_its_own(path: &Path) -> bool {
    (0..600).any(|_| {
        let is_own = !shares_blocks(path);
        if !is_own {
            rustix::fs::sync();
            std::thread::sleep(Duration::from_millis(100));
        }
        is_own
    })
}
