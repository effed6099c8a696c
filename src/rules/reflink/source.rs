//! Whose blocks the files of a group get, and which files get none.
//!
//! The source is the file whose blocks serve best: in few pieces, for each of the others would lie in as many; then
//! one that can give and not get, for the others can come to it, and it to none of them; then
//! where most of the group lie already, for those have nothing to do; then one whose blocks come back least, such as
//! that of a snapshot. Of equals it is the first, so that one plan is made of one state of the disk.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use crate::model::{DataKind, Digest, FileBlocks, FileId, SkipReason};
use crate::rules::choose::FEW;

/// A file of a group of equal content.
#[derive(Debug, Clone, Copy)]
pub struct BlockOwner {
    /// Whose it is: the number of its guest.
    pub guest: u32,
    /// Which inode: one that several guests have is shared once.
    pub inode: FileId,
    /// What its extent map says.
    pub blocks: FileBlocks,
    /// It gets no other blocks, but others may have its: it is immutable, or a hard link takes it.
    pub is_immutable: bool,
    /// It is in use as swap.
    pub is_swap: bool,
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockFate {
    /// Others get its blocks.
    Source,
    /// It gets the blocks of the source.
    Shares,
    /// It is left alone.
    Left(SkipReason),
}

/// Decides for the files of one group. Without `within` a content that only one guest has is left alone.
pub fn choose_source(files: &[BlockOwner], within: bool) -> Vec<BlockFate> {
    let fit: Vec<usize> = (0..files.len())
        .filter(|at| unfit(&files[*at]).is_none())
        .collect();
    let guests: HashSet<u32> = fit.iter().map(|at| files[*at].guest).collect();
    let left = |reason| move |file: &BlockOwner| BlockFate::Left(unfit(file).unwrap_or(reason));
    if fit.len() < 2 {
        return files.iter().map(left(SkipReason::Unique)).collect();
    }
    if guests.len() < 2 && !within {
        return files.iter().map(left(SkipReason::OwnGuest)).collect();
    }
    let at_place = count_places(files, &fit);
    let source = fit
        .iter()
        .copied()
        .min_by_key(|at| rank(&files[*at], &at_place));
    let Some(source) = source else {
        return files.iter().map(left(SkipReason::Unique)).collect();
    };
    let mut met = HashSet::from([files[source].inode]);
    let mut fates: Vec<BlockFate> = Vec::with_capacity(files.len());
    for (at, file) in files.iter().enumerate() {
        fates.push(match unfit(file) {
            _ if at == source => BlockFate::Source,
            Some(reason) => BlockFate::Left(reason),
            None if !met.insert(file.inode) => BlockFate::Left(SkipReason::BlocksShared),
            None => fate(file, &files[source], &at_place),
        });
    }
    if !fates.contains(&BlockFate::Shares) {
        let is_shared = fates.contains(&BlockFate::Left(SkipReason::BlocksShared));
        fates[source] = BlockFate::Left(match is_shared {
            true => SkipReason::BlocksShared,
            false => SkipReason::Unique,
        });
    }
    fates
}

/// What keeps a file from giving and from getting blocks.
fn unfit(file: &BlockOwner) -> Option<SkipReason> {
    match file.blocks.data {
        _ if file.is_swap => Some(SkipReason::SwapFile),
        DataKind::Blocks => None,
        DataKind::Inline => Some(SkipReason::InlineData),
        DataKind::None => Some(SkipReason::NoData),
        DataKind::TooMany => Some(SkipReason::TooFragmented),
    }
}

/// How many files of the group lie at each place.
fn count_places(files: &[BlockOwner], fit: &[usize]) -> HashMap<Digest, usize> {
    let mut places = HashMap::new();
    for place in fit.iter().filter_map(|at| files[*at].blocks.place) {
        *places.entry(place).or_default() += 1;
    }
    places
}

/// The least is the source.
fn rank(file: &BlockOwner, at_place: &HashMap<Digest, usize>) -> (u32, bool, Reverse<usize>, u64) {
    let FileBlocks {
        pieces,
        place,
        room,
        ..
    } = file.blocks;
    let together = place.and_then(|place| at_place.get(&place).copied());
    (
        pieces.unwrap_or(FEW).max(FEW),
        !file.is_immutable,
        Reverse(together.unwrap_or(1)),
        room.own,
    )
}

/// What becomes of a file beside this source. One that shares all of its blocks with others than these gives nothing
/// back; where several of the group lie together, all of them may.
fn fate(file: &BlockOwner, source: &BlockOwner, at_place: &HashMap<Digest, usize>) -> BlockFate {
    let FileBlocks { place, room, .. } = file.blocks;
    if place.is_some() && place == source.blocks.place {
        return BlockFate::Left(SkipReason::BlocksShared);
    }
    let alone = place.is_none_or(|place| at_place.get(&place).is_none_or(|files| *files < 2));
    if room.own == 0 && room.shared > 0 && alone {
        return BlockFate::Left(SkipReason::BlocksShared);
    }
    match file.is_immutable {
        true => BlockFate::Left(SkipReason::ImmutableFile),
        false => BlockFate::Shares,
    }
}

#[cfg(test)]
mod tests {
    use super::BlockFate::{Left, Shares, Source};
    use super::*;
    use crate::model::DiskRoom;
    use SkipReason as R;

    /// In so many pieces, at a place, with so many bytes of its own.
    fn file(guest: u32, pieces: u32, place: u8, own: u64) -> BlockOwner {
        let shared = if own == 0 { 4096 } else { 0 };
        BlockOwner {
            guest,
            inode: FileId {
                dev: 1,
                ino: u64::from(guest) * 100 + u64::from(place),
            },
            blocks: FileBlocks {
                room: DiskRoom {
                    own,
                    unsure: 0,
                    shared,
                },
                data: DataKind::Blocks,
                pieces: Some(pieces),
                place: Some(Digest([place; 32])),
            },
            is_immutable: false,
            is_swap: false,
        }
    }

    fn of(files: &[BlockOwner]) -> Vec<BlockFate> {
        choose_source(files, false)
    }

    #[test]
    fn the_first_of_equals_is_the_source() {
        let files = [file(0, 1, 1, 9), file(1, 2, 2, 9), file(2, 1, 3, 9)];
        assert_eq!(of(&files), [Source, Shares, Shares]);
    }

    #[test]
    fn the_file_in_fewest_pieces_is_the_source() {
        let files = [file(0, 90, 1, 9), file(1, 7, 2, 9), file(2, 30, 3, 9)];
        assert_eq!(of(&files), [Shares, Source, Shares]);
    }

    #[test]
    fn what_is_shared_already_stays_so_and_promises_nothing() {
        let mut files = vec![file(0, 1, 1, 9), file(1, 1, 2, 0), file(2, 1, 2, 0)];
        assert_eq!(of(&files), [Shares, Source, Left(R::BlocksShared)]);
        files.remove(0);
        assert_eq!(of(&files), [Left(R::BlocksShared); 2]);
        // The first has its blocks in common with a snapshot: the other comes to it.
        assert_eq!(of(&[file(0, 1, 1, 9), file(1, 1, 2, 0)]), [Shares, Source]);
        assert_eq!(
            of(&[file(0, 1, 1, 0), file(1, 1, 2, 0)]),
            [Left(R::BlocksShared); 2]
        );
        // Two that lie together give their blocks back when both go.
        let files = [
            file(0, 1, 1, 0),
            file(1, 1, 1, 0),
            file(2, 1, 1, 0),
            file(3, 1, 2, 0),
            file(4, 1, 2, 0),
        ];
        let shared = Left(R::BlocksShared);
        assert_eq!(of(&files), [Source, shared, shared, Shares, Shares]);
    }

    #[test]
    fn one_inode_is_shared_once() {
        let mut again = file(1, 1, 2, 9);
        again.guest = 2;
        let files = [file(0, 1, 1, 9), file(1, 1, 2, 9), again];
        // Two names at one place: that is where most lie.
        assert_eq!(of(&files), [Shares, Source, Left(R::BlocksShared)]);
    }

    #[test]
    fn what_only_one_guest_has_is_left_unless_it_is_asked_for() {
        let files = [file(0, 1, 1, 9), file(0, 1, 2, 9)];
        assert_eq!(of(&files), [Left(R::OwnGuest); 2]);
        assert_eq!(choose_source(&files, true), [Source, Shares]);
        let files = [files[0], files[1], file(1, 1, 3, 9)];
        assert_eq!(of(&files), [Source, Shares, Shares]);
    }

    #[test]
    fn what_cannot_be_shared_says_why_and_is_no_source() {
        let plain = [file(2, 1, 8, 9), file(3, 1, 9, 9)];
        let with = |change: fn(&mut BlockOwner)| {
            let mut odd = file(0, 1, 1, 9);
            change(&mut odd);
            of(&[odd, plain[0], plain[1]])[0]
        };
        assert_eq!(
            with(|f| f.blocks.data = DataKind::Inline),
            Left(R::InlineData)
        );
        assert_eq!(with(|f| f.blocks.data = DataKind::None), Left(R::NoData));
        assert_eq!(
            with(|f| f.blocks.data = DataKind::TooMany),
            Left(R::TooFragmented)
        );
        assert_eq!(with(|f| f.is_swap = true), Left(R::SwapFile));
        // It gives its blocks, and gets none.
        assert_eq!(with(|f| f.is_immutable = true), Source);
        let mut fixed = file(0, 9, 1, 9);
        fixed.is_immutable = true;
        assert_eq!(
            of(&[fixed, plain[0]]),
            [Left(R::ImmutableFile), Left(R::Unique)]
        );
        assert_eq!(of(&[]), []);
        assert_eq!(of(&plain[..1]), [Left(R::Unique)]);
    }
}
