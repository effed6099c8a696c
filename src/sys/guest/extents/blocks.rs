//! The blocks of a file, told from its extent map: how many pieces they are in, whether files lie at one place, and
//! what of them comes back.
//!
//! A map tells of what is on the disk. What a program has written a moment ago may not be there yet, and such a file is
//! written first: nothing but the time of that is changed by it.

use std::io;

use super::{AT_ONCE, DELAYED, ENCODED, INLINE, MOST, SHARED, UNALIGNED, UNKNOWN, UNWRITTEN};
use crate::model::{DataKind, DiskRoom, FileBlocks};
use crate::sys::Regular;
use crate::sys::ffi::DiskExtent;
use crate::sys::hash::ContentHasher;

/// No file system that shares blocks has smaller ones: what is counted is never too much.
const BLOCK: u64 = 4096;

/// What was seen of a map so far.
struct WalkedMap {
    hasher: ContentHasher,
    /// The piece that goes on, perhaps.
    piece: Option<DiskExtent>,
    pieces: u32,
    plain: u64,
    unsure: u64,
    shared: u64,
    /// Does somebody know where all of the data lie?
    is_placed: bool,
    /// Data end here, in whole blocks.
    end: u64,
}

impl Regular {
    /// The blocks of this file of so many bytes, of which so many are allocated.
    pub fn blocks(&self, size: u64, allocated: u64) -> FileBlocks {
        let told = match self.walk_map(size, false) {
            Ok(Walk::Unsettled) => self.walk_map(size, true),
            told => told,
        };
        let of = |data| FileBlocks {
            data,
            ..FileBlocks::untold(allocated)
        };
        match told {
            Ok(Walk::Told(walked)) => walked.blocks(allocated),
            Ok(Walk::Inline) => of(DataKind::Inline),
            Ok(Walk::TooMany) => of(DataKind::TooMany),
            Ok(Walk::Unsettled) => FileBlocks {
                room: DiskRoom::unsure(allocated),
                ..of(DataKind::Blocks)
            },
            Err(_) => of(DataKind::Blocks),
        }
    }

    fn walk_map(&self, size: u64, sync: bool) -> io::Result<Walk> {
        let (mut walked, mut from, mut count) = (WalkedMap::of(size), 0, 0);
        loop {
            let some = self.extents_from(from, sync)?;
            for extent in &some {
                if extent.flags & INLINE != 0 {
                    return Ok(Walk::Inline);
                }
                if extent.flags & (DELAYED | UNKNOWN) != 0 {
                    return Ok(Walk::Unsettled);
                }
                walked.take(*extent);
            }
            count += some.len();
            let next = some
                .last()
                .and_then(|last| last.logical.checked_add(last.length));
            match next.filter(|next| *next > from && some.len() == AT_ONCE) {
                None => return Ok(Walk::Told(Box::new(walked.finish()))),
                Some(_) if count > MOST => return Ok(Walk::TooMany),
                Some(next) => from = next,
            }
        }
    }
}

/// What a map comes to.
enum Walk {
    Told(Box<WalkedMap>),
    Inline,
    /// Something of it is not on the disk yet.
    Unsettled,
    TooMany,
}

impl WalkedMap {
    fn of(size: u64) -> WalkedMap {
        WalkedMap {
            hasher: ContentHasher::new(),
            piece: None,
            pieces: 0,
            plain: 0,
            unsure: 0,
            shared: 0,
            is_placed: true,
            end: size.checked_next_multiple_of(BLOCK).unwrap_or(size),
        }
    }

    /// What is set aside for data, and what lies behind them, is not given back.
    fn take(&mut self, mut extent: DiskExtent) {
        let length = self.end.saturating_sub(extent.logical).min(extent.length);
        if extent.flags & UNWRITTEN != 0 || length == 0 {
            return;
        }
        extent.length = length;
        let sum = match extent.flags {
            flags if flags & SHARED != 0 => &mut self.shared,
            flags if flags & ENCODED != 0 => &mut self.unsure,
            _ => &mut self.plain,
        };
        *sum = sum.saturating_add(length);
        self.is_placed &= extent.flags & UNALIGNED == 0;
        match &mut self.piece {
            Some(piece) if goes_on(piece, &extent) => {
                piece.length = piece.length.saturating_add(length);
            }
            _ => {
                self.end_piece();
                self.piece = Some(extent);
            }
        }
    }

    fn end_piece(&mut self) {
        if let Some(piece) = self.piece.take() {
            let numbers = [piece.logical, piece.physical, piece.length].map(u64::to_le_bytes);
            self.hasher.update(numbers.as_flattened());
            self.pieces = self.pieces.saturating_add(1);
        }
    }

    fn finish(mut self) -> WalkedMap {
        self.end_piece();
        self
    }

    fn blocks(self, allocated: u64) -> FileBlocks {
        let own = self.plain.saturating_add(self.unsure).min(allocated);
        FileBlocks {
            room: DiskRoom {
                own,
                unsure: self.unsure.min(own),
                shared: self.shared,
            },
            data: match self.pieces {
                0 => DataKind::None,
                _ => DataKind::Blocks,
            },
            pieces: Some(self.pieces),
            place: self.is_placed.then(|| self.hasher.finish()),
        }
    }
}

/// Is the second the continuation of the first, in the file and on the device? The place of what is encoded is that of
/// a whole piece.
fn goes_on(piece: &DiskExtent, next: &DiskExtent) -> bool {
    let ends = |from: u64| from.checked_add(piece.length);
    (piece.flags | next.flags) & ENCODED == 0
        && ends(piece.logical) == Some(next.logical)
        && ends(piece.physical) == Some(next.physical)
}
