//! Inode flags and projects of files without extended attributes: few differ, so that a file notes a number.

use indexmap::IndexSet;

use super::probe::Plain;

/// All that were met.
#[derive(Debug, Default)]
pub(super) struct Plains(IndexSet<(u32, u32)>);

impl Plains {
    /// More kinds than the files of a host have. Files of further kinds are looked at again by the next plan.
    pub const MOST: usize = 2000;

    /// From 1 on; 0 stands for none.
    pub fn number(&mut self, plain: Plain) -> u32 {
        let known = |plain| match self.0.get_index_of(&plain) {
            None if self.0.len() < Plains::MOST => Some(self.0.insert_full(plain).0),
            known => known,
        };
        let at = plain.and_then(known);
        at.and_then(|at| u32::try_from(at + 1).ok()).unwrap_or(0)
    }

    /// What has this number.
    pub fn get(&self, number: u32) -> Plain {
        self.0.get_index(number.checked_sub(1)? as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_for_what_was_met() {
        let mut plains = Plains::default();
        let most = u32::try_from(Plains::MOST).unwrap();
        for _ in 0..2 {
            for kind in 0..most {
                let number = plains.number(Some((kind, 7)));
                assert_eq!(plains.get(number), Some((kind, 7)));
            }
        }
        for none in [None, Some((most, 7))] {
            let number = plains.number(none);
            assert_eq!((number, plains.get(number)), (0, None));
        }
    }
}
