//! Files of one run that were equal so far, a piece of each read at a time. What shares all its extents with the first
//! is equal to it unread.

use super::file::FileRef;
use super::probe::{DataPlace, Dropped, ProbedFile};
use crate::model::Fingerprint;
use crate::rules::reading::ReadOrder;
use crate::sys::guest::{BEGINNING, Sharing};
use crate::sys::hash::{ContentHasher, fingerprint};

/// Bytes that are compared at a time.
const PIECE: usize = 64 * 1024;

/// The same where a disk's head seeks between the files: as far as a disk reads in the time of some such seeks.
const LONG_PIECE: usize = 4 * 1024 * 1024;

/// Room for a piece of the first file and one of another; made once for many runs.
pub struct Buffers {
    /// Bytes of most pieces.
    usual: usize,
    first: Vec<u8>,
    other: Vec<u8>,
}

impl Buffers {
    pub fn new(order: ReadOrder) -> Buffers {
        let usual = match order {
            ReadOrder::Inodes => PIECE,
            ReadOrder::Places => LONG_PIECE,
        };
        Buffers {
            usual,
            first: vec![0; usual],
            other: vec![0; usual],
        }
    }

    /// Room for so much of both.
    fn pieces(&mut self, length: usize) -> (&mut [u8], &mut [u8]) {
        for buffer in [&mut self.first, &mut self.other] {
            buffer.resize(buffer.len().max(length), 0);
        }
        (&mut self.first[..length], &mut self.other[..length])
    }
}

/// Files that were equal so far; the first stands for all.
pub(super) struct EqualSoFar {
    pub files: Vec<OpenCandidate>,
    pub at: u64,
    pub hasher: ContentHasher,
    pub beginning: Fingerprint,
}

pub(super) struct OpenCandidate {
    pub which: FileRef,
    pub opened: ProbedFile,
    /// Where its data lie, where others may have them too.
    pub extents: Option<DataPlace>,
    /// Its data lie where those of a file lie that was read, and it was not.
    pub unread: bool,
}

impl EqualSoFar {
    /// Bytes of the next piece. The first is short in any case: most differ there if they do.
    fn stride(&self, size: u64, usual: usize) -> usize {
        let left = usize::try_from(size - self.at).unwrap_or(usize::MAX);
        // Of one owner, they are read in one way.
        let file = self.files.first().filter(|_| self.at > 0);
        let most = file.map_or(usual, |file| file.opened.stride(self.at, usual));
        left.min(most)
    }

    /// Reads the next piece of all; those that differ from the first become a class of their own, which begins at this
    /// piece again.
    pub fn step(
        &mut self,
        size: u64,
        buffers: &mut Buffers,
        dropped: &mut Vec<(FileRef, Dropped)>,
    ) -> Option<EqualSoFar> {
        let length = self.stride(size, buffers.usual);
        let (first, other) = buffers.pieces(length);
        let before = self.hasher.clone();
        let mut files = std::mem::take(&mut self.files).into_iter();
        for file in files.by_ref() {
            match file.opened.piece(self.at, first) {
                Ok(()) => {
                    self.files.push(file);
                    break;
                }
                Err(why) => dropped.push((file.which, why)),
            }
        }
        let mut differ = Vec::new();
        let extents = self.files.first().and_then(|leader| leader.extents);
        for mut file in files {
            if extents.is_some() && file.extents == extents {
                file.unread = true;
                self.files.push(file);
                continue;
            }
            match file.opened.piece(self.at, other) {
                Ok(()) if first == other => self.files.push(file),
                Ok(()) => differ.push(file),
                Err(why) => dropped.push((file.which, why)),
            }
        }
        self.hasher.update(first);
        if self.at == 0 {
            self.beginning = fingerprint(&first[..length.min(BEGINNING)]);
        }
        let at = self.at;
        self.at += length as u64;
        (!differ.is_empty()).then_some(EqualSoFar {
            files: differ,
            at,
            hasher: before,
            beginning: self.beginning,
        })
    }

    /// Do all data that were compared by their places lie there still, now that all was read?
    pub fn lies_still(&self, sharing: &Sharing) -> bool {
        let shared = self.files.iter().filter(|file| file.extents.is_some());
        let mut moved = shared.filter(|file| file.opened.shared_extents(sharing) != file.extents);
        moved.next().is_none()
    }
}
