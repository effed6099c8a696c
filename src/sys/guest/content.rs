//! Content: read, compared and copied by descriptor, a piece at a time. Never mapped: a guest that truncates a
//! mapped file would kill us. Holes are found by `SEEK_DATA` and stay holes.

use std::io;
use std::num::NonZeroU64;

use rustix::fs::{Advice, SeekFrom, fadvise, ftruncate, seek};
use rustix::io::{Errno, pwrite};

use crate::model::Digest;
use crate::sys::fault::call;
use crate::sys::hash::ContentHasher;
use crate::sys::{Regular, SysError, SysResult};

/// Bytes read at a time.
const PIECE: usize = 256 * 1024;

/// So much of a file is asked for before it is read; the rest the kernel reads ahead by itself.
const SOON: u64 = 1 << 20;

/// A stretch of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRange {
    /// Its first byte.
    pub from: u64,
    /// The byte after its last.
    pub to: u64,
}

impl Regular {
    /// SHA-256 of the first `size` bytes; holes are read as zeros. A file that ends before is an error, because it
    /// changed under us.
    pub fn digest(&self, size: u64) -> SysResult<Digest> {
        let mut hasher = ContentHasher::new();
        self.pieces(0, size, &mut |piece| hasher.update(piece))?;
        Ok(hasher.finish())
    }

    /// The first bytes, at most `limit`, at most up to `size`.
    pub fn beginning(&self, size: u64, limit: usize) -> SysResult<Vec<u8>> {
        let wanted = usize::try_from(size).unwrap_or(usize::MAX).min(limit);
        let mut buffer = vec![0; wanted];
        self.fill(&mut buffer, 0)?;
        Ok(buffer)
    }

    /// Exactly `buffer.len()` bytes at `offset`; a file that ends before is an error.
    pub fn piece(&self, offset: u64, buffer: &mut [u8]) -> SysResult<()> {
        self.fill(buffer, offset)
    }

    /// Are the first `size` bytes the same in both? Neither file may end before.
    pub fn same_content(&self, other: &Regular, size: u64) -> SysResult<bool> {
        let room = piece_length(0, size, PIECE);
        let (mut mine, mut theirs) = (vec![0; room], vec![0; room]);
        let mut at = 0;
        while at < size {
            let length = piece_length(at, size, PIECE);
            self.fill(&mut mine[..length], at)?;
            other.fill(&mut theirs[..length], at)?;
            if mine[..length] != theirs[..length] {
                return Ok(false);
            }
            at += length as u64;
        }
        Ok(true)
    }

    /// Where the first `size` bytes begin to differ; `None` where they are the same. Neither file may end before. What
    /// is a hole in both is not read: holes cost nothing to make.
    pub fn first_difference(&self, other: &Regular, size: u64) -> SysResult<Option<u64>> {
        let room = piece_length(0, size, PIECE);
        let (mut mine, mut theirs) = (vec![0; room], vec![0; room]);
        let mut at = 0;
        while let Some(data) = self.next_data_of_two(other, at, size)? {
            at = data.from;
            while at < data.to {
                let length = piece_length(at, data.to, PIECE);
                self.fill(&mut mine[..length], at)?;
                other.fill(&mut theirs[..length], at)?;
                let mut both = mine[..length].iter().zip(&theirs[..length]);
                if let Some(differs) = both.position(|(mine, theirs)| mine != theirs) {
                    return Ok(Some(at + differs as u64));
                }
                at += length as u64;
            }
        }
        Ok(None)
    }

    /// The next stretch that is no hole in one of the two.
    fn next_data_of_two(
        &self,
        other: &Regular,
        at: u64,
        size: u64,
    ) -> SysResult<Option<FileRange>> {
        let both = [self.next_data(at, size)?, other.next_data(at, size)?];
        Ok(both.into_iter().flatten().min_by_key(|data| data.from))
    }

    /// Copies the first `size` bytes of `self` into the empty file `into`, holes kept, and returns the digest of what
    /// was written. Metadata are not copied.
    pub fn copy_into(&self, into: &Regular, size: u64) -> SysResult<Digest> {
        self.copy_data_into(into, size)?;
        into.digest(size)
    }

    /// The same without reading what was written: the cost is that of the data, whatever the size.
    pub fn copy_data_into(&self, into: &Regular, size: u64) -> SysResult<()> {
        self.copy_data_watched(into, size, &mut || Ok(()))
    }

    /// The same, and `watch` is called for each piece of a megabyte at most; its error ends the copy.
    pub fn copy_data_watched(
        &self,
        into: &Regular,
        size: u64,
        watch: &mut dyn FnMut() -> SysResult<()>,
    ) -> SysResult<()> {
        into.set_length(size)?;
        let mut at = 0;
        while let Some(data) = self.next_data(at, size)? {
            self.copy_range_watched(into, data, watch)?;
            at = data.to;
        }
        Ok(())
    }

    /// Copies the bytes of a range to the same place of `into`, a file of ours; a file that ends before is an error.
    pub fn copy_range_into(&self, into: &Regular, from: u64, to: u64) -> SysResult<()> {
        self.copy_range_watched(into, FileRange { from, to }, &mut || Ok(()))
    }

    fn copy_range_watched(
        &self,
        into: &Regular,
        range: FileRange,
        watch: &mut dyn FnMut() -> SysResult<()>,
    ) -> SysResult<()> {
        let mut offset = range.from;
        self.try_pieces(range.from, range.to, &mut |piece| {
            watch()?;
            into.write_all_at(piece, offset)?;
            offset += piece.len() as u64;
            Ok(())
        })
    }

    /// Sets the length of a fresh file of ours, which has no data then: all of it is a hole.
    pub fn set_length(&self, size: u64) -> SysResult<()> {
        call("truncate", || ftruncate(self.fd(), size)).map_err(self.failed("set the size of"))
    }

    /// Tells the kernel that the content will be read soon: the kernel begins to bring in the first part, and the
    /// caller does not wait. Where the kernel drops what is read, it would not drop what comes so.
    pub fn expect_soon(&self, size: u64) {
        let size = if self.kernel_drops() { 0 } else { size };
        if let Some(length) = NonZeroU64::new(size.min(SOON)) {
            // Advice only.
            let _ = fadvise(self.fd(), 0, Some(length), Advice::WillNeed);
        }
    }

    /// Tells the kernel that the content will be read once, front to back.
    pub fn expect_sequential(&self) {
        // This is only advice: a file system that does not know it reads nevertheless.
        let _ = fadvise(self.fd(), 0, None, Advice::Sequential);
    }

    /// The next stretch of data between holes at or after `at`, up to `size`; `None` after the last one.
    pub fn next_data(&self, at: u64, size: u64) -> SysResult<Option<FileRange>> {
        if at >= size {
            return Ok(None);
        }
        let from = match call("seek", || seek(self.fd(), SeekFrom::Data(at))) {
            Ok(from) => from,
            Err(Errno::NXIO) => return Ok(None),
            Err(Errno::INVAL | Errno::OPNOTSUPP) => {
                return Ok(Some(FileRange { from: at, to: size }));
            }
            Err(errno) => return Err(self.failed("find data in")(errno)),
        };
        let to = call("seek", || seek(self.fd(), SeekFrom::Hole(from)))
            .map_err(self.failed("find a hole in"))?;
        let stretch = FileRange {
            from,
            to: to.min(size),
        };
        Ok((stretch.from < stretch.to).then_some(stretch))
    }

    fn pieces(&self, from: u64, to: u64, take: &mut dyn FnMut(&[u8])) -> SysResult<()> {
        self.try_pieces(from, to, &mut |piece| {
            take(piece);
            Ok(())
        })
    }

    fn try_pieces(
        &self,
        from: u64,
        to: u64,
        take: &mut dyn FnMut(&[u8]) -> SysResult<()>,
    ) -> SysResult<()> {
        let mut buffer = vec![0; piece_length(from, to, self.stride(0, PIECE))];
        let mut at = from;
        while at < to {
            let length = piece_length(at, to, self.stride(at, PIECE).min(buffer.len()));
            let piece = &mut buffer[..length];
            self.fill(piece, at)?;
            take(piece)?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// Reads exactly `buffer.len()` bytes at `offset`.
    fn fill(&self, buffer: &mut [u8], offset: u64) -> SysResult<()> {
        let mut done = 0;
        while done < buffer.len() {
            match call("read", || {
                self.read_at(&mut buffer[done..], offset + done as u64)
            }) {
                Ok(0) => {
                    return Err(SysError::new(
                        "read",
                        self.path(),
                        io::Error::from(io::ErrorKind::UnexpectedEof),
                    ));
                }
                Ok(length) => done += length,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.failed("read")(errno)),
            }
        }
        self.passed(offset + done as u64);
        Ok(())
    }

    /// Writes into a file of ours; never into one that a guest has.
    pub fn write_all_at(&self, bytes: &[u8], offset: u64) -> SysResult<()> {
        let mut done = 0;
        while done < bytes.len() {
            match call("write", || {
                pwrite(self.fd(), &bytes[done..], offset + done as u64)
            }) {
                Ok(0) => {
                    return Err(SysError::new(
                        "write",
                        self.path(),
                        io::Error::from(io::ErrorKind::WriteZero),
                    ));
                }
                Ok(length) => done += length,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.failed("write")(errno)),
            }
        }
        Ok(())
    }
}

fn piece_length(at: u64, end: u64, most: usize) -> usize {
    let left = usize::try_from(end.saturating_sub(at));
    left.unwrap_or(usize::MAX).min(most)
}
