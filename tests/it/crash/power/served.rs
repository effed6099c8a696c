//! The disk in memory as one file of a FUSE file system, for a loop device to sit on. It is opened for direct I/O, so
//! that no page cache lies between the loop device and the recorder. Nothing here touches any file system: what is
//! mounted on the disk waits for these answers.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry,
    ReplyOpen, ReplyWrite, Request, WriteFlags,
};

use super::medium::Medium;

/// The name of the file.
pub const NAME: &str = "disk";
const TTL: Duration = Duration::from_secs(3600);
const DISK: INodeNo = INodeNo(2);

/// A disk that server and test both hold.
#[derive(Debug, Clone)]
pub struct Disk {
    medium: Arc<Mutex<Medium>>,
    size: u64,
}

impl Disk {
    pub fn new(size: u64) -> Disk {
        Disk {
            medium: Arc::default(),
            size,
        }
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn medium(&self) -> MutexGuard<'_, Medium> {
        self.medium.lock().unwrap()
    }

    /// Serves the file in this directory until the answer is dropped.
    pub fn serve(&self, dir: &Path) -> std::io::Result<BackgroundSession> {
        fuser::spawn_mount(self.clone(), dir, &Config::default())
    }

    fn attr(&self, ino: INodeNo) -> FileAttr {
        let (kind, perm, size) = match ino {
            DISK => (FileType::RegularFile, 0o600, self.size),
            _ => (FileType::Directory, 0o700, 0),
        };
        FileAttr {
            ino,
            size,
            blocks: 0,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }
}

impl Filesystem for Disk {
    fn lookup(&self, _req: &Request, _parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        if name == NAME {
            reply.entry(&TTL, &self.attr(DISK), Generation(0));
        } else {
            reply.error(Errno::ENOENT);
        }
    }

    fn getattr(&self, _req: &Request, ino: INodeNo, _fh: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&TTL, &self.attr(ino));
    }

    fn open(&self, _req: &Request, _ino: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _req: &Request,
        _ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let length = u64::from(size).min(self.size.saturating_sub(offset));
        let bytes = self.medium().read(offset, length as usize);
        reply.data(&bytes);
    }

    fn write(
        &self,
        _req: &Request,
        _ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        data: &[u8],
        _write_flags: WriteFlags,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        self.medium().write(offset, data);
        reply.written(data.len() as u32);
    }

    fn flush(
        &self,
        _req: &Request,
        _ino: INodeNo,
        _fh: FileHandle,
        _lock_owner: LockOwner,
        reply: ReplyEmpty,
    ) {
        reply.ok();
    }

    /// The loop device passes every flush of its disk on as this.
    fn fsync(
        &self,
        _req: &Request,
        _ino: INodeNo,
        _fh: FileHandle,
        _datasync: bool,
        reply: ReplyEmpty,
    ) {
        self.medium().flush();
        reply.ok();
    }

    /// What is discarded reads as zeros. The loop device asks for nothing else.
    fn fallocate(
        &self,
        _req: &Request,
        _ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        length: u64,
        _mode: i32,
        reply: ReplyEmpty,
    ) {
        const AT_ONCE: usize = 1 << 20;
        let zeros = vec![0; AT_ONCE];
        let end = (offset + length).min(self.size);
        let mut medium = self.medium();
        for start in (offset..end).step_by(AT_ONCE) {
            let length = (end - start).min(AT_ONCE as u64);
            medium.write(start, &zeros[..length as usize]);
        }
        drop(medium);
        reply.ok();
    }
}
