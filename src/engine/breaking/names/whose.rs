//! Whose write it is. What is written to decides before who writes: a name of the object that lies in a guest is that
//! guest's, whoever has come to it. Where the name is not known by its directory, it is the guest in which the writer
//! lives, by its root; and where that is no guest, the one to which its cgroup was seen to belong.

use std::collections::HashMap;

use crate::engine::breaking::request::WriterAsked;
use crate::model::{FileId, GuestPath};

/// More cgroups than any host has at once; then it is learned anew.
const MOST: usize = 1 << 16;

/// The guest of each cgroup in which a writer was; `None` where there were writers of several, or of none.
#[derive(Debug, Default)]
pub(in crate::engine::breaking) struct Cgroups(HashMap<u64, Option<usize>>);

/// A guest, and the name that is written to, where that is known.
pub(in crate::engine::breaking) type NameWritten = (usize, Option<GuestPath>);

impl Cgroups {
    /// `known` is the guest whose name it is; `roots` are the roots of all guests.
    pub fn whose(
        &mut self,
        asked: &WriterAsked,
        known: Option<NameWritten>,
        roots: &HashMap<FileId, usize>,
    ) -> Option<NameWritten> {
        if known.is_some() {
            return known;
        }
        let (ground, cgroups) = (&asked.ground, &asked.request.cgroups);
        let lives_in = ground.iter().find_map(|dir| roots.get(dir).copied());
        if !ground.is_empty() {
            self.learn(cgroups, lives_in);
        }
        let by_cgroup = || {
            let mut known = cgroups.iter().filter_map(|id| self.0.get(id)?.as_ref());
            known.next().copied()
        };
        lives_in.or_else(by_cgroup).map(|guest| (guest, None))
    }

    fn learn(&mut self, cgroups: &[u64], guest: Option<usize>) {
        if self.0.len() > MOST {
            self.0.clear();
        }
        for id in cgroups {
            let known = self.0.entry(*id).or_insert(guest);
            if *known != guest {
                *known = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_of_two_guests_says_nothing() {
        let mut cgroups = Cgroups::default();
        cgroups.learn(&[7, 9], Some(1));
        cgroups.learn(&[8, 9], Some(2));
        assert_eq!(cgroups.0.get(&7), Some(&Some(1)));
        assert_eq!(cgroups.0.get(&9), Some(&None));
        cgroups.learn(&[9], Some(2));
        assert_eq!(cgroups.0.get(&9), Some(&None));
    }
}
