//! What a promise of room does not say by its number.

use serde::{Deserialize, Serialize};

/// Bytes that a promise is not sure of, or that are won without it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caveats {
    /// Not in [`Totals::saves`](super::Totals::saves): blocks of files to be linked that other files or snapshots have
    /// as well, and that come back only when those go, too. Each file counts by itself.
    #[serde(skip_serializing_if = "super::is_zero", default)]
    pub shared_blocks: u64,
    /// In [`Totals::saves`](super::Totals::saves), and an upper bound: compressed, or on a file system that does not
    /// tell what is shared.
    #[serde(skip_serializing_if = "super::is_zero", default)]
    pub unsure: u64,
    /// Room of copies that objects are made from, whose files share blocks and may leave them in use.
    #[serde(skip_serializing_if = "super::is_zero", default)]
    pub copied: u64,
    /// Objects of the base that no name refers to now and that files get: what they take stands in
    /// [`Totals::saves`](super::Totals::saves), and would come back by `unify gc` as well.
    #[serde(skip_serializing_if = "super::is_zero", default)]
    pub unused_objects: u64,
}

impl Caveats {
    /// Is the promise as plain as it can be?
    pub fn is_empty(&self) -> bool {
        *self == Caveats::default()
    }

    /// Adds those of other lines.
    pub fn add(&mut self, other: Caveats) {
        let Caveats {
            shared_blocks,
            unsure,
            copied,
            unused_objects,
        } = other;
        for (sum, more) in [
            (&mut self.shared_blocks, shared_blocks),
            (&mut self.unsure, unsure),
            (&mut self.copied, copied),
            (&mut self.unused_objects, unused_objects),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}
