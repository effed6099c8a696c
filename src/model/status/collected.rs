//! What `gc` came to.

use serde::Serialize;

use crate::model::Spoiled;

/// The answer of `unify gc`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Objects without a name in any guest, removed (or to be removed with `--dry-run`).
    pub objects: u64,
    /// What comes back with these: their allocated bytes, without blocks that others share.
    pub bytes: u64,
    /// Objects that are in use and stay.
    pub kept: u64,
    /// Files under the guard that have no name any more and are open or mounted, so that their marks stay until a later
    /// `unify gc`.
    pub still_open: u64,
    /// Objects that were changed while they were not protected.
    pub spoiled: Vec<Spoiled>,
    /// Papers of old runs, where these were asked for.
    pub papers: Option<PapersGone>,
}

/// Papers of old runs that `unify gc --keep-runs` removed (or would remove with `--dry-run`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PapersGone {
    /// Runs of which nothing is left: no name that they linked is shared.
    #[serde(rename = "gone_runs")]
    pub runs: u64,
    /// Runs of which the journal alone went: names that they linked are shared.
    #[serde(rename = "needed_runs")]
    pub needed: u64,
    /// Allocated bytes of all these papers.
    pub bytes: u64,
}
