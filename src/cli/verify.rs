//! `unify verify`

use std::io;
use std::path::PathBuf;

use super::exit::{Exit, Failure};
use super::screen::Screen;
use crate::engine::{self, PlanFile};
use crate::report::verify;

/// Prove from the disk that every applied action of a plan holds
///
/// Same inode as the object, content and metadata as the object's name says, flags set, nothing left in staging. Lists
/// every difference and exits with 6 if there is one.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plan that was applied; `-` is standard input
    plan: PathBuf,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let mut plan = PlanFile::open(&args.plan)?;
    let screen = Screen::new();
    engine::to_reading(&screen);
    let found = engine::verify(&mut plan, &screen)?;
    let mut out = io::stdout().lock();
    if args.json {
        verify::json(&found, &mut out)?;
    } else {
        verify::text(&found, &mut out)?;
    }
    Ok(if found.differences.is_empty() {
        Exit::Done
    } else {
        Exit::Differs
    })
}
