//! A paper of ours that is read in places, because all of it would take much memory.

use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::papers::open_for_reading;
use crate::sys::{SysError, SysResult};

/// An open paper; what takes its place later is not seen.
#[derive(Debug)]
pub struct Paged {
    file: File,
    length: u64,
    path: PathBuf,
}

impl Paged {
    /// The paper at `path`.
    pub fn open(path: &Path) -> SysResult<Paged> {
        let file = open_for_reading(path)?.into_inner();
        let state = file
            .metadata()
            .map_err(|e| SysError::new("look at", path, e))?;
        Ok(Paged {
            file,
            length: state.len(),
            path: path.to_owned(),
        })
    }

    /// Is it still what is at its path?
    pub fn is_there(&self) -> bool {
        let there = std::fs::symlink_metadata(&self.path);
        let same = |there: Metadata, here: Metadata| {
            (there.dev(), there.ino()) == (here.dev(), here.ino())
        };
        there.is_ok_and(|there| self.file.metadata().is_ok_and(|here| same(there, here)))
    }

    /// Its bytes when it was opened.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// So many bytes from `at` on, all of them. More than the paper has are refused before there is room for them.
    pub fn read(&self, at: u64, length: usize) -> SysResult<Vec<u8>> {
        let failed = |e| SysError::new("read", &self.path, e);
        let end = at.checked_add(length as u64);
        if end.is_none_or(|end| end > self.length) {
            return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, at).map_err(failed)?;
        Ok(bytes)
    }
}
