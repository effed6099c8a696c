//! `unify recover`

use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use super::args::{FreezeArgs, PerhapsBaseArg, no_base};
use super::terminal::exit::{Exit, Failure};
use super::terminal::screen::Screen;
use super::terminal::voice::tell_fitted;
use crate::engine::{self, GuestArg};
use crate::model::Recovered;
use crate::report::recover;

/// Finish or take back what a run that was cut short left; every apply, undo and gc does this first
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    base: PerhapsBaseArg,
    /// Take the base as the disk shows it: after a restore with its guests, a new file system UUID, a move, or where
    /// receipts are lost or damaged. Finds its guests by the names in them, remembers these, and protects what they
    /// share
    #[arg(long)]
    restored: bool,
    /// With --restored: guests that are elsewhere than the base remembers, or of which it knows nothing
    #[arg(value_name = "GUEST", value_parser = GuestArg::from_str, requires = "restored")]
    guests: Vec<GuestArg>,
    #[command(flatten)]
    freeze: FreezeArgs,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let guests: Vec<PathBuf> = args.guests.iter().map(|guest| guest.path.clone()).collect();
    let Some(base) = args.base.find_near(&guests)? else {
        return no_base();
    };
    let (running, screen) = (args.freeze.running(), Screen::new());
    let recovered = if args.restored {
        engine::take_over(&base, &args.guests, running, &screen)?
    } else {
        engine::recover(&base, running, &screen)?
    };
    let exit = exit(&recovered, screen.has_unread());
    if args.json {
        recover::json(&recovered, &base, &mut io::stdout().lock())?;
    } else {
        tell_fitted(exit, false, |_, out| recover::text(&recovered, &base, out))?;
    }
    Ok(exit)
}

fn exit(recovered: &Recovered, unread: bool) -> Exit {
    let needs_person = !recovered.quarantined.is_empty()
        || !recovered.damaged.is_empty()
        || !recovered.spoiled.is_empty();
    let in_part = recovered
        .taken
        .as_ref()
        .is_some_and(|taken| !taken.is_all());
    match () {
        () if needs_person => Exit::Quarantine,
        () if in_part => Exit::Unread,
        () => Exit::Done.if_all_read(unread),
    }
}
