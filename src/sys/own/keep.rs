//! A file of our own that has no name, to which bytes are added and from which they are read again.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{MemfdFlags, memfd_create};

use super::papers::nameless;
use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// Bytes for later. They go when it goes.
#[derive(Debug)]
pub struct ByteStore {
    file: File,
}

impl ByteStore {
    /// An empty one, in the directory for such files; in memory where none can be made there. To be made before
    /// anything hostile is read: afterwards no file can be opened for writing any more.
    pub fn new() -> SysResult<ByteStore> {
        let place = std::env::temp_dir();
        let file = match nameless(&place) {
            Ok(file) => file,
            Err(_) => {
                let file = call("memfd", || memfd_create(c"unify", MemfdFlags::CLOEXEC));
                let failed = |e| SysError::new("make a file in", Path::new("memory"), e);
                file.map_err(failed)?.into()
            }
        };
        Ok(ByteStore { file })
    }

    /// Writes bytes at a place.
    pub fn put(&self, bytes: &[u8], at: u64) -> SysResult<()> {
        call("write", || self.file.write_all_at(bytes, at))
            .map_err(|e| SysError::new("write", "a file without a name", e))
    }

    /// Reads exactly so many bytes from a place.
    pub fn get(&self, at: u64, length: usize) -> SysResult<Vec<u8>> {
        let mut bytes = vec![0; length];
        call("read", || self.file.read_exact_at(&mut bytes, at))
            .map_err(|e| SysError::new("read", "a file without a name", e))?;
        Ok(bytes)
    }
}
