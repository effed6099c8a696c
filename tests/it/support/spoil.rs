//! What a test spoils on purpose: the bytes behind a protected name, or the room on a disk.

use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{FallocateFlags, IFlags, Mode, OFlags};

/// Changes one byte of an object in place, keeps its time, and puts the flag back: as a disk that rots would.
pub fn rot(path: &Path) {
    let flags = |on: bool| {
        let file = rustix::fs::open(path, OFlags::RDONLY, Mode::empty()).unwrap();
        let mut flags = rustix::fs::ioctl_getflags(&file).unwrap();
        flags.set(IFlags::IMMUTABLE, on);
        rustix::fs::ioctl_setflags(&file, flags).unwrap();
    };
    flags(false);
    let meta = std::fs::metadata(path).unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(b"X", 4_000).unwrap();
    file.set_modified(meta.modified().unwrap()).unwrap();
    flags(true);
}

/// Takes all room of the file system but this.
pub fn fill_disk(dir: &Path, leave_kib: u64) {
    std::fs::create_dir(dir).unwrap();
    let spare = std::fs::File::create(dir.join("spare")).unwrap();
    let keep = FallocateFlags::empty();
    if leave_kib > 0 {
        rustix::fs::fallocate(&spare, keep, 0, leave_kib << 10).unwrap();
    }
    let all = std::fs::File::create(dir.join("all")).unwrap();
    let (mut at, mut piece) = (0, 1 << 30);
    while piece >= 4096 {
        match rustix::fs::fallocate(&all, keep, at, piece) {
            Ok(()) => at += piece,
            Err(_) => piece /= 2,
        }
    }
    std::fs::remove_file(dir.join("spare")).unwrap();
}
