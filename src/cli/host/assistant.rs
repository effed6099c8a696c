//! `unify assistant`: a second process of `unify doctor`, which starts it; a person does not.

use std::path::PathBuf;

use crate::cli::terminal::exit::{Exit, Failure};
use crate::engine;

/// Wait until standard input ends
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Do so in a user namespace of its own
    #[arg(long)]
    namespace: bool,
    /// Then remove what is left of this scratch directory
    #[arg(long, value_name = "DIR")]
    sweep: Option<PathBuf>,
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, Failure> {
    engine::outlive_signals()?;
    // Whoever started it has seen what it needs to see, and speaks.
    match engine::assist(args.namespace, args.sweep.as_deref()) {
        Ok(()) => Ok(Exit::Done),
        Err(_) => Ok(Exit::Declined),
    }
}
