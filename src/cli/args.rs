//! Arguments that several commands share.

use std::path::PathBuf;

use crate::engine::{self, EngineError, Limits};

/// The base that a command looks at.
#[derive(Debug, clap::Args)]
pub(super) struct BaseArg {
    /// The base: the directory that holds the shared files
    #[arg(long, value_name = "DIR")]
    pub base: PathBuf,
}

/// How far and how fast a run may go.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct LimitArgs {
    /// End after so many actions; the same command goes on from there
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_actions: Option<u64>,
    /// End as soon as so many actions were refused or failed
    #[arg(long, value_name = "N")]
    max_failures: Option<u64>,
    /// At most so many names a second
    #[arg(long, value_name = "NAMES", value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
    /// Let others go first: lowest CPU priority, and the disk only when nobody else wants it
    #[arg(long, conflicts_with = "allow_running")]
    background: bool,
}

impl LimitArgs {
    /// What they say; takes the background at once where that is asked for.
    pub(super) fn take(self) -> Result<Limits, EngineError> {
        if self.background {
            engine::go_to_background()?;
        }
        Ok(Limits {
            max_actions: self.max_actions,
            max_failures: self.max_failures,
            rate: self.rate,
        })
    }
}
