//! A write that the programs ask about, as they lay it into the ring: `struct event` of `maps.bpf.h`.
//!
//! Name and command are a guest's bytes. They are for logs and as a hint; nothing may rest on them.

use super::InodeMark;
use crate::model::FileId;

/// What was about to be done. The numbers are those of `enum kind` of the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteKind {
    /// Opened for writing, or to be cut.
    Open,
    /// Size, mode, owner or times.
    Attributes,
    /// An extended attribute is set.
    SetXattr,
    /// One is removed.
    RemoveXattr,
    /// An ACL is set.
    SetAcl,
    /// One is removed.
    RemoveAcl,
    /// `file_setattr(2)`.
    FileAttributes,
    /// A call of the file system's own, by a descriptor.
    Ioctl,
}

/// A thread that was about to change a marked inode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteRequest {
    /// The inode, as [`InodeMark`](super::InodeMark) has it.
    pub inode: FileId,
    /// Its generation.
    pub generation: u32,
    /// Cgroups (v2, by the inodes of their directories) that the writer is in: its own first, then at most four of
    /// those above it, the nearest first; the root is none of them.
    pub cgroups: Vec<u64>,
    /// The writer, by its number in the host's namespace.
    pub thread: u32,
    /// Its process.
    pub process: u32,
    /// Names this request, together with the thread; 0 where nobody waits. The same may be asked again.
    pub number: u64,
    /// 1; one more each time that the writer was told to look again, and met the same inode.
    pub attempt: u32,
    /// How it was to be changed.
    pub by: WriteKind,
    /// The writer waits for an answer. Else it has been denied already, and is to succeed the next time.
    pub waits: bool,
    /// What the writer holds is no name of a guest's: it has been removed, or stands in the base's own directories. So
    /// there may be nothing to part, and it looks again by itself.
    pub stale: bool,
    /// What the thread is called.
    pub command: Vec<u8>,
    /// The directory in which the writer found the inode, where that is known.
    pub parent: Option<InodeMark>,
    /// The name there; empty where it is not known.
    pub last_name: Vec<u8>,
}

/// Bytes of an event.
const SIZE: usize = 368;

const WAITS: u8 = 1;
const STALE: u8 = 2;
const HAS_PARENT: u8 = 4;

impl WriteRequest {
    /// `None` for what this version does not know.
    pub(super) fn parse(bytes: &[u8]) -> Option<WriteRequest> {
        let bytes: &[u8; SIZE] = bytes.first_chunk()?;
        let flags = bytes[89];
        let parent = InodeMark {
            inode: id(word(bytes, 72), long(bytes, 16)),
            generation: word(bytes, 364),
        };
        let cgroups = (24..64).step_by(8).map(|at| long(bytes, at));
        Some(WriteRequest {
            inode: id(word(bytes, 64), long(bytes, 8)),
            generation: word(bytes, 68),
            cgroups: cgroups.filter(|id| *id != 0).collect(),
            thread: word(bytes, 76),
            process: word(bytes, 80),
            number: long(bytes, 0),
            attempt: word(bytes, 84),
            by: WriteKind::from_number(bytes[88])?,
            waits: flags & WAITS != 0,
            stale: flags & STALE != 0,
            command: text(&bytes[92..108]),
            parent: (flags & HAS_PARENT != 0).then_some(parent),
            last_name: text(&bytes[108..364]),
        })
    }
}

impl WriteKind {
    fn from_number(number: u8) -> Option<WriteKind> {
        Some(match number {
            1 => WriteKind::Open,
            2 => WriteKind::Attributes,
            3 => WriteKind::SetXattr,
            4 => WriteKind::RemoveXattr,
            5 => WriteKind::SetAcl,
            6 => WriteKind::RemoveAcl,
            7 => WriteKind::FileAttributes,
            8 => WriteKind::Ioctl,
            _ => return None,
        })
    }
}

/// From the kernel's own number of a device: 12 bits major, 20 bits minor.
fn id(device: u32, ino: u64) -> FileId {
    FileId {
        dev: rustix::fs::makedev(device >> 20, device & 0xf_ffff),
        ino,
    }
}

fn word(bytes: &[u8; SIZE], at: usize) -> u32 {
    u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn long(bytes: &[u8; SIZE], at: usize) -> u64 {
    bytes[at..]
        .first_chunk()
        .copied()
        .map_or(0, u64::from_ne_bytes)
}

/// Up to the first zero.
fn text(bytes: &[u8]) -> Vec<u8> {
    bytes
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or(bytes)
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_it_is_laid_out() {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&77_u64.to_ne_bytes());
        bytes[8..16].copy_from_slice(&(u64::MAX - 1).to_ne_bytes());
        bytes[16..24].copy_from_slice(&2_u64.to_ne_bytes());
        bytes[24..32].copy_from_slice(&900_u64.to_ne_bytes());
        bytes[48..56].copy_from_slice(&901_u64.to_ne_bytes());
        bytes[64..68].copy_from_slice(&0x0800_0001_u32.to_ne_bytes());
        bytes[72..76].copy_from_slice(&0x0800_0002_u32.to_ne_bytes());
        bytes[84..88].copy_from_slice(&3_u32.to_ne_bytes());
        bytes[88..90].copy_from_slice(&[2, WAITS | HAS_PARENT]);
        bytes[92..95].copy_from_slice(b"cp\0");
        bytes[108..364].fill(b'n');
        bytes[364..].copy_from_slice(&5_u32.to_ne_bytes());
        let read = WriteRequest::parse(&bytes).expect("an event");
        assert_eq!((read.number, read.attempt), (77, 3));
        assert_eq!(read.inode, id(0x0800_0001, u64::MAX - 1));
        assert_eq!(read.cgroups, [900, 901]);
        let parent = InodeMark {
            inode: id(0x0800_0002, 2),
            generation: 5,
        };
        assert_eq!(read.parent, Some(parent));
        assert_eq!((read.waits, read.stale), (true, false));
        assert_eq!(
            (read.by, read.command.as_slice()),
            (WriteKind::Attributes, &b"cp"[..])
        );
        assert_eq!(read.last_name, [b'n'; 256]);
        assert_eq!(WriteRequest::parse(&bytes[1..]), None);
        bytes[88] = 9;
        assert_eq!(WriteRequest::parse(&bytes), None);
    }
}
