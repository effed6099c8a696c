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

/// Who asks, and which part of that it is: within a share each part has its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine::breaking) struct Asker {
    pub by: AskedBy,
    /// The cgroup below the uppermost one; 0 where there is none, and for guests.
    pub part: u64,
}

impl Asker {
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
