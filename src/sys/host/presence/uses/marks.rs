//! What a process watches: the marks of its inotify and fanotify descriptors, as `/proc/PID/fdinfo` tells them.
//!
//! Marks on an inode count. One on a mount, or on a whole file system, goes on to see what becomes of a name, whatever
//! inode that has; so does one on a directory, which is never a file that is shared.
//!
//! The kernel makes the whole list of a descriptor before it gives the first byte of it: a second or more where there
//! are some hundred thousand marks, and nobody can end that. So who reads this is not waited for.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::fd::AsFd;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use crate::sys::host::presence::mounts::places::BlockDevice;

/// A mark on an inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenMark {
    pub device: BlockDevice,
    pub inode: u64,
    /// `inotify` or `fanotify`.
    pub kind: &'static str,
}

/// Hands on the marks of a descriptor that are on `devices`, until `take` wants no more. Returns how many lines were
/// read; a descriptor that is closed has none.
pub fn each_mark(
    dir: impl AsFd,
    number: u32,
    devices: &[BlockDevice],
    take: impl FnMut(SeenMark) -> bool,
) -> io::Result<usize> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    match openat(dir, format!("fdinfo/{number}"), flags, Mode::empty()) {
        Ok(info) => marks_in(File::from(info), devices, take),
        Err(errno) => none_if_gone(errno.into()),
    }
}

fn marks_in(
    text: impl io::Read,
    devices: &[BlockDevice],
    mut take: impl FnMut(SeenMark) -> bool,
) -> io::Result<usize> {
    let mut text = BufReader::with_capacity(64 << 10, text);
    let (mut line, mut lines) = (Vec::new(), 0);
    loop {
        line.clear();
        match text.read_until(b'\n', &mut line) {
            Ok(0) => return Ok(lines),
            Ok(_) => lines += 1,
            Err(error) => return none_if_gone(error).map(|none| none + lines),
        }
        let mark = SeenMark::of(&line).filter(|mark| devices.contains(&mark.device));
        if mark.is_some_and(|mark| !take(mark)) {
            return Ok(lines);
        }
    }
}

/// What has gone is not missed; whatever else keeps us from reading is told.
fn none_if_gone(error: io::Error) -> io::Result<usize> {
    match Errno::from_io_error(&error) {
        Some(Errno::NOENT | Errno::SRCH) => Ok(0),
        _ => Err(error),
    }
}

impl SeenMark {
    /// `inotify wd:3 ino:9e7e sdev:800013 mask:800afce …`, and the same of fanotify; numbers are hexadecimal. `None`
    /// for other lines.
    pub(super) fn of(line: &[u8]) -> Option<SeenMark> {
        let line = std::str::from_utf8(line).ok()?;
        let mut fields = line.split_ascii_whitespace();
        let kind = match fields.next()? {
            "inotify" => "inotify",
            "fanotify" => "fanotify",
            _ => return None,
        };
        let (mut inode, mut device) = (None, None);
        for (name, value) in fields.filter_map(|field| field.split_once(':')) {
            match name {
                "ino" => inode = u64::from_str_radix(value, 16).ok(),
                "sdev" => device = u32::from_str_radix(value, 16).ok(),
                _ => {}
            }
        }
        let device = device?;
        Some(SeenMark {
            // As the kernel keeps it: twenty bits of minor.
            device: BlockDevice {
                major: device >> 20,
                minor: device & 0xf_ffff,
            },
            inode: inode?,
            kind,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_on_inodes_are_told_from_others() {
        let of = |line: &str| SeenMark::of(line.as_bytes());
        let mark = of(
            "inotify wd:3 ino:9e7e sdev:800013 mask:800afce ignored_mask:0 fhandle-bytes:8 f_handle:7e9e\n",
        );
        let want = SeenMark {
            device: BlockDevice {
                major: 8,
                minor: 0x13,
            },
            inode: 0x9e7e,
            kind: "inotify",
        };
        assert_eq!(mark, Some(want));
        let mark = of("fanotify ino:4f969 sdev:fe00000 mflags:0 mask:3b ignored_mask:40000000");
        let found = mark.map(|mark| (mark.inode, mark.device.major, mark.kind));
        assert_eq!(found, Some((0x4f969, 0xfe, "fanotify")));
        for other in [
            "fanotify mnt_id:12 mflags:40 mask:38 ignored_mask:40000003",
            "fanotify sdev:800013 mflags:0 mask:3b ignored_mask:0",
            "fanotify flags:10 event-flags:0",
            "pos:\t0",
            "inotify wd:3 ino:xyz sdev:800013",
            "",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    /// Reads one line, then fails so.
    struct Fails(&'static [u8], Errno);

    impl io::Read for Fails {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match std::mem::take(&mut self.0) {
                [] => Err(self.1.into()),
                mut rest => rest.read(into),
            }
        }
    }

    #[test]
    fn only_what_has_gone_has_no_marks() {
        let text = b"inotify wd:3 ino:9e7e sdev:800013 mask:800afce\n";
        let device = BlockDevice {
            major: 8,
            minor: 0x13,
        };
        for (errno, is_gone) in [
            (Errno::NOENT, true),
            (Errno::SRCH, true),
            (Errno::NOMEM, false),
            (Errno::IO, false),
        ] {
            let mut seen = Vec::new();
            let read = marks_in(Fails(text, errno), &[device], |mark| {
                seen.push(mark.inode);
                true
            });
            assert_eq!((read.is_ok(), &seen[..]), (is_gone, &[0x9e7e][..]));
        }
    }
}
