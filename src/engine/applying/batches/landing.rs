//! What becomes of a batch that was proven: its names are exchanged, or it is said what would become of its lines.

use std::collections::BTreeSet;

use crate::base::{Base, Run};
use crate::engine::Guest;
use crate::engine::exchange::journal::JournalFile;
use crate::engine::records::object_set::ObjectSet;
use crate::model::{GuestName, Header, Protect};
use crate::sys::guest::Sharing;

/// What becomes of a batch.
pub enum AfterProof<'a> {
    /// Its names are exchanged.
    Execute {
        run: &'a Run,
        journal: &'a mut JournalFile,
    },
    /// Nothing. These objects would have been made by batches before.
    Rehearse(ObjectSet),
}

/// What the loop is about, whether it changes anything or not.
pub struct LoopWorld<'a> {
    pub base: &'a Base,
    pub header: &'a Header,
    /// How objects are protected.
    pub mode: Protect,
    pub guests: &'a [Guest],
    /// Guests whose names are left as they are, because they are being maintained.
    pub maintained: &'a BTreeSet<GuestName>,
    /// Most names of an inode of this file system.
    pub max_links: u64,
    /// Can files here share blocks?
    pub sharing: &'a Sharing,
    /// Are all objects protected that the plan makes, wherever their flag lines stand?
    pub protects_all: bool,
    /// Was a line changed or added by hand? Then nothing is believed of what else only the plan says.
    pub is_edited: bool,
}
