//! Arguments that several commands share.

use std::path::PathBuf;

use crate::engine::{self, EngineError, Limits, PageCache};
use crate::model::Running;
use crate::report::layout::size::Sizes;

/// The base that a command looks at.
#[derive(Debug, clap::Args)]
pub(super) struct BaseArg {
    /// The base: the directory that holds the shared files
    #[arg(long, value_name = "DIR")]
    pub base: PathBuf,
}

/// How a result is written. A command that calls it otherwise in its help says so with `mut_arg`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct OutputArgs {
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Exact bytes instead of KiB and MiB
    #[arg(long)]
    pub bytes: bool,
}

impl OutputArgs {
    /// How sizes are written.
    pub(super) fn sizes(self) -> Sizes {
        Sizes { exact: self.bytes }
    }
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

/// Manners of a command that reads much.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct MannerArgs {
    /// Let others go first: lowest CPU priority, and the disk only when nobody else wants it
    #[arg(long)]
    background: bool,
    /// Leave large files that are read in the page cache; else those go from it again that were not in it (since Linux
    /// 6.5; `plan` of other users' files since 6.14, not on btrfs). The same for small ones, where `plan` reads so many
    /// that they are more than half of the memory
    #[arg(long)]
    keep_cache: bool,
}

impl MannerArgs {
    /// What becomes of pages that are read. Goes to the background at once where that is asked for: threads that
    /// are started later are in it, too.
    pub(super) fn take(self) -> Result<PageCache, EngineError> {
        if self.background {
            engine::go_to_background()?;
        }
        Ok(if self.keep_cache {
            PageCache::Keep
        } else {
            PageCache::AsItWas
        })
    }
}

impl LimitArgs {
    /// The limits; goes to the background at once where that is asked for.
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

/// What `--allow-running` says.
pub(super) fn running(allowed: bool) -> Running {
    match allowed {
        true => Running::Freeze,
        false => Running::Refuse,
    }
}
