//! `unify recover`

use std::io;

use super::args::{BaseArg, FreezeArgs};
use super::terminal::exit::{Exit, Failure};
use super::terminal::screen::Screen;
use crate::engine;
use crate::report::recover;

/// Finish or take back what a run that was cut short left; every apply, undo and gc does this first
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    base: BaseArg,
    #[command(flatten)]
    freeze: FreezeArgs,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let recovered = engine::recover(&args.base.base, args.freeze.running(), &Screen::new())?;
    let mut out = io::stdout().lock();
    if args.json {
        recover::json(&recovered, &mut out)?;
    } else {
        recover::text(&recovered, &mut out)?;
    }
    let needs_person = !recovered.quarantined.is_empty()
        || !recovered.damaged.is_empty()
        || !recovered.spoiled.is_empty();
    Ok(if needs_person {
        Exit::Quarantine
    } else {
        Exit::Done
    })
}
