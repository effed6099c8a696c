//! `unify status`

use std::io;

use clap::builder::NonEmptyStringValueParser;

use super::args::select::{FactSelectArgs, NameSelectArgs};
use super::args::{OutputArgs, PerhapsBaseArg, no_base};
use super::terminal::exit::{Exit, Failure};
use super::terminal::screen::Screen;
use super::terminal::voice::tell_fitted;
use crate::engine;
use crate::model::{GuestStatus, RunEnd, RunStatus, Status};
use crate::report::status;

/// Tell what is shared now, guest by guest, and which names have drifted
#[derive(Debug, clap::Args)]
#[command(mut_arg("json", |json| json.help("Print the answer as JSON")))]
pub(super) struct Args {
    #[command(flatten)]
    base: PerhapsBaseArg,
    /// Exit with 10 if names have drifted or belong to no package any more, if shared files lack their flag, or if
    /// guests were left frozen
    #[arg(long)]
    exit_code: bool,
    /// All lines of long lists, of which otherwise 20 are shown
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    output: OutputArgs,
    /// Only these guests; a glob over names, and may be given several times. Objects and runs are those of the base
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = "Selectors")]
    guest: Vec<String>,
    #[command(flatten)]
    names: NameSelectArgs,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let Some(base) = args.base.find_near(&[])? else {
        return no_base();
    };
    let facts = FactSelectArgs::default();
    let selection = args.names.take(args.guest.clone(), &facts)?;
    let screen = Screen::new();
    engine::warn_of_base(&base, &screen)?;
    engine::to_reading(&screen);
    let status = engine::status(&base, &selection, &screen)?;
    let exit = exit(&status, args.exit_code, screen.has_unread());
    if args.output.json {
        status::json(&status, &mut io::stdout().lock())?;
    } else {
        let sizes = args.output.sizes();
        tell_fitted(calm(exit, &status), args.all, |listing, out| {
            status::text(&status, sizes, listing, out)
        })?;
    }
    Ok(exit)
}

/// What a quiet program says something of: nobody has to look at a base that is well.
fn calm(exit: Exit, status: &Status) -> Exit {
    let open = !status.frozen.is_empty() || status.objects.unprotected > 0;
    match exit {
        Exit::Done if open => Exit::Something,
        exit => exit,
    }
}

/// What asks for a hand at once comes first: guests that stand still, shared files that any guest can change, a run
/// that is not healed.
fn exit(status: &Status, exit_code: bool, unread: bool) -> Exit {
    let unread_guest = |guest: &GuestStatus| {
        let missing = guest.missing.is_some() && !guest.is_gone;
        guest.unread > 0 || missing || guest.orphans.unread
    };
    let unread = unread || status.guests.iter().any(unread_guest);
    let unread = unread || !status.damaged.is_empty() || status.unknown_names > 0;
    let something = |guest: &GuestStatus| {
        let orphaned = !guest.orphans.names.is_empty();
        orphaned || !guest.drifted.is_empty() || guest.is_gone
    };
    let unfinished = |run: &RunStatus| run.end == RunEnd::Unfinished;
    let alarm = !status.frozen.is_empty() || status.objects.unprotected > 0;
    match () {
        () if exit_code && alarm => Exit::Something,
        () if !status.at_work && status.runs.iter().any(unfinished) => Exit::Unhealed,
        () if unread => Exit::Unread,
        () if exit_code && status.guests.iter().any(something) => Exit::Something,
        () => Exit::Done,
    }
}
