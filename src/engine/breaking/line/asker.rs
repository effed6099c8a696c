//! Who asks. It decides whose share of the daemon a request takes, and nothing else: not whose write it is.

use std::collections::HashMap;

use crate::model::FileId;
use crate::sys::guard::WriteRequest;

/// Who has a share: all that a guest asks is one guest's, however many cgroups it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::engine::breaking) enum AskedBy {
    /// The guest of this root.
    Guest(FileId),
    /// The uppermost cgroup of a writer that lives in no guest that is known here, or that hides it. Guests do not make
    /// these, but several may lie in one, such as `machine.slice`.
    Cgroup(u64),
}

/// Who asks, and which part of that it is: within a share each part has its turn and its place, for guests of which no
/// root is known may be parts of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::engine::breaking) struct Asker {
    pub by: AskedBy,
    /// The cgroup below the uppermost one; 0 where there is none, and for guests.
    pub part: u64,
}

/// Parts of one that asks have this part of what is done at once, at most: it may have made them itself.
const OF_ALL: usize = 2;

impl Asker {
    /// May one more be begun for it, of `most` at once? One for each; `others` are those for which one is under way.
    pub fn may_begin(&self, others: impl Iterator<Item = Asker>, most: usize) -> bool {
        let others: Vec<Asker> = others.collect();
        let parts = others.iter().filter(|other| other.by == self.by).count();
        others.len() < most && !others.contains(self) && parts < (most / OF_ALL).max(1)
    }

    /// `ground` are the directories in which a writer that waits lives, the nearest first. The number of a process that
    /// does not wait may be another's by now: it is known by its cgroups alone.
    pub fn of(request: &WriteRequest, ground: &[FileId], roots: &HashMap<FileId, usize>) -> Asker {
        if let Some(root) = ground.iter().find(|dir| roots.contains_key(dir)) {
            return Asker {
                by: AskedBy::Guest(*root),
                part: 0,
            };
        }
        let mut above = request.cgroups.iter().rev();
        let top = above.next().copied().unwrap_or(0);
        Asker {
            by: AskedBy::Cgroup(top),
            part: above.find(|id| **id != top).copied().unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_have_half_of_what_is_done_at_once() {
        let asker = |by, part| Asker {
            by: AskedBy::Cgroup(by),
            part,
        };
        let may = |asked: Asker, others: &[Asker]| asked.may_begin(others.iter().copied(), 4);
        let begun = [asker(1, 1), asker(1, 2), asker(2, 0)];
        assert!(may(asker(1, 2), &begun[..1]) && may(asker(3, 1), &begun));
        assert!(!may(asker(1, 1), &begun[..1]), "one for each");
        assert!(!may(asker(1, 3), &begun), "it has half of them");
        assert!(!may(asker(4, 0), &[begun, [asker(3, 0); 3]].concat()[..4]));
    }
}
