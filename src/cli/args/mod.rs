//! Arguments that several commands share.

pub(super) mod code;
pub(super) mod select;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::terminal::exit::{Exit, Failure};
use super::terminal::manner::manner;
use super::terminal::voice::remark;
use crate::engine::{self, EngineError, Limits, PageCache};
use crate::model::{Escaped, Running};
use crate::report::layout::size::Sizes;

/// The base that a command looks at.
#[derive(Debug, clap::Args)]
pub(super) struct BaseArg {
    /// The base: the directory that holds the shared files. Default: what UNIFY_BASE says, else the one `.unify` that
    /// is at or above the current directory
    #[arg(long, value_name = "DIR")]
    base: Option<PathBuf>,
}

impl BaseArg {
    /// The base that is meant.
    pub(super) fn find(&self) -> Result<PathBuf, EngineError> {
        self.find_near(&[])
    }

    /// The same for a command that is given directories: it is looked for at and above these.
    pub(super) fn find_near(&self, places: &[PathBuf]) -> Result<PathBuf, EngineError> {
        match named_base(self.base.as_deref()) {
            Some(base) => Ok(base),
            None => engine::base_near(places).inspect(|base| found(base)),
        }
    }
}

/// The base of a command that a timer runs on every host.
#[derive(Debug, clap::Args)]
pub(super) struct PerhapsBaseArg {
    #[command(flatten)]
    base: BaseArg,
    /// Where there is no base yet, say nothing and exit with 0
    #[arg(long, help_heading = "For scripts")]
    if_base_exists: bool,
}

impl PerhapsBaseArg {
    /// The base that is meant, which is looked for at and above these directories, or the current one; `None` where
    /// there is none yet, and none is needed.
    pub(super) fn find_near(&self, places: &[PathBuf]) -> Result<Option<PathBuf>, EngineError> {
        if !self.if_base_exists {
            return self.base.find_near(places).map(Some);
        }
        match named_base(self.base.base.as_deref()) {
            Some(base) => Ok(Some(base).filter(|base| engine::is_there(base))),
            None => Ok(engine::any_base_near(places)?.inspect(|base| found(base))),
        }
    }
}

/// The answer where there is no base yet: nothing for people.
pub(super) fn no_base() -> Result<Exit, Failure> {
    if manner().json {
        crate::report::answer::error::no_base(&mut io::stdout().lock())?;
    }
    Ok(Exit::Done)
}

/// A base that nobody has named is told.
fn found(base: &Path) {
    remark(&format!("unify: base {}", Escaped::of(base)));
}

/// The base that is named by an option, or else in the environment: the directory, or the `.unify` in it where that is
/// the base.
pub(super) fn named_base(option: Option<&Path>) -> Option<PathBuf> {
    let environment = || std::env::var_os("UNIFY_BASE").filter(|base| !base.is_empty());
    let named = option.map(Path::to_owned);
    let named = named.or_else(|| environment().map(PathBuf::from))?;
    Some(meant(&named))
}

/// This directory, or the `.unify` in it where that is the base.
pub(super) fn meant(named: &Path) -> PathBuf {
    let meant = engine::base_at(named);
    if meant != named {
        found(&meant);
    }
    meant
}

/// The words of this command, the program by its name.
pub(super) fn this_command() -> Vec<OsString> {
    let words = std::env::args_os().skip(1);
    std::iter::once("unify".into()).chain(words).collect()
}

/// The same without what makes it a dry run, and without what makes its answer JSON. Words after `--` are another
/// command's.
pub(super) fn this_command_for_real() -> Vec<OsString> {
    for_real(this_command())
}

fn for_real(mut words: Vec<OsString>) -> Vec<OsString> {
    let own = words.iter().position(|word| word == "--");
    let others = words.split_off(own.unwrap_or(words.len()));
    words.retain(|word| word != "--dry-run" && word != "--json");
    [words, others].concat()
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
#[derive(Debug, Clone, Copy, Default, clap::Args)]
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

/// Permission bits of a plan, in octal: its owner reads and writes it, others may read it, a group may write it.
pub(super) fn plan_mode(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    let mode = u32::from_str_radix(digits, 8).map_err(|_| "expected octal digits, such as 0640")?;
    match mode {
        _ if mode & !0o666 != 0 => {
            Err("a plan is read and written, and nothing else: 0600 to 0664".into())
        }
        _ if mode & 0o600 != 0o600 => {
            Err("its owner must be able to read and write it: 06..".into())
        }
        _ if mode & 0o002 != 0 => {
            Err("everybody could change what apply will do: not for others to write".into())
        }
        _ => Ok(mode),
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
    fn what_another_command_is_told_stays() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        let real = |line| for_real(words(line));
        let want = words("unify maintain a -- tool --json");
        assert_eq!(
            real("unify maintain --json --dry-run a -- tool --json"),
            want
        );
        assert_eq!(real("unify undo --json --dry-run"), words("unify undo"));
    }

    #[test]
    fn a_plan_may_be_read_by_others_and_not_written() {
        let mode = |text| plan_mode(text).ok();
        assert_eq!(mode("0640"), Some(0o640));
        assert_eq!(mode("644"), Some(0o644));
        assert_eq!(mode("0660"), Some(0o660));
        for wrong in ["", "0666", "0040", "0755", "4600", "0680", "-1", "u=rw"] {
            assert_eq!(mode(wrong), None, "{wrong}");
        }
    }

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
