//! The two digests of a plan, made while its lines go by: what would be done here (`content`), and what was decided,
//! wherever the guests are (`decision`). People approve one or the other.
//!
//! Every text has its length in front and every line its kind, so that no two lists of actions have one encoding.

mod content;
mod decision;
mod encoding;

use crate::model::{Action, Header, PlanDigest, PlannedGuest};
use crate::sys::hash::ContentHasher;

/// The digests of the lines so far.
pub(super) struct PlanHashes {
    content: ContentHasher,
    decision: ContentHasher,
}

/// What the digests cover of some lines: made anywhere, by many threads at once.
#[derive(Default)]
pub(super) struct Covered {
    content: Vec<u8>,
    decision: Vec<u8>,
}

impl PlanHashes {
    /// Of no line yet: what the header and the guests say.
    pub fn new(header: &Header, guests: &[PlannedGuest]) -> PlanHashes {
        let mut hashes = PlanHashes {
            content: ContentHasher::new(),
            decision: ContentHasher::new(),
        };
        hashes.take(&Covered {
            content: content::start(header, guests),
            decision: decision::start(header, guests),
        });
        hashes
    }

    /// Takes in the next line.
    pub fn add(&mut self, action: &Action) {
        let mut covered = Covered::default();
        covered.add(action);
        self.take(&covered);
    }

    /// Takes in the next lines.
    pub fn take(&mut self, covered: &Covered) {
        self.content.update(&covered.content);
        self.decision.update(&covered.decision);
    }

    /// The digests of all lines.
    pub fn finish(&self) -> PlanDigest {
        PlanDigest {
            content: self.content.clone().finish(),
            decision: Some(self.decision.clone().finish()),
        }
    }
}

impl Covered {
    /// Of so many lines, with room for most of them.
    pub fn of_about(lines: usize) -> Covered {
        Covered {
            content: Vec::with_capacity(lines * 256),
            decision: Vec::with_capacity(lines * 256),
        }
    }

    /// What is covered of one more line. Skips leave no trace.
    pub fn add(&mut self, action: &Action) {
        content::add(action, &mut self.content);
        decision::add(action, &mut self.decision);
    }
}
