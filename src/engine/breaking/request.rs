//! A request on its way through the daemon.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::line::asker::Asker;
use crate::model::{DeniedOnce, FileId};
use crate::sys::guard::WriteRequest;

/// A request as it is handed to the bases on its file system.
#[derive(Debug, Clone)]
pub(super) struct WriterAsked {
    pub request: WriteRequest,
    pub since: Instant,
    /// The bases that may have the object: the last one that has it not answers.
    pub others: Arc<OtherBases>,
    /// The root of the writer and what is above it, read while it was sure to wait; empty where it does not.
    pub ground: Arc<[FileId]>,
    /// Whose share of the daemon it takes.
    pub asker: Asker,
    /// What is known of why it does not wait.
    pub once: Option<DeniedOnce>,
}

/// Bases of one file system that were asked the same.
#[derive(Debug)]
pub(super) struct OtherBases {
    /// How many have not said yet that it is not theirs.
    left: AtomicUsize,
    /// Why one has not looked at it.
    unseen: OnceLock<String>,
}

/// Why a base does not look at one more.
pub(super) const TOO_MANY: &str = "too many writes of its guest wait for an answer";

impl OtherBases {
    pub fn of(bases: usize) -> OtherBases {
        OtherBases {
            left: AtomicUsize::new(bases),
            unseen: OnceLock::new(),
        }
    }

    /// One has it not. Where that was the last one: why it is denied.
    pub fn not_mine(&self) -> Option<String> {
        let is_last = self.left.fetch_sub(1, Ordering::AcqRel) == 1;
        let why = || match self.unseen.get() {
            Some(why) => why.clone(),
            None => "no base that is known has this object".to_owned(),
        };
        is_last.then(why)
    }

    /// One does not look at it, and why.
    pub fn refuse(&self, why: &str) -> Option<String> {
        self.unseen.get_or_init(|| why.to_owned());
        self.not_mine()
    }
}

impl WriterAsked {
    /// Is it the same, asked again? Who waits asks again from time to time; who does not is denied as often as he
    /// tries.
    pub fn is_same(&self, other: &WriterAsked) -> bool {
        let (a, b) = (&self.request, &other.request);
        match (a.waits, b.waits) {
            (true, true) => (a.thread, a.number) == (b.thread, b.number),
            (false, false) => {
                (a.inode, a.generation, a.parent, &a.last_name, a.stale)
                    == (b.inode, b.generation, b.parent, &b.last_name, b.stale)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::engine::breaking::line::asker::AskedBy;
    use crate::sys::guard::WriteKind;

    /// A request of this thread.
    pub fn asked(thread: u32) -> WriterAsked {
        let request = WriteRequest {
            inode: FileId { dev: 1, ino: 2 },
            generation: 0,
            cgroups: Vec::new(),
            thread,
            process: thread,
            number: 1,
            attempt: 1,
            by: WriteKind::Open,
            waits: true,
            stale: false,
            command: Vec::new(),
            parent: None,
            last_name: Vec::new(),
        };
        WriterAsked {
            request,
            since: Instant::now(),
            others: Arc::new(OtherBases::of(1)),
            ground: Arc::new([]),
            asker: Asker {
                by: AskedBy::Cgroup(0),
                part: 0,
            },
            once: None,
        }
    }

    #[test]
    fn the_last_base_answers() {
        let bases = OtherBases::of(3);
        assert_eq!((bases.not_mine(), bases.refuse(TOO_MANY)), (None, None));
        assert!(
            bases
                .not_mine()
                .is_some_and(|why| why.starts_with("too many"))
        );
        assert!(
            OtherBases::of(1)
                .not_mine()
                .is_some_and(|why| why.starts_with("no base"))
        );
    }

    #[test]
    fn who_does_not_wait_asks_the_same_by_any_thread() {
        let (mut a, mut b) = (asked(1), asked(2));
        assert!(!a.is_same(&b) && a.is_same(&a.clone()));
        a.request.waits = false;
        assert!(!a.is_same(&b));
        b.request.waits = false;
        assert!(a.is_same(&b));
        b.request.last_name = b"other".to_vec();
        assert!(!a.is_same(&b));
    }
}
