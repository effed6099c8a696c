//! Extended attributes: ACLs, capabilities, labels and the user's own are all of them. They are asked of a descriptor
//! or, where that only stands for a name, of the link to it in `/proc`, which leads to the very inode and nowhere
//! else.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd};

use rustix::fs::{
    XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr, getxattr, listxattr, removexattr,
    setxattr,
};
use rustix::io::Errno;

use crate::model::Xattr;
use crate::sys::fault::call;

/// Linux's own limits, `linux/limits.h`: names together 64 KiB, a value 64 KiB.
const MAX: usize = 65_536;

/// What has attributes.
pub(super) trait HasXattrs {
    /// Names, each with a NUL behind it.
    fn list(&self, into: &mut [u8]) -> Result<usize, Errno>;
    fn get(&self, name: &CString, into: &mut [u8]) -> Result<usize, Errno>;
    fn set(&self, name: &[u8], value: &[u8]) -> Result<(), Errno>;
    fn remove(&self, name: &[u8]) -> Result<(), Errno>;
}

impl<F: AsFd> HasXattrs for F {
    fn list(&self, into: &mut [u8]) -> Result<usize, Errno> {
        flistxattr(self, into)
    }

    fn get(&self, name: &CString, into: &mut [u8]) -> Result<usize, Errno> {
        fgetxattr(self, name, into)
    }

    fn set(&self, name: &[u8], value: &[u8]) -> Result<(), Errno> {
        fsetxattr(self, name, value, XattrFlags::empty())
    }

    fn remove(&self, name: &[u8]) -> Result<(), Errno> {
        fremovexattr(self, name)
    }
}

/// A descriptor that opens nothing (`O_PATH`): the calls on descriptors refuse it.
pub(super) struct ByName(String);

impl ByName {
    pub fn of(name: impl AsFd) -> ByName {
        ByName(format!("/proc/self/fd/{}", name.as_fd().as_raw_fd()))
    }
}

impl HasXattrs for ByName {
    fn list(&self, into: &mut [u8]) -> Result<usize, Errno> {
        listxattr(&self.0, into)
    }

    fn get(&self, name: &CString, into: &mut [u8]) -> Result<usize, Errno> {
        getxattr(&self.0, name, into)
    }

    fn set(&self, name: &[u8], value: &[u8]) -> Result<(), Errno> {
        setxattr(&self.0, name, value, XattrFlags::empty())
    }

    fn remove(&self, name: &[u8]) -> Result<(), Errno> {
        removexattr(&self.0, name)
    }
}

/// All attributes, sorted by name. Empty where the file system has none. Names that the file system
/// lists but does not hand out (`EOPNOTSUPP`) are an error: what cannot be compared must not be merged.
pub(super) fn read_all(of: &impl HasXattrs) -> Result<Vec<Xattr>, Errno> {
    let mut all = Vec::new();
    for name in names(of)? {
        let value = value(of, &name)?;
        all.push(Xattr {
            name: name.into_bytes(),
            value,
        });
    }
    all.sort();
    Ok(all)
}

/// Makes the attributes of a fresh file exactly these. What the file was born with (a default ACL, a label)
/// and should not have is removed.
pub fn write_all(of: &impl HasXattrs, wanted: &[Xattr]) -> Result<(), Errno> {
    let present = read_all(of)?;
    for old in present
        .iter()
        .filter(|old| !wanted.iter().any(|new| new.name == old.name))
    {
        call("removexattr", || of.remove(&old.name))?;
    }
    for new in wanted.iter().filter(|new| !present.contains(new)) {
        call("setxattr", || of.set(&new.name, &new.value))?;
    }
    Ok(())
}

/// Is there an attribute whose name begins so?
pub(super) fn has_any(of: &impl HasXattrs, beginnings: &[&[u8]]) -> bool {
    let begins = |name: &CString| {
        let mut all = beginnings.iter();
        all.any(|beginning| name.as_bytes().starts_with(beginning))
    };
    names(of).is_ok_and(|names| names.iter().any(begins))
}

fn names(of: &impl HasXattrs) -> Result<Vec<CString>, Errno> {
    let mut small = [0; 256];
    let list = match call("listxattr", || of.list(&mut small)) {
        Ok(length) => small[..length].to_vec(),
        Err(Errno::RANGE) => {
            let mut large = vec![0; MAX];
            let length = of.list(&mut large)?;
            large.truncate(length);
            large
        }
        Err(Errno::OPNOTSUPP) => Vec::new(),
        Err(errno) => return Err(errno),
    };
    Ok(list
        .split(|&b| b == 0)
        .filter(|name| !name.is_empty())
        .filter_map(|name| CString::new(name).ok())
        .collect())
}

fn value(of: &impl HasXattrs, name: &CString) -> Result<Vec<u8>, Errno> {
    let mut small = [0; 256];
    match call("getxattr", || of.get(name, &mut small)) {
        Ok(length) => Ok(small[..length].to_vec()),
        Err(Errno::RANGE) => {
            let mut large = vec![0; MAX];
            let length = of.get(name, &mut large)?;
            large.truncate(length);
            Ok(large)
        }
        Err(errno) => Err(errno),
    }
}
