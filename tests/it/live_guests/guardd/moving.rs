//! Directories that a guest renames all the time: no writer is denied for that, and no name of a file is left behind.

use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::OPEN;
use crate::support::{
    Asking, Disk, File, Guest, Kernel, Lab, append, content, generation, id, nlink,
};

/// So many files lie in the directory; every second one has another name elsewhere.
const FILES: usize = 24;

/// The kernel begins no call more often.
const LAST_ATTEMPT: u32 = 8;

fn swung(at: usize) -> String {
    format!("/usr/swung/f{at}")
}

fn stays(at: usize) -> String {
    format!("/usr/stays/f{at}")
}

fn has_two_names(at: usize) -> bool {
    at.is_multiple_of(2)
}

fn guests(lab: &Lab) -> [Guest; 2] {
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.dir("/usr/stays");
        for at in 0..FILES {
            guest.put(swung(at), &File::new(content(at)));
            if has_two_names(at) {
                guest.hard_link(swung(at), stays(at));
            }
        }
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    guests
}

/// Renames it to and fro until `ended`; then it has its first name.
fn swing(from: &Path, to: &Path, ended: &AtomicBool) {
    while !ended.load(Ordering::Relaxed) {
        for (old, new) in [(from, to), (to, from)] {
            std::fs::rename(old, new).unwrap();
            std::thread::sleep(Duration::from_micros(500));
        }
    }
}

/// However the test ends, the directory stands still then.
struct SwingEnd<'a>(&'a AtomicBool);

impl Drop for SwingEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a writer does whose file has this generation, and its directory that one.
fn write(kernel: &mut Kernel, file: &Path, of_file: u32, above: u32) {
    let before = id(file);
    let mut write = Asking {
        above: Some(above),
        ..Asking::to(file)
    };
    while id(file) == before {
        assert!(write.attempt <= LAST_ATTEMPT, "{}", kernel.said());
        let thread = kernel.ask_about(&write, of_file);
        kernel.hears(thread, "LookAgain");
        write.attempt += 1;
    }
    append(file, b"more");
}

fn moving(disk: Disk) {
    armed!();
    let lab = lab!(disk);
    let [web, db] = guests(&lab);
    let [here, there] = ["/usr/swung", "/usr/hither"].map(|name| web.host(name));
    let directory = std::fs::File::open(&here).unwrap();
    // By this path the directory is reached wherever it is.
    let held = PathBuf::from(format!(
        "/proc/{}/fd/{}",
        std::process::id(),
        directory.as_raw_fd()
    ));
    let of_held = generation(&here);
    let of_stays = generation(&web.host("/usr/stays"));
    let of_files: Vec<u32> = (0..FILES)
        .map(|at| generation(&web.host(swung(at))))
        .collect();
    let mut kernel = Kernel::start(&lab, &[], &[]);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| swing(&here, &there, &ended));
        let _end = SwingEnd(&ended);
        for (at, of_file) in of_files.into_iter().enumerate() {
            // Those of two names are written to by either.
            match at % 4 {
                0 => write(&mut kernel, &web.host(stays(at)), of_file, of_stays),
                _ => write(&mut kernel, &held.join(format!("f{at}")), of_file, of_held),
            }
        }
    });
    kernel.settled(&lab);
    let said = kernel.said();
    for at in 0..FILES {
        let wrote = [&content(at)[..], b"more"].concat();
        assert!(web.read(swung(at)) == wrote, "{at}: {said}");
        assert!(db.read(swung(at)) == content(at), "{at}");
        let names = if has_two_names(at) { 2 } else { 1 };
        assert_eq!(nlink(&web.host(swung(at))), names, "{at}: {said}");
        if has_two_names(at) {
            assert_eq!(
                id(&web.host(swung(at))),
                id(&web.host(stays(at))),
                "{at}: {said}"
            );
        }
    }
    assert!(!said.contains("denied"), "{said}");
    assert_eq!(kernel.end(), Some(0));
    lab.on_base("verify", &[]).expect(0);
    assert_eq!((lab.staged().len(), lab.quarantined().len()), (0, 0));
}

#[test]
fn a_directory_that_moves_denies_no_writer_on_ext4() {
    moving(Disk::Ext4);
}

#[test]
fn a_directory_that_moves_denies_no_writer_on_xfs() {
    moving(Disk::Xfs);
}
