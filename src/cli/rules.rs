//! `unify rules`

use std::io;

use super::terminal::exit::{Exit, Failure};
use crate::report::rules;

/// Print the care rules: what is never shared whatever its content, and who says so
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    if args.json {
        rules::json(&mut out)?;
    } else {
        rules::text(&mut out)?;
    }
    Ok(Exit::Done)
}
