//! Extended attributes by descriptor: ACLs, capabilities, labels and the user's own are all of them.

use std::ffi::CString;
use std::os::fd::AsFd;

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use rustix::io::Errno;

use crate::model::Xattr;
use crate::sys::fault::call;

/// Linux's own limits, `linux/limits.h`: names together 64 KiB, a value 64 KiB.
const MAX: usize = 65_536;

/// All attributes, sorted by name. Empty where the file system has none. Names that the file system
/// lists but does not hand out (`EOPNOTSUPP`) are an error: what cannot be compared must not be merged.
pub(super) fn read_all(fd: impl AsFd) -> Result<Vec<Xattr>, Errno> {
    let mut all = Vec::new();
    for name in names(&fd)? {
        let value = value(&fd, &name)?;
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
pub fn write_all(fd: impl AsFd, wanted: &[Xattr]) -> Result<(), Errno> {
    let present = read_all(&fd)?;
    for old in present
        .iter()
        .filter(|old| !wanted.iter().any(|new| new.name == old.name))
    {
        call("removexattr", || fremovexattr(&fd, old.name.as_slice()))?;
    }
    for new in wanted.iter().filter(|new| !present.contains(new)) {
        call("setxattr", || {
            fsetxattr(&fd, new.name.as_slice(), &new.value, XattrFlags::empty())
        })?;
    }
    Ok(())
}

/// Is there an attribute whose name begins so?
pub(super) fn has_any(fd: impl AsFd, beginnings: &[&[u8]]) -> bool {
    let begins = |name: &CString| {
        let mut all = beginnings.iter();
        all.any(|beginning| name.as_bytes().starts_with(beginning))
    };
    names(fd).is_ok_and(|names| names.iter().any(begins))
}

fn names(fd: impl AsFd) -> Result<Vec<CString>, Errno> {
    let mut small = [0; 256];
    let list = match call("listxattr", || flistxattr(&fd, &mut small)) {
        Ok(length) => small[..length].to_vec(),
        Err(Errno::RANGE) => {
            let mut large = vec![0; MAX];
            let length = flistxattr(&fd, &mut large)?;
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

fn value(fd: impl AsFd, name: &CString) -> Result<Vec<u8>, Errno> {
    let mut small = [0; 256];
    match call("getxattr", || fgetxattr(&fd, name, &mut small)) {
        Ok(length) => Ok(small[..length].to_vec()),
        Err(Errno::RANGE) => {
            let mut large = vec![0; MAX];
            let length = fgetxattr(&fd, name, &mut large)?;
            large.truncate(length);
            Ok(large)
        }
        Err(errno) => Err(errno),
    }
}
