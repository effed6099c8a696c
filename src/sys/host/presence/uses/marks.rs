//! What a process watches: the marks of its inotify and fanotify descriptors, as `/proc/PID/fdinfo` tells them.
//!
//! Marks on an inode count. One on a mount, or on a whole file system, goes on to see what becomes of a name, whatever
//! inode that has; so does one on a directory, which is never a file that is shared.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;

use rustix::fs::{Mode, OFlags, openat};

use crate::sys::host::presence::mounts::places::BlockDevice;
use crate::sys::host::presence::processes::links::Unlooked;

/// A mark on an inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenMark {
    pub device: BlockDevice,
    pub inode: u64,
    /// `inotify` or `fanotify`.
    pub kind: &'static str,
}

/// Most marks on watched devices that are kept of one process.
pub const MOST_MARKS: usize = 1 << 20;

/// Reads the marks of a descriptor that are on `devices` into `marks`; false where there are too many.
pub fn read_marks(
    dir: impl AsFd,
    number: u32,
    devices: &[BlockDevice],
    marks: &mut Vec<SeenMark>,
) -> Result<bool, Unlooked> {
    let info = format!("fdinfo/{number}");
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let info = openat(dir, info, flags, Mode::empty())?;
    let mut text = BufReader::with_capacity(64 << 10, File::from(info));
    let mut line = Vec::new();
    // What ends in an error was closed meanwhile.
    while text.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let mark = SeenMark::of(&line);
        marks.extend(mark.filter(|mark| devices.contains(&mark.device)));
        if marks.len() > MOST_MARKS {
            return Ok(false);
        }
        line.clear();
    }
    Ok(true)
}

impl SeenMark {
    /// `inotify wd:3 ino:9e7e sdev:800013 mask:800afce …`, and the same of fanotify; numbers are hexadecimal. `None`
    /// for other lines.
    fn of(line: &[u8]) -> Option<SeenMark> {
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
}
