//! Directories in which names were seen, by their inodes: whoever renames one, or what is above it, changes where it is
//! and not which one it is. A hint: what is in it, the disk is asked.

use std::collections::HashMap;

use crate::model::GuestPath;
use crate::sys::guard::InodeMark;

/// So many are kept; then they are learned anew.
const MOST: usize = 1 << 14;

/// By the guest's number and the place.
#[derive(Debug, Default)]
pub(in crate::engine::breaking) struct Directories(HashMap<(usize, GuestPath), InodeMark>);

impl Directories {
    /// The directory at `place` is this one.
    pub fn learn(&mut self, guest: usize, place: GuestPath, directory: InodeMark) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert((guest, place), directory);
    }

    /// The directory in which this name was seen.
    pub fn of(&self, guest: usize, name: &GuestPath) -> Option<InodeMark> {
        self.0.get(&(guest, name.parent())).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FileId;

    #[test]
    fn not_all_of_a_guest_s_directories_are_kept() {
        let mut known = Directories::default();
        let mark = InodeMark {
            inode: FileId { dev: 1, ino: 1 },
            generation: 0,
        };
        for at in 0..=MOST {
            let path = GuestPath::new(format!("/{at}").as_bytes()).expect("a path");
            known.learn(0, path, mark);
        }
        assert_eq!(known.0.len(), 1);
    }
}
