//! Which files have the parts that others have as well, by where these lie on the device.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::GuestPath;
use crate::sys::guest::SharedPart;

/// What comes after so many parts of all files is left alone.
const MOST_OF_ALL: usize = 1 << 22;

/// A file that was looked at: its guest, and its first name.
pub(super) type OwnerName = (usize, GuestPath);

/// A part lies at one place in two files where both its place on the device and the distance to that in the file are
/// the same; and files of one guest are not told apart.
type PartKey = (usize, u64, u64);

/// The files of each guest that have a part first.
#[derive(Default)]
pub(super) struct PartOwners {
    /// No two parts of one guest, with one distance, overlap.
    parts: BTreeMap<PartKey, OwnedPart>,
    files: Vec<OwnerName>,
}

#[derive(Clone, Copy)]
struct OwnedPart {
    /// Where it ends on the device.
    to: u64,
    file: u32,
}

impl PartOwners {
    /// Which files of a guest have some of these parts.
    pub(super) fn of(&self, guest: usize, parts: &[SharedPart]) -> BTreeSet<u32> {
        let met = parts.iter().flat_map(|part| self.within(guest, part));
        met.map(|(_, owned)| owned.file).collect()
    }

    pub(super) fn file(&self, number: u32) -> Option<&OwnerName> {
        self.files.get(number as usize)
    }

    /// Remembers what no file of the guest had before. False where there are too many.
    pub(super) fn put(&mut self, name: &OwnerName, parts: &[SharedPart]) -> bool {
        let Ok(file) = u32::try_from(self.files.len()) else {
            return false;
        };
        let (guest, mut is_new) = (name.0, false);
        for part in parts {
            for (from, to) in self.free(guest, part) {
                if self.parts.len() >= MOST_OF_ALL {
                    return false;
                }
                if !is_new {
                    self.files.push(name.clone());
                    is_new = true;
                }
                let key = (guest, distance(part), from);
                self.parts.insert(key, OwnedPart { to, file });
            }
        }
        true
    }

    /// Where the part lies that no file of the guest has.
    fn free(&self, guest: usize, part: &SharedPart) -> Vec<(u64, u64)> {
        let (mut free, mut at) = (Vec::new(), part.place);
        for (from, owned) in self.within(guest, part) {
            if from > at {
                free.push((at, from));
            }
            at = at.max(owned.to);
        }
        let to = end(part);
        free.extend((at < to).then_some((at, to)));
        free
    }

    fn within(
        &self,
        guest: usize,
        part: &SharedPart,
    ) -> impl Iterator<Item = (u64, OwnedPart)> + use<'_> {
        let key = |place| (guest, distance(part), place);
        let (from, to) = (part.place, end(part));
        let before = self.parts.range(key(0)..key(from)).next_back();
        let before = before.filter(move |(_, owned)| owned.to > from);
        let inside = self.parts.range(key(from)..key(to));
        let all = before.into_iter().chain(inside);
        all.map(|((_, _, place), owned)| (*place, *owned))
    }
}

fn distance(part: &SharedPart) -> u64 {
    part.place.wrapping_sub(part.at)
}

fn end(part: &SharedPart) -> u64 {
    part.place.saturating_add(part.length)
}
