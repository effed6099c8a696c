//! Arguments that several commands share.

pub(super) mod code;
pub(super) mod select;

use std::path::PathBuf;
use std::time::Duration;

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

/// What is done about guests that run.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct FreezeArgs {
    /// Freeze guests that run for the moments in which their names are exchanged (cgroup v2)
    #[arg(long)]
    allow_running: bool,
    /// How long guests should stand still at a time: batches are as large as fits on this disk; default: 100ms. A file
    /// of more than 2.5 GiB for every second of it is not linked while a guest would have to be frozen for it
    #[arg(long, value_name = "DURATION", value_parser = freeze_time, requires = "allow_running")]
    max_freeze: Option<Duration>,
}

impl FreezeArgs {
    /// What the options say.
    pub(super) fn running(self) -> Running {
        match (self.allow_running, self.max_freeze) {
            (false, _) => Running::Refuse,
            (true, None) => Running::FREEZE,
            (true, Some(at_most)) => Running::Freeze { at_most },
        }
    }
}

/// `100ms`, `2s`: from a millisecond to a minute.
fn freeze_time(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time from 1ms to 60s, such as 250ms or 2s".to_owned();
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').ok_or_else(wrong)?, 1000),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let ms = number.checked_mul(unit).ok_or_else(wrong)?;
    match ms {
        1..=60_000 => Ok(Duration::from_millis(ms)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_bounds() {
        let ms = |text| freeze_time(text).ok().map(|time| time.as_millis());
        assert_eq!(ms("100ms"), Some(100));
        assert_eq!(ms("2s"), Some(2000));
        for wrong in [
            "",
            "100",
            "0ms",
            "61s",
            "-1s",
            "1.5s",
            "s",
            "ms",
            "99999999999999999999s",
        ] {
            assert_eq!(ms(wrong), None, "{wrong}");
        }
    }
}
