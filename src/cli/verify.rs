//! `unify verify`

use std::io;
use std::path::{Path, PathBuf};

use super::args::select::SelectArgs;
use super::args::{MannerArgs, meant};
use super::terminal::exit::{Exit, Failure};
use super::terminal::screen::Screen;
use super::terminal::voice::tell_fitted;
use crate::engine::{self, PlanFile, Readers};
use crate::report::{scrub, verify};

/// Prove from the disk that every applied action of a plan holds
///
/// Same inode as the object, content and metadata as the object's name says, flags set, nothing left in staging. Lists
/// every difference and exits with 6 if there is one, or if nothing of the plan is applied.
///
/// With --base, and without a plan, every object of the base is read again: for each that is damaged, every name that
/// reaches it is listed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plan that was applied; `-` is standard input
    #[arg(conflicts_with = "base")]
    plan: Option<PathBuf>,
    /// Read all objects of this base again
    #[arg(long, value_name = "DIR")]
    base: Option<PathBuf>,
    /// With --base: only objects that were not read since; an age (30d, 12h), a date or RFC 3339
    #[arg(long, value_name = "WHEN", requires = "base", value_parser = moment)]
    since: Option<i64>,
    /// At most so many threads; default: as many as there are cores. On a rotating disk one of them reads objects,
    /// whatever is given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    #[command(flatten)]
    manners: MannerArgs,
    /// All differences, of which otherwise 20 are shown
    #[arg(long)]
    all: bool,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    select: SelectArgs,
}

const WHAT: &str = "name the plan that was applied (unify verify PLAN), or a base of which every shared file is read again (unify verify --base DIR)";

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let readers = Readers {
        cache: args.manners.take()?,
        jobs: args.jobs.map(usize::from),
    };
    let selection = args.select.take()?;
    let mut plan = match (&args.plan, &args.base) {
        (Some(plan), _) => PlanFile::open(plan)?,
        (None, Some(_)) if !selection.is_all() => {
            let why =
                "--base reads all objects, whatever plan they are of: give selectors with a plan";
            return Err(Failure::Usage(why.into()));
        }
        (None, Some(base)) => return scrub(&meant(base), readers, args),
        (None, None) => return Err(Failure::Usage(WHAT.into())),
    };
    let screen = Screen::new();
    engine::to_reading(&screen);
    let found = engine::verify(&mut plan, &selection, readers, &screen)?;
    let unread = screen.has_unread() || !found.owners_unknown.is_empty();
    let exit = match found.differences.is_empty() && !found.is_nothing_applied() {
        true => Exit::Done.if_all_read(unread),
        false => Exit::Differs,
    };
    if args.json {
        verify::json(&found, &mut io::stdout().lock())?;
    } else {
        tell_fitted(exit, args.all, |listing, out| {
            verify::text(&found, listing, out)
        })?;
    }
    Ok(exit)
}

fn scrub(base: &Path, readers: Readers, args: &Args) -> Result<Exit, Failure> {
    let stop = engine::stop_on_signals()?;
    let screen = Screen::new();
    engine::to_scrubbing(base, &screen)?;
    let found = engine::scrub(base, args.since, readers, &screen, &stop)?;
    let exit = match (found.differences.is_empty(), found.interrupted) {
        (false, _) => Exit::Differs,
        (true, true) => Exit::stopped(&stop),
        (true, false) => Exit::Done.if_all_read(screen.has_unread()),
    };
    if args.json {
        scrub::json(&found, &mut io::stdout().lock())?;
    } else {
        tell_fitted(exit, args.all, |listing, out| {
            scrub::text(&found, listing, out)
        })?;
    }
    Ok(exit)
}

fn moment(text: &str) -> Result<i64, String> {
    engine::moment(text).ok_or_else(|| "neither an age like 30d or 12h nor a date".into())
}
