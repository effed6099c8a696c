//! Where the names of a batch are exchanged, with the record of what is lifted for it.

use std::sync::Arc;

use super::journal::JournalFile;
use crate::base::{Base, Run};
use crate::model::ObjectId;
use crate::protect::{Lifted, NameStep};
use crate::sys::SysResult;

/// Where the names of a batch are exchanged, and the record of what is lifted for it.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub base: &'a Base,
    pub run: &'a Run,
    pub journal: &'a JournalFile,
    /// Called for each name that gets on: somebody may wait for many.
    pub pulse: &'a dyn Fn(),
}

impl Ground<'_> {
    /// Lifts what keeps names of an object from being removed.
    pub fn lift(&self, object: &ObjectId) -> SysResult<Option<Lifted>> {
        match self.base.object(object)? {
            Some(file) => self
                .journal
                .lift(object, Arc::new(file), &[NameStep::Unlink]),
            None => Ok(None),
        }
    }
}
