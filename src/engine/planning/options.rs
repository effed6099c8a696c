//! What a plan is made of.

use std::path::PathBuf;

use crate::engine::{GuestArg, ImageArg};
use crate::model::{GuestName, Policy, Protect};
use crate::sys::PageCache;

/// What a plan is made of.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// The guests that are directories.
    pub guests: Vec<GuestArg>,
    /// Those that are images: only for an audit.
    pub images: Vec<ImageArg>,
    /// The base, which need not exist. `None` for an audit: nothing is tried or written anywhere, the guests may be on
    /// any file systems, and nothing can be applied from the plan.
    pub base: Option<PathBuf>,
    /// How objects shall be protected; nobody asks for an audit.
    pub protect: Protect,
    /// All other choices.
    pub policy: Policy,
    /// The guest whose maintenance ends with this plan. Of others that are being maintained nothing is linked.
    pub refreezes: Option<GuestName>,
    /// Shall this process, once the guests are open, give up for good what [`plan`] does not need? Not for a process
    /// that wants to do anything else afterwards, or that has other threads: those are not confined.
    pub confine: bool,
    /// Shall the base be asked what earlier plans have read, and remember what this one reads?
    pub cache: bool,
    /// Most threads that work; `None` is as many as there are cores.
    pub jobs: Option<usize>,
    /// What becomes of the pages of large files that are read.
    pub page_cache: PageCache,
}
