//! What in an inode can protect it: flags, and the seal of fs-verity. Each is read back once it is set, because a file
//! system may say yes and do nothing.

use rustix::fs::{IFlags, futimens, ioctl_getflags, ioctl_setflags};
use rustix::io::{Errno, pwrite};

use super::only_mtime;
use crate::model::{UNLINKABLE_FLAG, VERITY_FLAG};
use crate::sys::fault::call;
use crate::sys::{Regular, SysResult, ffi};

impl Regular {
    /// Is the immutable flag set, as the file system says?
    pub fn is_immutable(&self) -> SysResult<bool> {
        Ok(Regular::means_immutable(self.flags()?))
    }

    /// Is the immutable flag among these?
    pub fn means_immutable(flags: u32) -> bool {
        flags & IFlags::IMMUTABLE.bits() != 0
    }

    /// Are both flags among these that make an inode immutable but unlinkable? Either alone forbids to remove a name.
    pub fn means_unlinkable(flags: u32) -> bool {
        Regular::means_immutable(flags) && flags & UNLINKABLE_FLAG != 0
    }

    /// Is the inode sealed, by these flags?
    pub fn means_sealed(flags: u32) -> bool {
        flags & VERITY_FLAG != 0
    }

    /// Sets or clears the immutable flag, alone, and keeps all others.
    pub fn set_immutable(&self, on: bool) -> SysResult<()> {
        self.change_protecting(IFlags::IMMUTABLE.bits(), UNLINKABLE_FLAG, on)
    }

    /// Sets or clears both flags of VServer, in one call, and keeps all others.
    pub fn set_unlinkable(&self, on: bool) -> SysResult<()> {
        self.change_protecting(IFlags::IMMUTABLE.bits() | UNLINKABLE_FLAG, 0, on)
    }

    fn change_protecting(&self, which: u32, without: u32, on: bool) -> SysResult<()> {
        let told = |errno| {
            let what = if on {
                "set the immutable flag of"
            } else {
                "clear the immutable flag of"
            };
            self.failed(what)(errno)
        };
        let old =
            call("getflags", || ioctl_getflags(self.fd())).map_err(self.failed("read flags of"))?;
        let mut new = old;
        new.set(IFlags::from_bits_retain(which), on);
        new.remove(IFlags::from_bits_retain(without));
        if new != old {
            call("setflags", || ioctl_setflags(self.fd(), new)).map_err(told)?;
        }
        let wanted = if on { which } else { 0 };
        if self.flags()? & which == wanted {
            Ok(())
        } else {
            Err(self.failed("change the immutable flag of")(
                Errno::OPNOTSUPP,
            ))
        }
    }

    /// Gives a scratch file of ours some content.
    pub fn be_written_once(&self) -> SysResult<()> {
        call("write", || pwrite(self.fd(), b"sealed", 0))
            .map(drop)
            .map_err(self.failed("write to"))
    }

    /// Seals the content for good: nobody can write to it, nor take that off. Nobody may have it open for writing. File
    /// systems give it a new time then, as if it had been written to; it gets its own back.
    pub fn seal(&self) -> SysResult<()> {
        let reader = self.reopen()?;
        let mtime = self.state()?.mtime;
        match call("verity", || ffi::enable_verity(reader.fd())) {
            Ok(()) => {
                call("times", || futimens(reader.fd(), &only_mtime(mtime)))
                    .map_err(self.failed("set the times of"))?;
            }
            // It is sealed.
            Err(error) if error.raw_os_error() == Some(Errno::EXIST.raw_os_error()) => {}
            Err(error) => return Err(self.failed("seal")(error)),
        }
        if Regular::means_sealed(self.flags()?) {
            Ok(())
        } else {
            Err(self.failed("seal")(Errno::OPNOTSUPP))
        }
    }
}
