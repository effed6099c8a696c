//! Guests write in every way that there is while their files come to share blocks and get their own again: what was
//! written is there, at once and in the end.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::libc;
use rustix::fs::{FallocateFlags, fallocate};

use crate::support::{Disk, Guest, Lab, TRIED_FIRST, content, figure, is_long, unify_with};

/// How a file is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Append,
    InPlace,
    OldDescriptor,
    Mmap,
    Truncate,
    TruncateOnOpen,
    RenameOver,
    Recreate,
    Chmod,
    Times,
    PunchHole,
    ZeroRange,
    Sparse,
    CopyRange,
}

const KINDS: [Kind; 14] = [
    Kind::Append,
    Kind::InPlace,
    Kind::OldDescriptor,
    Kind::Mmap,
    Kind::Truncate,
    Kind::TruncateOnOpen,
    Kind::RenameOver,
    Kind::Recreate,
    Kind::Chmod,
    Kind::Times,
    Kind::PunchHole,
    Kind::ZeroRange,
    Kind::Sparse,
    Kind::CopyRange,
];

/// Bytes of each file: whole blocks and a tail.
const SIZE: usize = 70 * 4096 + 123;

/// A writer of one file, who knows what must be in it.
struct Writer {
    kind: Kind,
    path: PathBuf,
    first: Vec<u8>,
    now: Vec<u8>,
    old: File,
    step: usize,
}

fn content_of(kind: Kind) -> Vec<u8> {
    (0..)
        .flat_map(|n| content(format!("{kind:?}{n}")))
        .take(SIZE)
        .collect()
}

impl Writer {
    fn new(kind: Kind, guest: &Guest) -> Writer {
        let path = guest.host(format!("/usr/share/{kind:?}"));
        let old = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        let first = content_of(kind);
        Writer {
            kind,
            path,
            now: first.clone(),
            first,
            old,
            step: 0,
        }
    }

    fn open(&self) -> File {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(&self.path)
            .unwrap()
    }

    /// Writes once, and looks whether all is there that was ever written.
    fn write(&mut self) {
        self.step += 1;
        let at = (self.step * 7919) % (SIZE - 9000);
        let bytes = format!("{:?} {}", self.kind, self.step).into_bytes();
        match self.kind {
            Kind::Append => {
                let mut file = OpenOptions::new().append(true).open(&self.path).unwrap();
                file.write_all(&bytes).unwrap();
                self.now.extend(&bytes);
            }
            Kind::InPlace => self.patch(&self.open(), at, &bytes),
            Kind::OldDescriptor => {
                let old = self.old.try_clone().unwrap();
                self.patch(&old, at, &bytes);
            }
            Kind::Mmap => {
                store(&self.open(), at, &bytes);
                self.now[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            Kind::Truncate => {
                self.open().set_len(at as u64).unwrap();
                self.now.truncate(at);
                self.open().set_len(SIZE as u64).unwrap();
                self.now.resize(SIZE, 0);
            }
            Kind::TruncateOnOpen => {
                std::fs::write(&self.path, &bytes).unwrap();
                self.now = bytes;
            }
            Kind::RenameOver => {
                let new = self.path.with_extension("new");
                self.now[at] ^= 1;
                std::fs::write(&new, &self.now).unwrap();
                std::fs::rename(&new, &self.path).unwrap();
            }
            Kind::Recreate => {
                std::fs::remove_file(&self.path).unwrap();
                self.now[at] ^= 1;
                std::fs::write(&self.path, &self.now).unwrap();
            }
            _ => self.write_oddly(at, &bytes),
        }
        self.look("after a write");
    }

    fn write_oddly(&mut self, at: usize, bytes: &[u8]) {
        match self.kind {
            Kind::Chmod => {
                let mode = 0o644 | (self.step as u32 & 1) << 6;
                std::fs::set_permissions(&self.path, PermissionsExt::from_mode(mode)).unwrap();
                let now = std::fs::metadata(&self.path).unwrap().permissions().mode();
                assert_eq!(now & 0o777, mode);
            }
            Kind::Times => {
                let time = std::time::UNIX_EPOCH + Duration::from_secs(self.step as u64);
                self.open().set_modified(time).unwrap();
                assert_eq!(
                    std::fs::metadata(&self.path).unwrap().modified().unwrap(),
                    time
                );
            }
            Kind::PunchHole | Kind::ZeroRange => {
                let flags = match self.kind {
                    Kind::PunchHole => FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
                    _ => FallocateFlags::ZERO_RANGE,
                };
                fallocate(self.open(), flags, at as u64, 8192).unwrap();
                self.now[at..at + 8192].fill(0);
            }
            Kind::Sparse => {
                let end = self.now.len() + 50_000;
                self.open().write_all_at(bytes, end as u64).unwrap();
                self.now.resize(end, 0);
                self.now.extend(bytes);
            }
            Kind::CopyRange => {
                let (mut from, mut to) = (0, at as u64);
                let file = self.open();
                rustix::fs::copy_file_range(&file, Some(&mut from), &file, Some(&mut to), 100)
                    .unwrap();
                let copied = self.now[..100].to_vec();
                self.now[at..at + 100].copy_from_slice(&copied);
            }
            _ => unreachable!(),
        }
    }

    fn patch(&mut self, file: &File, at: usize, bytes: &[u8]) {
        file.write_all_at(bytes, at as u64).unwrap();
        self.now[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn look(&self, when: &str) {
        let found = std::fs::read(&self.path).unwrap();
        let same = found == self.now;
        assert!(
            same,
            "{:?}, step {}, {when}: not what was written",
            self.kind, self.step
        );
    }

    /// What it was in the beginning, so that it may be shared again.
    fn restore(&mut self) {
        let file = self.open();
        file.set_len(SIZE as u64).unwrap();
        file.write_all_at(&self.first, 0).unwrap();
        self.now.clone_from(&self.first);
        self.old = file;
        self.look("restored");
    }
}

/// Stores bytes by a mapping that outlives the descriptor.
#[allow(unsafe_code, reason = "a guest may map its files")]
fn store(file: &File, at: usize, bytes: &[u8]) {
    let length = file.metadata().unwrap().len() as usize;
    let (read, write) = (libc::PROT_READ, libc::PROT_WRITE);
    let (fd, anywhere) = (file.as_raw_fd(), std::ptr::null_mut());
    // SAFETY: a fresh mapping of a file that only this thread makes shorter; what is written lies within it.
    unsafe {
        let map = libc::mmap(anywhere, length, read | write, libc::MAP_SHARED, fd, 0);
        assert_ne!(map, libc::MAP_FAILED);
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), map.cast::<u8>().add(at), bytes.len());
        assert_eq!(libc::munmap(map, length), 0);
    }
}

/// Two guests with a file for each kind, and its writers in the second.
fn scene(lab: &Lab) -> ([Guest; 2], Vec<Writer>) {
    let guests = ["a", "b"].map(|name| {
        let guest = lab.apart(name);
        for kind in KINDS {
            guest.put(
                format!("/usr/share/{kind:?}"),
                &crate::support::File::new(content_of(kind)),
            );
        }
        guest
    });
    let writers = KINDS.map(|kind| Writer::new(kind, &guests[1]));
    (guests, Vec::from(writers))
}

const REFLINK: &[&str] = &["--method", "reflink"];

/// Every writer writes whenever the kernel is about to be asked: after all was looked at, and, where a file gets blocks
/// of its own, after it was copied.
#[test]
fn every_writer_at_the_worst_moment() {
    armed!();
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = memory_lab!(disk);
        let (guests, mut writers) = scene(&lab);
        let [a, b] = &guests;
        let plan = lab.plan(&[a, b], REFLINK);
        let path = plan.path.to_str().unwrap();
        let base = lab.base().display().to_string();
        let apply = ["apply", "--yes", path];
        stirred(&lab, &apply, TRIED_FIRST, &mut writers);
        writers.iter_mut().for_each(Writer::restore);
        let plan = lab.plan(&[a, b], REFLINK);
        plan.apply().expect(0);
        writers.iter().for_each(|writer| writer.look("shared"));
        let undo = ["undo", "--base", &base, "--run", "all", "--yes"];
        stirred(&lab, &undo, 0, &mut writers);
        // What writers left is planned, shared and given back like any other file.
        lab.plan(&[a, b], REFLINK).apply().expect(0);
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    }
}

/// Runs a command; all writers write at each of its first calls of the kernel.
fn stirred(lab: &Lab, command: &[&str], before: usize, writers: &mut [Writer]) {
    const CALLS: usize = 20;
    let name = command[0];
    let place = lab.path(name);
    std::fs::create_dir(&place).unwrap();
    let at = |what: &str, call: usize| place.join(format!("{what}-{call}"));
    let faults = (1..=CALLS).map(|call| {
        let (ask, done) = (at("ask", call), at("done", call));
        let (ask, done) = (ask.display(), done.display());
        let call = before + call;
        format!("dedupe#{call}=run:touch {ask}; until [ -e {done} ]; do sleep 0.005; done")
    });
    let faults = faults.collect::<Vec<_>>().join("\n");
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let run = threads.spawn(|| {
            let out = unify_with(&[("UNIFY_FAULT", &faults)], command);
            over.store(true, Ordering::Release);
            out
        });
        let mut call = 1;
        while !over.load(Ordering::Acquire) {
            if at("ask", call).exists() {
                writers.iter_mut().for_each(Writer::write);
                std::fs::write(at("done", call), "").unwrap();
                call += 1;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(call > KINDS.len() / 2, "{name}: only {call} calls");
        run.join().unwrap().expect_one_of(&[0, 4]);
    });
    writers.iter().for_each(|writer| writer.look(name));
}

/// Plan, apply and undo go round while all write, rest, and are what they were in between.
#[test]
fn nothing_that_writers_write_is_lost() {
    let seconds = if is_long() { 60 } else { 4 };
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = memory_lab!(disk);
        let (guests, writers) = scene(&lab);
        let (stop, mut rounds, mut shared) = (AtomicBool::new(false), 0, 0);
        // A rest that ends before a plan has come to share anything is too short for this machine.
        let rest = AtomicUsize::new(1);
        std::thread::scope(|threads| {
            let (stop, rest) = (&stop, &rest);
            let writing: Vec<_> = writers
                .into_iter()
                .enumerate()
                .map(|(at, writer)| threads.spawn(move || keep_writing(writer, at, rest, stop)))
                .collect();
            let start = Instant::now();
            let most = |shared: usize| if shared == 0 { 180 } else { seconds };
            while start.elapsed() < Duration::from_secs(most(shared)) {
                let (out, plan) = lab.try_plan(&[&guests[0], &guests[1]], REFLINK);
                out.expect_one_of(&[0, 3]);
                plan.unwrap().apply().expect_one_of(&[0, 4]);
                let receipt = lab.receipt();
                let done = receipt.iter().filter(|line| line["outcome"] == "done");
                shared += done.count();
                rest.fetch_add(usize::from(shared == 0), Ordering::Relaxed);
                lab.on_base("undo", &["--run", "all", "--yes"])
                    .expect_one_of(&[0, 4]);
                rounds += 1;
            }
            stop.store(true, Ordering::Release);
            let writes: usize = writing
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum();
            figure(&format!(
                "reflinks under {} kinds of writers on {disk:?}: {writes} writes, {rounds} rounds, {shared} files shared, none lost",
                KINDS.len()
            ));
        });
        assert!(
            shared > 0,
            "{disk:?}: nothing was ever shared in {rounds} rounds"
        );
    }
}

/// Bursts of writes, then a rest as it was; how many writes that were.
fn keep_writing(mut writer: Writer, at: usize, rest: &AtomicUsize, stop: &AtomicBool) -> usize {
    let mut writes = 0;
    while !stop.load(Ordering::Acquire) {
        for _ in 0..20 {
            writer.write();
            writes += 1;
            std::thread::sleep(Duration::from_micros(200));
        }
        writer.restore();
        for _ in 0..(40 + at * 5) * rest.load(Ordering::Relaxed) {
            writer.look("at rest");
            if stop.load(Ordering::Acquire) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    writer.look("in the end");
    writes
}

/// What is on the disk, and not only in memory, is what was written.
#[test]
fn what_was_written_is_on_the_disk() {
    armed!();
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = memory_lab!(disk);
        let (guests, mut writers) = scene(&lab);
        let plan = lab.plan(&[&guests[0], &guests[1]], REFLINK);
        plan.apply().expect(0);
        writers.iter_mut().for_each(Writer::write);
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(4);
        let left: Vec<(PathBuf, Vec<u8>)> = writers
            .into_iter()
            .map(|writer| (writer.path, writer.now))
            .collect();
        lab.with_image(|_: &Path| {});
        for (path, bytes) in left {
            assert!(std::fs::read(&path).unwrap() == bytes, "{disk:?}: {path:?}");
        }
    }
}
