//! Every way of changing a file through what one can have of it: a descriptor that only reads, and a name.
//!
//! Asked of scratch files of ours alone. What the file system cannot do at all is no way.

use std::os::fd::AsRawFd;

use rustix::fs::{Gid, Timespec, Timestamps, Uid};
use rustix::fs::{
    Mode, OFlags, UTIME_NOW, XattrFlags, fchmod, fchown, fremovexattr, fsetxattr, ftruncate,
    futimens, open,
};
use rustix::io::Errno;

use crate::sys::fault::call;
use crate::sys::{Regular, SysError, SysResult, ffi};

/// An ACL that lets its owner read and write, its group and others read, and user 4 read (`linux/posix_acl_xattr.h`).
const ACL: [u8; 44] = *b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\x04\0\0\0\
\x04\0\x04\0\xff\xff\xff\xff\x10\0\x04\0\xff\xff\xff\xff\x20\0\x04\0\xff\xff\xff\xff";

const ACL_NAME: &str = "system.posix_acl_access";
/// One that the owner of a file may set. `trusted.*` takes a capability that many a container lacks, and without it the
/// kernel says no to everybody, whatever protects the file.
const PLAIN_NAME: &str = "user.unify.trial";

/// A way, and what came of it.
type ForbiddenWay<'a> = (&'static str, &'a dyn Fn() -> Result<(), Errno>);

impl Regular {
    /// Gives a file what a trial takes away: an attribute and an ACL, where the file system has them.
    pub fn be_tried(&self) -> SysResult<()> {
        for (name, value) in [(PLAIN_NAME, &b"1"[..]), (ACL_NAME, &ACL)] {
            let set = call("setxattr", || {
                fsetxattr(self.fd(), name, value, XattrFlags::empty())
            });
            match set {
                Ok(()) | Err(Errno::OPNOTSUPP) => {}
                Err(errno) => return Err(self.failed("set an attribute of")(errno)),
            }
        }
        Ok(())
    }

    /// The first way in which the file could be changed, in the words of a message; `None` where each was denied.
    pub fn way_left_open(&self) -> SysResult<Option<&'static str>> {
        let reader = self.reopen()?;
        let fd = reader.fd();
        let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
        let opened = |flags| open(&path, flags | OFlags::CLOEXEC, Mode::empty()).map(drop);
        let set = |name, value: &[u8]| fsetxattr(fd, name, value, XattrFlags::empty());
        let told = |done: std::io::Result<()>| {
            done.map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO))
        };
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        let now = Timestamps {
            last_access: now,
            last_modification: now,
        };
        let ways: [ForbiddenWay<'_>; 13] = [
            ("be opened for writing", &|| opened(OFlags::WRONLY)),
            ("be opened for reading and writing", &|| {
                opened(OFlags::RDWR)
            }),
            ("be cut by a reader who opens it", &|| {
                opened(OFlags::RDONLY | OFlags::TRUNC)
            }),
            ("be cut by who had it open before", &|| {
                ftruncate(self.fd(), 1)
            }),
            ("get another mode", &|| fchmod(fd, Mode::RUSR)),
            ("get another owner", &|| {
                fchown(fd, Some(Uid::from_raw(4)), Some(Gid::from_raw(4)))
            }),
            ("get other times", &|| futimens(fd, &now)),
            ("get another attribute", &|| set(PLAIN_NAME, b"2")),
            ("lose an attribute", &|| fremovexattr(fd, PLAIN_NAME)),
            ("get another ACL", &|| set(ACL_NAME, &ACL)),
            ("lose its ACL", &|| fremovexattr(fd, ACL_NAME)),
            ("get other flags", &|| {
                told(ffi::inode_flags(fd).and_then(|f| ffi::set_inode_flags(fd, f ^ NO_DUMP)))
            }),
            ("get another project", &|| {
                told(ffi::set_project(fd, 4, None))
            }),
        ];
        for (what, way) in ways {
            match call("forbidden", way) {
                Err(Errno::PERM | Errno::ACCESS) => {}
                Err(Errno::OPNOTSUPP | Errno::NOTTY | Errno::NODATA | Errno::INVAL) => {}
                Ok(()) => return Ok(Some(what)),
                Err(errno) => return Err(SysError::new("try to change", self.path(), errno)),
            }
        }
        Ok(None)
    }
}

/// `FS_NODUMP_FL` of `linux/fs.h`, which no program obeys but `dump`.
const NO_DUMP: u32 = 0x40;
