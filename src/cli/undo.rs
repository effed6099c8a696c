//! `unify undo`

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;

use super::apply::{exit, report};
use super::args::{BaseArg, FreezeArgs, LimitArgs, OutputArgs};
use super::terminal::confirm::agreed;
use super::terminal::exit::{Exit, Failure, say};
use super::terminal::screen::Screen;
use crate::engine::{GuestArg, ReadyToUndo, UndoOptions, WhichRuns, stop_on_signals};
use crate::model::GuestName;
use crate::report::layout::size::{counted, iec};
use crate::report::words::chose_nothing;

/// Give names a private inode again, with the content and metadata that they have
///
/// Inode number, change time and birth time cannot come back. The room that came back is needed again.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("json", |json| json.help("Print the result as JSON on standard output")),
    after_help = "Examples:\n  unify undo --base /srv/guests/.unify --run last\n  unify undo --base /srv/guests/.unify --run all --guest web1 --path '/usr/lib/python3/**'\n  unify undo --base /srv/guests/.unify --run all --guest web1=/srv/guests/web1 --guest web2=/srv/guests/web2"
)]
pub(super) struct Args {
    #[command(flatten)]
    base: BaseArg,
    /// What to undo: `last` (the last apply that still has names), `all`, or a run's name
    #[arg(long, value_name = "RUN", value_parser = which)]
    run: WhichRuns,
    /// Only this guest; may be given several times. With `=PATH` (and `--run all`) its names are found by a walk of
    /// that directory, also those that no receipt tells of; give all guests so that share with it
    #[arg(long, value_name = "NAME[=PATH]", value_parser = guest)]
    guest: Vec<WantedGuest>,
    /// Only files with a name that this glob matches, in all guests or, as GUEST:/GLOB, in one; may be given several
    /// times. Links are followed as the guest follows them; `*` stops at slashes, `**` does not
    #[arg(long, value_name = "GLOB", value_parser = NonEmptyStringValueParser::new())]
    path: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    freeze: FreezeArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let screen = Screen::new();
    let options = UndoOptions {
        which: args.run.clone(),
        guests: args.guest.iter().map(|guest| guest.name.clone()).collect(),
        walked: args.guest.iter().filter_map(WantedGuest::walked).collect(),
        paths: args.path.clone(),
        running: args.freeze.running(),
        limits: args.limits.take()?,
    };
    let ready = ReadyToUndo::check(&args.base.base, &options, &screen)?;
    let idle = ready.chose_nothing();
    let lines = chose_nothing::lines(idle, "shared file of this undo");
    lines.iter().for_each(|line| say(line));
    // A name that is there and private is as it was asked for; one that is not there is a slip.
    let is_slip = idle.iter().any(|glob| glob.there.is_none());
    if ready.files() == 0 {
        ready.cancel()?;
        say("Nothing to undo: no name that was asked for refers to an object.");
        return Ok(if is_slip { Exit::Declined } else { Exit::Done });
    }
    say(&format!(
        "UNDOING: {} would get an inode of their own again, which takes up to {}",
        counted(ready.files(), "file"),
        iec(ready.needed())
    ));
    let Some(ready) = agreed(ready, "Undo this?", args.yes, ReadyToUndo::cancel)? else {
        return Ok(Exit::Declined);
    };
    let stop = stop_on_signals()?;
    let result = ready.execute(&screen, &stop)?;
    let told = report(&args.base.base, &result, &screen.not_done(), args.output);
    match exit(&result, &stop, told)? {
        Exit::Done if is_slip => Ok(Exit::InPart),
        exit => Ok(exit),
    }
}

fn which(text: &str) -> Result<WhichRuns, String> {
    match text {
        "last" => Ok(WhichRuns::Last),
        "all" => Ok(WhichRuns::All),
        name => name
            .parse()
            .map(WhichRuns::Run)
            .map_err(|error: crate::model::BadRunId| error.to_string()),
    }
}

/// A guest, and where it is, if its names shall be found there.
#[derive(Debug, Clone)]
struct WantedGuest {
    name: GuestName,
    path: Option<PathBuf>,
}

impl WantedGuest {
    fn walked(&self) -> Option<GuestArg> {
        let (name, path) = (Some(self.name.clone()), self.path.clone()?);
        Some(GuestArg { name, path })
    }
}

fn guest(text: &str) -> Result<WantedGuest, String> {
    let (name, path) = match text.split_once('=') {
        Some((name, path)) => (name, Some(path.into())),
        None => (text, None),
    };
    let name = GuestName::new(name).map_err(|error| error.to_string())?;
    Ok(WantedGuest { name, path })
}
