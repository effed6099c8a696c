//! What all steps after the survey look at, and none changes.

use std::path::PathBuf;

use super::options::PlanOptions;
use super::shared_inodes::SharedInodes;
use super::survey::Survey;
use crate::base::{Base, Index};
use crate::engine::threads::Threads;
use crate::model::{FileId, Policy, Protect};
use crate::rules::care::Care;
use crate::rules::crossing::Crossing;
use crate::sys::guest::Sharing;

/// What is known of guests and base before the content of any file is read.
pub struct Evidence<'a> {
    pub options: &'a PlanOptions,
    pub care: &'a Care,
    pub surveys: &'a [Survey],
    /// Most names that an object may have.
    pub max_links: u64,
    pub base: Option<&'a Base>,
    pub index: &'a Index,
    /// Inodes that guests share already.
    pub shared: &'a SharedInodes,
    /// Bases that were seen near the guests, without this one.
    pub other_bases: &'a [PathBuf],
    /// How objects will be protected.
    pub mode: Protect,
    pub crossing: &'a Crossing,
    /// Files that the host swaps to.
    pub swap: &'a [FileId],
    /// Can files of this file system share blocks?
    pub sharing: &'a Sharing,
    pub threads: &'a Threads,
    /// Are near misses kept one by one?
    pub keeps_misses: bool,
}

impl Evidence<'_> {
    /// The choices of the user.
    pub fn policy(&self) -> &Policy {
        &self.options.policy
    }
}
