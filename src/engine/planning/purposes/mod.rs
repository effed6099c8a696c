//! What becomes of everything that was decided: a plan is written, or somebody looks at it while the guests are open.

pub mod seen;
pub mod writing;

use std::path::Path;

use super::choose::Choices;
use super::classify::Classified;
use super::evidence::Evidence;
use super::near_misses::Miss;
use crate::engine::EngineError;
use crate::model::Header;
use crate::rules::totals::SummaryBuilder;

/// What a command wants of a plan.
pub trait Purpose {
    /// Are near misses wanted one by one? They take memory.
    const KEEPS_MISSES: bool;
    /// What comes of it.
    type Made;

    /// Opens what will be written, before any byte of a guest is read and while this process may open anything.
    /// Nothing may be written within `places`: guests and base.
    fn prepare(&mut self, places: &[&Path]) -> Result<(), EngineError>;

    /// Where files that were opened get their names.
    fn renames_in(&self) -> Vec<&Path>;

    /// Uses it.
    fn finish(
        self,
        found: &Evidence<'_>,
        header: Header,
        decided: Decided<'_>,
    ) -> Result<Self::Made, EngineError>;
}

/// A decision for every file, and what they come to.
pub struct Decided<'a> {
    pub classified: Vec<Classified>,
    pub choices: Choices<'a>,
    pub sum: SummaryBuilder,
    /// Near misses one by one, where they are kept.
    pub misses: Vec<Miss>,
}
