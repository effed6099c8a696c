//! `unify gc`

use std::io;

use super::args::{OutputArgs, PerhapsBaseArg, no_base};
use super::terminal::exit::{Exit, Failure};
use super::terminal::screen::Screen;
use super::terminal::voice::tell_fitted;
use crate::engine::{self, Gc};
use crate::report::gc;

/// Remove objects that no name in any guest refers to
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    base: PerhapsBaseArg,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Remove the papers of all runs before the last N as well: journals, and plans and receipts on which no shared
    /// name rests. What is shared can be undone as before, by `--run all` and by the runs that are left
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep_runs: Option<u32>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let Some(base) = args.base.find_near(&[])? else {
        return no_base();
    };
    let gc = match args.dry_run {
        true => Gc::Count,
        false => Gc::Remove,
    };
    let keep = args.keep_runs.map(|keep| keep as usize);
    let screen = Screen::new();
    let collected = engine::collect(&base, gc, keep, &screen)?;
    let exit = match collected.spoiled.is_empty() {
        true => Exit::Done.if_all_read(screen.has_unread()),
        false => Exit::Quarantine,
    };
    if args.output.json {
        gc::json(&collected, args.dry_run, &mut io::stdout().lock())?;
    } else {
        let sizes = args.output.sizes();
        tell_fitted(exit, false, |_, out| {
            gc::text(&collected, args.dry_run, sizes, out)
        })?;
    }
    Ok(exit)
}
