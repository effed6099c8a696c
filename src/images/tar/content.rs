//! The content of an entry: as it is in the archive, or as it is in the file, holes as zeros.

use std::io::{self, Read};

use super::entry::{SparseMap, TarEntry, TarKind};
use super::reader::{EntryResult, PIECE, TarReader};
use crate::images::fault::{BadEntry, ImageFault};

impl<'r> TarReader<'r> {
    /// The content of the current entry, which is this one, as it is in the archive.
    pub fn stored(&mut self) -> StoredContent<'_, 'r> {
        StoredContent(self)
    }

    /// Hands on the content of the current entry, which is this one, holes as zeros.
    pub fn content(
        &mut self,
        entry: &TarEntry,
        take: &mut dyn FnMut(&[u8]) -> EntryResult<()>,
    ) -> Result<(), ImageFault> {
        let handed = self.hand_on(entry, take);
        handed.map_err(|why| self.fault(why))
    }

    fn hand_on(
        &mut self,
        entry: &TarEntry,
        take: &mut dyn FnMut(&[u8]) -> EntryResult<()>,
    ) -> EntryResult<()> {
        let TarKind::File { size, stored, map } = &entry.kind else {
            return Ok(());
        };
        let holes = size.saturating_sub(*stored);
        self.budget.borrow_mut().content(*size, holes)?;
        let length = usize::try_from(*size).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; length];
        let Some(SparseMap(map)) = map else {
            return self.pass(*size, &mut piece, take);
        };
        let mut at = 0;
        for stretch in map {
            zeros(stretch.offset - at, take)?;
            self.pass(stretch.length, &mut piece, take)?;
            at = stretch.offset + stretch.length;
        }
        zeros(size - at, take)
    }

    fn pass(
        &mut self,
        mut length: u64,
        piece: &mut [u8],
        take: &mut dyn FnMut(&[u8]) -> EntryResult<()>,
    ) -> EntryResult<()> {
        while length > 0 {
            let most = usize::try_from(length).unwrap_or(usize::MAX);
            let most = most.min(piece.len());
            let read = self.piece(&mut piece[..most])?;
            if read == 0 {
                return Err(BadEntry::CutShort);
            }
            take(&piece[..read])?;
            length -= read as u64;
        }
        Ok(())
    }
}

fn zeros(mut length: u64, take: &mut dyn FnMut(&[u8]) -> EntryResult<()>) -> EntryResult<()> {
    const ZEROS: [u8; 16 * 1024] = [0; 16 * 1024];
    while length > 0 {
        let piece = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(ZEROS.len());
        take(&ZEROS[..piece])?;
        length -= piece as u64;
    }
    Ok(())
}

/// The content of an entry as a stream.
pub struct StoredContent<'a, 'r>(&'a mut TarReader<'r>);

impl Read for StoredContent<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let TarReader {
            left,
            input,
            carried,
            budget,
            ..
        } = &mut *self.0;
        let in_time = budget.borrow().in_time();
        in_time.map_err(|why| io::Error::other(why.to_string()))?;
        let most = usize::try_from(*left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let mut both = (&mut *carried).chain(&mut **input);
        let read = both.read(&mut buffer[..most])?;
        if read == 0 && most > 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        *left -= read as u64;
        Ok(read)
    }
}
